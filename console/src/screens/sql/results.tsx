/** The rows of a query in the grid, and a value in full when its cell is opened. */
import type { ComponentChildren } from 'preact'
import { useCallback, useState } from 'preact/hooks'
import { isNested, writeJson } from '../../api/json'
import { Dialog } from '../../ui/dialog'
import { cellText, DataGrid } from '../../ui/grid'
import { Empty, Note, State } from '../../ui/parts'
import { formatNumber, formatSeconds } from '../../ui/values'
import type { Result, Rows } from './query'
import './sql.css'

/** Rows with the names and types of their columns, at most as high as `most`. */
export function RowsGrid({ rows, label, most = '70vh' }: { rows: Rows; label: string; most?: string }) {
  const { items, columns } = rows
  const [opened, setOpened] = useState<{ row: number; column: number } | null>(null)
  const value = useCallback((row: number, column: number) => items[row]?.[columns[column]!.name], [items, columns])
  if (items.length === 0) return <Empty title="No rows." />
  const column = opened && columns[opened.column]!
  return (
    <>
      <DataGrid
        label={label}
        columns={columns}
        rows={items.length}
        value={value}
        height={`min(${most}, ${(items.length + 1) * 30 + 20}px)`}
        opened={opened ?? undefined}
        onOpen={(row, column) => setOpened({ row, column })}
      />
      {opened && column && (
        <Dialog title={<code>{column.name}</code>} onClose={() => setOpened(null)}>
          <p class="muted">
            {column.type}, row {formatNumber(opened.row + 1)}
          </p>
          <FullValue value={value(opened.row, opened.column)} />
        </Dialog>
      )}
    </>
  )
}

function FullValue({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <em class="muted">null</em>
  return <pre>{isNested(value) ? writeJson(value, 2) : cellText(value)}</pre>
}

/** How many rows an answer has, how long it took, and which versions it reads. */
export function ResultFacts({ result, seconds, children }: { result: Result; seconds: number; children?: ComponentChildren }) {
  const versions = Object.entries(result.versions)
  return (
    <div class="row result-facts">
      <strong>
        {formatNumber(result.items.length)} {result.items.length === 1 ? 'row' : 'rows'}
      </strong>
      <span class="muted">
        {formatNumber(result.columns.length)} {result.columns.length === 1 ? 'column' : 'columns'}
      </span>
      <span class="muted">{formatSeconds(seconds)}</span>
      {versions.length > 0 && (
        <span class="muted">{versions.map(([name, number]) => `${name} version ${number}`).join(', ')}</span>
      )}
      {versions.length > 0 && <State value={result.completeness} />}
      {children}
    </div>
  )
}

/** Says when an answer is not all of the rows, or reads data of an earlier version. */
export function ResultNotes({ result }: { result: Pick<Result, 'truncated' | 'stale' | 'items'> }) {
  return (
    <>
      {result.truncated && (
        <Note tone="warn">
          These are the first {formatNumber(result.items.length)} rows; the rest was cut off. Filter or aggregate in the SQL to
          see all of it.
        </Note>
      )}
      {result.stale.map((one) => (
        <Note tone="warn" key={one.datasource}>
          {one.datasource} could not be fetched: {one.error} Its version {one.version} stands in for it.
        </Note>
      ))}
    </>
  )
}

/** The columns of rows with their types. */
export function ColumnTypes({ rows }: { rows: Rows }) {
  return (
    <details>
      <summary>Columns and types</summary>
      <ul class="plain column-types">
        {rows.columns.map((column) => (
          <li key={column.name}>
            <code>{column.name}</code> <span class="muted">{column.type}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}
