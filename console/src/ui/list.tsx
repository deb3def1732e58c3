/** Lists that come in pages: their rows, why they cannot be loaded, that they are empty, and a way to the next page. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { List } from '../api/list'
import { Button, ProblemNote } from './parts'

export function ShowList<T>(props: { from: List<T>; empty: ComponentChildren; children: (items: T[]) => ComponentChildren }) {
  const { items, error, loading, more, reload } = props.from
  return (
    <>
      <ProblemNote error={error} retry={reload} />
      {items && (items.length > 0 ? props.children(items) : !error && props.empty)}
      {!items && loading && <div class="loading" role="status">Loading …</div>}
      {items && (more || (loading && items.length > 0)) && (
        <div class="row more">
          <Button onClick={() => more?.()} busy={loading}>
            Show more
          </Button>
        </div>
      )}
    </>
  )
}

/** The head of a column; `hidden` is for screen readers only, such as above the buttons of each row. */
export type Column = string | { text: string; look: 'number' | 'hidden' }

/** The column of buttons. */
export const ACTIONS: Column = { text: 'Actions', look: 'hidden' }

/** A column of numbers. */
export const numeric = (text: string): Column => ({ text, look: 'number' })

/** A table whose rows are cards on a phone: there each cell says itself what the head of its column says. */
export function CardTable(props: { class?: string; children: ComponentChildren }) {
  const table = useRef<HTMLTableElement>(null)
  useLayoutEffect(() => nameCells(table.current!))
  return (
    <table ref={table} class={`plain cards ${props.class ?? ''}`}>
      {props.children}
    </table>
  )
}

/** The first cell but those to choose rows by is the card's title, and the column of buttons needs no name. */
function nameCells(table: HTMLTableElement): void {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])]
  const title = heads.find((head) => !head.classList.contains('check'))
  const names = heads.map((head) => (head === title || head.querySelector('.hidden-text') ? '' : head.textContent.trim()))
  for (const row of table.tBodies[0]?.rows ?? []) {
    for (const cell of row.cells) {
      if (names[cell.cellIndex] && (cell.textContent || cell.querySelector('input'))) cell.dataset.label = names[cell.cellIndex]
      else delete cell.dataset.label
    }
  }
}

/** A list as a table; `children` draws the row of an item. */
export function ListTable<T>(props: {
  from: List<T>
  empty: ComponentChildren
  columns: Column[]
  children: (item: T) => ComponentChildren
}) {
  return (
    <ShowList from={props.from} empty={props.empty}>
      {(items) => (
        <CardTable>
          <TableHead columns={props.columns} />
          <tbody>{items.map(props.children)}</tbody>
        </CardTable>
      )}
    </ShowList>
  )
}

/** The heads of a table's columns. */
export function TableHead({ columns }: { columns: Column[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <Head key={typeof column === 'string' ? column : column.text} column={column} />
        ))}
      </tr>
    </thead>
  )
}

function Head({ column }: { column: Column }) {
  const { text, look } = typeof column === 'string' ? { text: column, look: undefined } : column
  return (
    <th scope="col" class={look === 'number' ? 'number' : undefined}>
      {look === 'hidden' ? <span class="hidden-text">{text}</span> : text}
    </th>
  )
}
