/** The panel of a cell whose value has no explanation: the whole value and its record. */
import type { ComponentChildren } from 'preact'
import { Dialog } from '../../ui/dialog'
import { cellText } from '../../ui/grid'
import { Note } from '../../ui/parts'
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
  if (typeof value === 'object' && value !== null) return <pre class="big-json">{JSON.stringify(value, null, 2)}</pre>
  const text = cellText(value)
  return (
    <p class={`big-value ${value === null ? 'muted' : ''} ${text.length > 60 ? 'long' : ''}`}>
      {text === '' ? <span class="muted">an empty text</span> : text} {type && <span class="type">{type}</span>}
    </p>
  )
}
