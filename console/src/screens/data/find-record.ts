/**
 * The place of a datasource's record in the pages of its run.
 *
 * The API cites pages for merged values only, so a record is looked for by the values of its key, or of all
 * columns if it has none.
 */
import { isNested, parseJson, sameNumber } from '../../api/json'
import { cellText } from '../../ui/grid'
import { csvRows, formOf, type Form } from '../received/locate'

/** How a datasource reads its records, as the manifest of a version has it. */
export interface ReadingSpec {
  fields?: Record<string, string> | null
  primary_key?: string[] | null
  csv?: { encoding?: string | null; delimiter?: string | null } | null
}

export interface WantedRecord {
  spec: ReadingSpec
  columns: { name: string; type: string; value: unknown }[]
}

/** Where a value is; inexact if it leads to the record only. */
export interface FoundPlace {
  pointer: string
  exact: boolean
  expression: string | null
  /** How many records of the page fit as well; this is the first of them. */
  alike: number
  /** Whether the value there is another one than the table has. */
  differs: boolean
  /** Whether nothing in the record differs from the table. */
  certain: boolean
}

type Path = (string | number)[]

/**
 * @param column the column whose value is wanted.
 * @returns its place in the record that has most values of the wanted one; null if the page does not have the record.
 */
export function findPlace(text: string, wanted: WantedRecord, column: string): FoundPlace | null {
  const keyNames = wanted.spec.primary_key ?? []
  const key = keyNames.length > 0 ? wanted.columns.filter(({ name }) => keyNames.includes(name)) : wanted.columns
  let best = null as { path: Path; record: unknown; score: number; certain: boolean } | null
  let alike = 0
  for (const [path, record] of recordsOf(text, formOf(text), wanted.spec.csv?.delimiter ?? null)) {
    const known = fitsOf(record, wanted.spec, key)
    if (known.includes(false) || !known.includes(true)) continue
    const fits = key === wanted.columns ? known : fitsOf(record, wanted.spec, wanted.columns)
    const score = fits.filter((fit) => fit === true).length
    if (score === best?.score) alike += 1
    if (best !== null && score <= best.score) continue
    best = { path, record, score, certain: !fits.includes(false) }
    alike = 1
  }
  return best && { ...placeIn(best, wanted, column), alike, certain: best.certain }
}

function placeIn({ path, record }: { path: Path; record: unknown }, { spec, columns }: WantedRecord, column: string) {
  const steps = stepsOf(record, spec, column)
  const [fit] = fitsOf(record, spec, columns.filter(({ name }) => name === column))
  return {
    pointer: [...path, ...(steps ?? [])].map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    exact: steps !== null,
    expression: steps === null ? (spec.fields?.[column] ?? null) : null,
    differs: fit === false,
  }
}

/** Whether a record has the value of each column; null if the way to it is not known. */
function fitsOf(record: unknown, spec: ReadingSpec, columns: WantedRecord['columns']): (boolean | null)[] {
  return columns.map(({ name, type, value }) => {
    const steps = stepsOf(record, spec, name)
    if (steps === null) return null
    let part = record
    for (const step of steps) part = (part as Record<string, unknown> | null | undefined)?.[step]
    return sameValue(part, value, type)
  })
}

/** Whether a column of a type has the value of a page. Texts are compared as they are: `007` is not `7`. */
function sameValue(received: unknown, value: unknown, type: string): boolean {
  if (received === null || received === undefined) return value === null
  if (received === '' && value === null) return true
  if (value === null) return false
  const [left, right] = [cellText(received), cellText(value)]
  if (left === right) return true
  if (left.trim() === '' || type === 'string') return false
  // A column of doubles keeps the nearest one; a long integer is another record's than its neighbour.
  if (/^(bigint|decimal)/.test(type)) return sameNumber(left, right)
  if (type === 'double') return Number(left) === Number(right)
  if (/^(date|timestamp)/.test(type)) return instantOf(left) === instantOf(right)
  return type === 'boolean' && left.trim().toLowerCase() === right
}

/** A time to the microsecond, as the API keeps it; without a zone, it is of UTC. */
function instantOf(text: string): string {
  const [, day, time = '00:00', fraction = '', zone = 'Z'] = TIME.exec(text.trim()) ?? []
  const milliseconds = Date.parse(day ? `${day}T${time}${zone}` : text)
  return `${milliseconds} ${fraction.slice(0, 6).padEnd(6, '0')}`
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d+))?\s*(Z|[-+]\d{2}(?::?\d{2})?)?)?$/
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

function* recordsOf(text: string, form: Form, delimiter: string | null): Generator<[Path, unknown]> {
  if (form === 'json') yield* objectsIn(parsed(text), [])
  if (form === 'jsonl') {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    for (const [index, line] of lines.entries()) yield [[index], parsed(line)]
  }
  if (form === 'csv') yield* csvRecords(text, delimiter)
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

/** All objects within a value, outer ones first. */
function* objectsIn(value: unknown, path: Path): Generator<[Path, unknown]> {
  if (!isNested(value)) return
  if (!Array.isArray(value)) yield [path, value]
  for (const [key, child] of Object.entries(value)) yield* objectsIn(child, [...path, key])
}

function* csvRecords(text: string, delimiter: string | null): Generator<[Path, unknown]> {
  const [header, ...rows] = csvRows(text, delimiter)
  const names = header?.map((cell) => cell.trim()) ?? []
  for (const [index, cells] of rows.entries()) yield [[index], Object.fromEntries(names.map((name, at) => [name, cells[at] ?? '']))]
}
