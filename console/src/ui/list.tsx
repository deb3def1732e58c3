/** Lists that come in pages: their rows, why they cannot be loaded, that they are empty, and a way to the next page. */
import type { ComponentChildren } from 'preact'
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
        <table class="plain">
          <thead>
            <tr>
              {props.columns.map((column) => (
                <Head key={typeof column === 'string' ? column : column.text} column={column} />
              ))}
            </tr>
          </thead>
          <tbody>{items.map(props.children)}</tbody>
        </table>
      )}
    </ShowList>
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
