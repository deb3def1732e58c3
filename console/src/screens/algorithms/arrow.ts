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
  const [answer, { arrowRows }] = await Promise.all([send(`${path`/v1/runs/${run}/tables/${name}`}?${query}`), import('../data/arrow')])
  const { columns, count, value } = arrowRows(await answer.arrayBuffer())
  return { columns, rows: count, value }
}

/** The rows of a table as objects, for those with few rows. */
export async function rowsOf<T>(run: string, name: string): Promise<T[]> {
  const table = await wholeTable(run, name)
  return Array.from({ length: table.rows }, (_, row) => Object.fromEntries(table.columns.map((column, index) => [column.name, table.value(row, index)])) as T)
}
