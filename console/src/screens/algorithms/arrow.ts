/** Tables of results, read whole as Arrow. */
import { path } from '../../router'
import { send } from '../../api/client'

export interface WholeTable {
  columns: { name: string; type: string }[]
  rows: number
  value: (row: number, column: number) => unknown
}

/** A table of a run's result with all its rows. */
export async function wholeTable(run: string, name: string, order?: string): Promise<WholeTable> {
  const query = new URLSearchParams({ format: 'arrow', ...(order ? { order } : {}) })
  const [answer, { tableFromIPC }] = await Promise.all([send(`${path`/v1/runs/${run}/tables/${name}`}?${query}`), import('@uwdata/flechette')])
  const table = tableFromIPC(new Uint8Array(await answer.arrayBuffer()), { useDate: true })
  const columns = table.names.map((column) => table.getChild(String(column)))
  return {
    columns: table.schema.fields.map((field) => ({ name: field.name, type: NUMERIC.has(field.type.typeId) ? 'double' : 'text' })),
    rows: table.numRows,
    value: (row, column) => columns[column]!.at(row),
  }
}

// Integer, floating point and decimal types of Arrow.
const NUMERIC = new Set([2, 3, 7])

/** The rows of a table as objects, for those with few rows. */
export async function rowsOf<T>(run: string, name: string): Promise<T[]> {
  const table = await wholeTable(run, name)
  return Array.from({ length: table.rows }, (_, row) => Object.fromEntries(table.columns.map((column, index) => [column.name, table.value(row, index)])) as T)
}
