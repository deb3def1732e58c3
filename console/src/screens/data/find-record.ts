/**
 * The place of a datasource's record in the pages of its run.
 *
 * The API cites pages for merged values only, so a record is looked for by the values of its key, or of all
 * columns if it has none.
 */
import { cellText } from '../../ui/grid'
import { csvRows, formOf, type Form } from '../received/locate'

/** How a datasource reads its records, as the manifest of a version has it. */
export interface ReadingSpec {
  fields?: Record<string, string> | null
  primary_key?: string[] | null
}

export interface WantedRecord {
  spec: ReadingSpec
  columns: { name: string; value: unknown }[]
}

/** Where a value is; inexact if it leads to the record only. */
export interface FoundPlace {
  pointer: string
  exact: boolean
  expression: string | null
}

type Path = (string | number)[]

/**
 * @param column the column whose value is wanted.
 * @returns its place; null if the page does not have the record.
 */
export function findPlace(text: string, wanted: WantedRecord, column: string): FoundPlace | null {
  const form = formOf(text)
  const key = wanted.spec.primary_key ?? []
  const known = wanted.columns.filter(({ name }) => (key.length > 0 ? key.includes(name) : true))
  for (const [path, record] of recordsOf(text, form)) {
    const fits = known.map(({ name, value }) => fit(record, stepsOf(record, wanted.spec, name), value))
    if (fits.includes(false) || !fits.includes(true)) continue
    const steps = stepsOf(record, wanted.spec, column)
    return {
      pointer: [...path, ...(steps ?? [])].map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
      exact: steps !== null,
      expression: steps === null ? (wanted.spec.fields?.[column] ?? null) : null,
    }
  }
  return null
}

/** Whether a record has a value; null if the way to it is not known. */
function fit(record: unknown, steps: string[] | null, value: unknown): boolean | null {
  if (steps === null) return null
  let part = record
  for (const step of steps) part = (part as Record<string, unknown> | null | undefined)?.[step]
  return sameValue(part, value)
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === null || a === undefined || a === '') return b === null || b === ''
  if (b === null) return false
  const [left, right] = [cellText(a).trim(), cellText(b).trim()]
  if (left === right || (left !== '' && Number(left) === Number(right))) return true
  const isTime = /^\d{4}-\d{2}-\d{2}/.test(right)
  return isTime && Date.parse(left) === Date.parse(right)
}

const STEPS = /^(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+")(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+"))*$/

/** The keys that lead from a record to a column's value; null if an expression computes it. */
function stepsOf(record: unknown, { fields }: ReadingSpec, column: string): string[] | null {
  const expression = fields?.[column]
  if (expression !== undefined) {
    return STEPS.test(expression) ? [...expression.matchAll(/[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+"/g)].map(([step]) => step.replaceAll('"', '')) : null
  }
  return flattenedSteps(record, column.toLowerCase())
}

/** The keys whose names, joined by `_`, make a column's name: nested objects become columns such as `a_b`. */
function flattenedSteps(record: unknown, column: string): string[] | null {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return null
  for (const [key, value] of Object.entries(record)) {
    const name = key.toLowerCase()
    if (name === column) return [key]
    if (!column.startsWith(`${name}_`)) continue
    const rest = flattenedSteps(value, column.slice(name.length + 1))
    if (rest) return [key, ...rest]
  }
  return null
}

function* recordsOf(text: string, form: Form): Generator<[Path, unknown]> {
  if (form === 'json') yield* objectsIn(parsed(text), [])
  if (form === 'jsonl') {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    for (const [index, line] of lines.entries()) yield [[index], parsed(line)]
  }
  if (form === 'csv') yield* csvRecords(text)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** All objects within a value, outer ones first. */
function* objectsIn(value: unknown, path: Path): Generator<[Path, unknown]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [path, value]
  for (const [key, child] of Object.entries(value)) yield* objectsIn(child, [...path, key])
}

function* csvRecords(text: string): Generator<[Path, unknown]> {
  const [header, ...rows] = csvRows(text)
  const names = header?.map((cell) => cell.trim()) ?? []
  for (const [index, cells] of rows.entries()) yield [[index], Object.fromEntries(names.map((name, at) => [name, cells[at] ?? '']))]
}
