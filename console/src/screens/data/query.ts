/** Which rows the address of the page asks for, and conditions of the API's `where`. */
import { setParameters, usePlace } from '../../router'

export type Parameters = Record<string, string | number | undefined | string[]>

/** Parameters as the API reads them: a list is a repeated parameter. */
export function searchText(values: Parameters): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) value.forEach((one) => search.append(name, one))
    else if (value !== undefined && value !== '') search.set(name, String(value))
  }
  return search.toString()
}

/** The rows that are asked for, with the names of the API's parameters. */
export interface DataQuery {
  where: string[]
  order?: string
  version?: string
  as_of?: string
}

/** The rows that the present address asks for. */
export function useDataQuery(): DataQuery {
  const { query } = usePlace()
  const text = (name: string) => query.get(name) ?? undefined
  return { where: query.getAll('where'), order: text('order'), version: text('version'), as_of: text('as_of') }
}

/** Other rows: what is open belongs to the present ones. */
export function changeQuery(
  change: { where?: string[]; order?: string | null; version?: string | null; as_of?: string | null },
  options?: { replace: boolean },
): void {
  setParameters({ ...change, key: null, column: null, row: null, source: null }, options)
}

/** A name in a list of the API, which is quoted as in CSV. */
export function listed(name: string): string {
  return /[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name
}

/** The order after a click on a column: ascending, then descending, then the table's own. */
export function nextOrder(order: string, column: string): string | null {
  const [up, down] = [listed(column), listed(`-${column}`)]
  if (order === down) return null
  // For the API, a minus in front means descending, even if it is a part of the name: there is no ascending order.
  return order === up || column.startsWith('-') ? down : up
}

/** The column that an order of one column is by. */
export function sortedBy(order: string): { column: string; descending: boolean } | undefined {
  if (!order) return undefined
  const name = /^".*"$/s.test(order) ? order.slice(1, -1).replaceAll('""', '"') : order
  return name.startsWith('-') ? { column: name.slice(1), descending: true } : { column: name, descending: false }
}

/** One condition, as the form shows it. */
export interface Condition {
  column: string
  operator: string
  value: string
}

/** The operators of the form. `contains` and `does not` are special cases of those that the API has. */
export const OPERATORS: { name: string; text: string; sign: string }[] = [
  { name: 'eq', text: 'is', sign: '=' },
  { name: 'ne', text: 'is not', sign: '≠' },
  { name: 'contains', text: 'contains', sign: 'contains' },
  { name: 'gt', text: 'is greater than', sign: '>' },
  { name: 'ge', text: 'is at least', sign: '≥' },
  { name: 'lt', text: 'is less than', sign: '<' },
  { name: 'le', text: 'is at most', sign: '≤' },
  { name: 'in', text: 'is one of (separated by commas)', sign: 'in' },
  { name: 'like', text: 'matches the pattern (% any text, _ any character)', sign: 'like' },
  { name: 'null', text: 'is null', sign: 'is null' },
  { name: 'not_null', text: 'is not null', sign: 'is not null' },
]

export function needsValue(operator: string): boolean {
  return operator !== 'null' && operator !== 'not_null'
}

export function formatCondition({ column, operator, value }: Condition): string {
  if (operator === 'null') return `${column}.null:true`
  if (operator === 'not_null') return `${column}.null:false`
  if (operator === 'contains') return `${column}.like:%${value}%`
  return `${column}.${operator}:${value}`
}

/** The condition of a `where`; null if no column fits it. */
export function parseCondition(text: string, columns: string[]): Condition | null {
  // Names may have dots, so the longest that fits is meant.
  const column = [...columns].sort((a, b) => b.length - a.length).find((name) => text.startsWith(`${name}.`))
  const match = column !== undefined && /^([a-z]+)(?::([^]*))?$/.exec(text.slice(column.length + 1))
  if (!match) return null
  const [, operator = '', value = ''] = match
  if (operator === 'null') return { column, operator: value === 'false' ? 'not_null' : 'null', value: '' }
  const inner = operator === 'like' && /^%([^%_]+)%$/.exec(value)?.[1]
  return inner ? { column, operator: 'contains', value: inner } : { column, operator, value }
}
