/** The document of a project while it is edited. */
import type { ApiError, Schemas } from '../../../api/client'
import { isNested, parseJson, writeJson } from '../../../api/json'

export type Project = Schemas['ProjectView']
export type FieldRule = Schemas['FieldRule']
export type Strategy = 'union' | 'join' | 'recursive' | 'concatenation'

/** A merge of any strategy: the fields of the others are absent. */
export interface Merge {
  strategy: Strategy
  key?: string[] | null
  join?: string
  primary?: string | null
  default_rule?: string
  fields?: Record<string, Partial<FieldRule> & { rule: string }>
  normalizers?: Record<string, string[]>
  sources?: Record<string, Reshape>
  result?: Reshape
}

/** Changes of columns and rows, before or after the merge. */
export interface Reshape {
  rename?: Record<string, string>
  cast?: Record<string, string>
  compute?: Record<string, string>
  where?: string
}

/** A test of a table: `type`, `severity` and the fields of its type. */
export type Test = { type: string; severity?: string } & Record<string, unknown>

/** What a user writes of a project. */
export interface Draft {
  name: string
  description?: string | null
  enabled?: boolean
  merge: Merge
  tests?: Record<string, Test[]>
  refresh_on?: string
  schedule?: unknown
}

const WRITTEN = ['name', 'description', 'enabled', 'refresh_on', 'schedule', 'merge', 'tests'] as const

/** The part of a project that a user writes, without what the API would assume anyway. */
export function draftOf(project: Project): Draft {
  const written = Object.fromEntries(WRITTEN.map((name) => [name, project[name]]))
  return without(written) as unknown as Draft
}

/** An object without its nulls, and without its empty objects and lists. */
function without<T extends object>(value: T): T {
  const kept = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    if (inner === null || inner === undefined) return []
    if (!isNested(inner)) return [[name, inner]]
    if (Array.isArray(inner)) {
      return inner.length > 0 ? [[name, inner.map((one) => (isNested(one) ? without(one) : one))]] : []
    }
    const tidy = without(inner)
    return Object.keys(tidy).length > 0 ? [[name, tidy]] : []
  })
  return Object.fromEntries(kept) as T
}

const DOCUMENTS: Strategy[] = ['recursive', 'concatenation']

/** Whether a merge is of whole documents, which have no rows. */
export function isOfDocuments(strategy: Strategy): boolean {
  return DOCUMENTS.includes(strategy)
}

/** The same merge by another strategy, with the fields that both have. */
export function withStrategy(merge: Merge, strategy: Strategy): Merge {
  if (isOfDocuments(strategy)) return { strategy }
  const { key, normalizers, sources, result } = merge
  const common = without({ normalizers, sources, result })
  if (strategy === 'union') return { strategy, ...(key?.length ? { key } : {}), ...common }
  return { strategy, key: key ?? [], ...common }
}

/** The API's message about a part of the document or something within it. */
export function messageAt(error: ApiError | undefined, pointer: string): string | undefined {
  const isAt = (one: string) => one === pointer || one.startsWith(`${pointer}/`)
  return error?.problem.errors?.find((one) => isAt(one.pointer))?.message
}

/** The part of a JSON Pointer that names a member. */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** A value as it is written in a field: JSON where it is, text otherwise. */
export function scalarOf(text: string): string | number | boolean | null {
  try {
    const value = parseJson(text)
    if (!isNested(value)) return value as string | number | boolean | null
  } catch {
    // Plain text needs no quotation marks.
  }
  return text
}

/** The text for which `scalarOf` gives the value. */
export function scalarText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' && scalarOf(value) === value ? value : writeJson(value)
}
