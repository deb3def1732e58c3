/** Queries of a project: running one, the parameters in its text, and where the API says that it is wrong. */
import { api, ok, type ApiError, type Schemas } from '../../api/client'
import { currentPlace } from '../../router'
import type { Column } from './tables'

export interface Rows {
  items: Record<string, unknown>[]
  columns: Column[]
  truncated: boolean
}
export type Result = Rows & Pick<Schemas['QueryResult'], 'versions' | 'completeness' | 'stale'>
export type Value = string | number | boolean | null

/** Run a query. */
export async function runQuery(slug: string, sql: string, parameters: Record<string, Value> = {}): Promise<Result> {
  return ok(api.POST('/v1/projects/{slug}/query', { params: { path: { slug } }, body: { sql, parameters } })) as Promise<Result>
}

/** The names of the parameters (`$name`) in a query, in order, without those in texts and comments. */
export function parametersIn(sql: string): string[] {
  const bare = sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
  return [...new Set([...bare.matchAll(/\$([a-z_][a-z0-9_]*)/g)].map((found) => found[1]!))]
}

/** What somebody enters for a parameter: a number, true, false or null as such, and everything else as text. */
export function valueOf(text: string): Value {
  try {
    const value: unknown = JSON.parse(text)
    // As a number, a long one would lose digits.
    if (typeof value === 'number' && String(value) !== text.trim()) return text
    return typeof value === 'object' && value !== null ? text : (value as Value)
  } catch {
    return text
  }
}

/** The entered values of parameters that the address holds. */
export function valuesIn(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].flatMap(([name, value]) => (name.startsWith('p.') ? [[name.slice(2), value]] : [])))
}

/** The parameters of the address that hold these values and no others. */
export function valuesInAddress(values: Record<string, string>): Record<string, string | null> {
  const present = Object.keys(valuesIn(currentPlace().query)).map((name) => [`p.${name}`, null] as const)
  return { ...Object.fromEntries(present), ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`p.${name}`, value])) }
}

export interface Fault {
  line: number
  column?: number
  message: string
}

/** What is wrong with the SQL of a request, at its place in the text. */
export function sqlFaults(error: ApiError | undefined, pointer = '/sql'): Fault[] {
  const messages = error?.problem.errors?.filter((one) => one.pointer === pointer).map((one) => one.message) ?? []
  return messages.map((message) => {
    const exact = /\bline (\d+), column (\d+): /i.exec(message)
    if (exact) return { line: Number(exact[1]), column: Number(exact[2]), message: message.replace(exact[0], '') }
    const about = /; LINE (\d+): ([\s\S]*)$/.exec(message)
    return { line: about ? Number(about[1]) : 1, message: about ? message.slice(0, about.index) : message }
  })
}
