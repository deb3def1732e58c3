/** The rows of one version: first a page as JSON, which is there at once, then the whole table as Arrow. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ApiError, send, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { searchText, type DataQuery } from './query'
import type { TableSource } from './source'

/** Rows that can be drawn. */
export interface Rows {
  count: number
  /** A value as JSON answers of the API have it. */
  value: (row: number, column: number) => unknown
  /** Load the next block; null if there is none. */
  more: (() => void) | null
}

// A page of the API has at most 200 rows.
const BLOCK = 200
// A table beyond this is read block by block while the user scrolls, instead of whole.
const WHOLE_ROWS = 300_000
const WHOLE_BYTES = 40_000_000

export interface Table {
  page: Schemas['DataPage'] | undefined
  /** The version that the rows are of, and its columns. */
  version: Schemas['VersionDetail'] | undefined
  columns: { name: string; type: string }[]
  rows: Rows | undefined
  /** Whether the rest of the rows is on its way. */
  loading: boolean
  error: ApiError | undefined
  reload: () => void
}

/** The rows of a request. */
export function useTable(source: TableSource, query: DataQuery): Table {
  const key = JSON.stringify([source.path, query])
  const first = useLoad(
    async () => {
      const page = await source.page({ ...query, limit: BLOCK })
      return { page, version: await source.version(page.version) }
    },
    [key],
  )
  const answer = first.data
  const columns = useMemo(() => answer?.version?.schema ?? columnsOf(answer?.page), [answer])
  const rest = useRest(source, query, answer, columns)
  const rows = useMemo(
    () => rest.whole ?? (answer && blockRows(columns, [...answer.page.items, ...rest.items], rest.more)),
    [answer, columns, rest.whole, rest.items, rest.more],
  )
  return {
    page: answer?.page,
    version: answer?.version,
    columns,
    rows,
    loading: first.loading || rest.loading,
    error: first.error ?? rest.error,
    reload: first.reload,
  }
}

type First = { page: Schemas['DataPage']; version: Schemas['VersionDetail'] | undefined }
type Rest = { of?: First; whole?: Rows; items: Row[]; next: string | null; loading: boolean; error?: ApiError }
type Row = Schemas['DataPage']['items'][number]

/** What follows the first page: everything at once if it is not too large, else block by block. */
function useRest(source: TableSource, query: DataQuery, first: First | undefined, columns: Table['columns']) {
  const [state, setState] = useState<Rest>({ items: [], next: null, loading: false })
  const present = useRef(first)
  present.current = first
  const keep = (of: First, change: (state: Rest) => Rest) => present.current === of && setState(change)

  useEffect(() => {
    if (!first) return
    const next = first.page.next
    const whole = next !== null && isSmall(first.version)
    setState({ of: first, items: [], next, loading: whole })
    if (!whole) return
    loadWhole(source, query, first, columns).then(
      (rows) => keep(first, (state) => ({ ...state, whole: rows, loading: false })),
      (error: unknown) => keep(first, (state) => ({ ...state, error: problem(error), loading: false })),
    )
  }, [first])

  const current: Rest = state.of === first ? state : { items: [], next: null, loading: first !== undefined }
  const { next } = current
  const more = useMemo(() => {
    if (!first || next === null || current.loading) return null
    return () => {
      setState((state) => ({ ...state, loading: true }))
      source.page({ ...query, cursor: next, limit: BLOCK }).then(
        (page) => keep(first, (state) => ({ ...state, items: [...state.items, ...page.items], next: page.next, loading: false })),
        (error: unknown) => keep(first, (state) => ({ ...state, error: problem(error), next: null, loading: false })),
      )
    }
  }, [first, next, current.loading])
  return { ...current, more }
}

function problem(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  throw error
}

function isSmall(version: Schemas['VersionDetail'] | undefined): boolean {
  return version === undefined || (version.rows <= WHOLE_ROWS && version.bytes <= WHOLE_BYTES)
}

async function loadWhole(source: TableSource, query: DataQuery, first: First, columns: Table['columns']): Promise<Rows> {
  // Of the very version that the first page is from, even if another one has been published since.
  const text = searchText({ ...query, as_of: undefined, version: first.page.version, format: 'arrow' })
  const [module, answer] = await Promise.all([import('./arrow'), send(`${source.path}/data?${text}`)])
  return module.arrowRows(await answer.arrayBuffer(), columns.map((column) => column.name))
}

/** The rows of JSON pages. */
function blockRows(columns: Table['columns'], items: Row[], more: (() => void) | null): Rows {
  return {
    count: items.length,
    value: (row, column) => (items[row] as Record<string, unknown> | undefined)?.[columns[column]!.name] ?? null,
    more,
  }
}

/** The columns of a table whose version is not known, by its first rows. */
function columnsOf(page: Schemas['DataPage'] | undefined): Table['columns'] {
  const row = page?.items[0]
  if (!row || typeof row !== 'object' || Array.isArray(row)) return []
  return Object.entries(row).map(([name, value]) => ({ name, type: typeof value === 'number' ? 'double' : 'string' }))
}
