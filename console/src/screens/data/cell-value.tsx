/** The panel of a cell whose value has no explanation: the whole value and its record. */
import type { ComponentChildren } from 'preact'
import { isNested, writeJson } from '../../api/json'
import { useState } from 'preact/hooks'
import { Dialog } from '../../ui/dialog'
import { cellText } from '../../ui/grid'
import { Button, Note } from '../../ui/parts'
import { formatNumber } from '../../ui/values'
import { visible } from '../../ui/visible'
import { FilterBy } from './filter-by'
import { RecordTable } from './record-table'
import type { OpenCell } from './table-view'

export function CellValue(props: OpenCell & { children?: ComponentChildren }) {
  const { table, column, row } = props
  const place = table.columns.findIndex((one) => one.name === column)
  if (row === null || !table.rows || place < 0) {
    return (
      <Dialog side title={column} onClose={props.onClose}>
        <Note tone="warn">This row is not among the rows that are shown.</Note>
      </Dialog>
    )
  }
  const rows = table.rows
  return (
    <Dialog side title={<code>{column}</code>} onClose={props.onClose}>
      <BigValue value={rows.value(row, place)} type={table.columns[place]!.type} />
      <FilterBy column={column} value={rows.value(row, place)} />
      {props.children}
      <RecordTable
        current={column}
        fields={table.columns.map(({ name }, index) => ({ name, value: rows.value(row, index) }))}
      />
    </Dialog>
  )
}

/** A value in large letters, or long ones in full. */
export function BigValue(props: { value: unknown; type: string | undefined }) {
  const { value, type } = props
  if (isNested(value)) return <pre class="big-json"><LongText text={writeJson(value, 2)} /></pre>
  const text = cellText(value)
  return (
    <p class={`big-value ${value === null ? 'muted' : ''} ${text.length > 60 ? 'long' : ''}`}>
      {text === '' ? <span class="muted">an empty text</span> : <LongText text={text} />} {type && <span class="type">{type}</span>}
    </p>
  )
}

// The browser lays out this much at once; a megabyte would stop it for seconds.
const MOST_CHARACTERS = 20_000

/** A text whose beginning is shown first if it is very long. */
export function LongText({ text }: { text: string }) {
  const [whole, setWhole] = useState<string | null>(null)
  if (text.length <= MOST_CHARACTERS || whole === text) return <>{visible(text)}</>
  // Half a character, of those that take two places, is none.
  const start = text.slice(0, MOST_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '')
  return (
    <>
      {visible(start)}…{' '}
      <Button look="quiet" onClick={() => setWhole(text)}>
        Show all {formatNumber(text.length)} characters
      </Button>
    </>
  )
}
