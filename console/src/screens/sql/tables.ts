/** The tables that a project's SQL can read, and their columns, which are asked for when they are needed. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { all, api, ApiError, ok } from '../../api/client'
import { useLoad, type Loaded } from '../../api/load'

export interface Column {
  name: string
  type: string
}

export interface Table {
  name: string
  kind: 'merge' | 'datasource' | 'model' | 'algorithm'
  /** The slug of a datasource, or the project's. */
  source: string
  /** Whether it has never been computed, so that nobody knows its columns. */
  uncomputed?: boolean
}

export interface Tables {
  list: Loaded<Table[]>
  /** The columns by table, of those that were asked for; none if there is no data yet. */
  columns: Record<string, Column[]>
  /** Ask for the columns of some tables. */
  need: (names: Iterable<string>) => void
  /** For the editor: every table, with its columns as far as they are known. */
  completion: Record<string, string[]>
}

/** The tables of a project; null has none. */
export function useTables(project: string | null): Tables {
  const list = useLoad(project === null ? null : () => tablesOf(project), [project])
  const [columns, setColumns] = useState<Record<string, Column[]>>({})
  const asked = useRef(new Set<string>())
  useEffect(() => {
    asked.current = new Set()
    setColumns({})
  }, [project])

  const tables = list.data
  const need = useCallback(
    (names: Iterable<string>) => {
      const [wanted, of] = [new Set(names), asked.current]
      for (const table of tables ?? []) {
        if (!wanted.has(table.name) || of.has(table.name)) continue
        of.add(table.name)
        columnsOf(project!, table).then((found) => {
          // Another project may have been chosen meanwhile.
          if (of === asked.current) setColumns((known) => ({ ...known, [table.name]: found }))
        })
      }
    },
    [tables, project],
  )
  const completion = useMemo(
    () => Object.fromEntries((tables ?? []).map(({ name }) => [name, (columns[name] ?? []).map((column) => identifier(column.name))])),
    [tables, columns],
  )
  return { list, columns, need, completion }
}

/** Ask for the columns of the tables that a text of SQL names, so that they can be completed. */
export function useMentioned(tables: Tables, sql: string): void {
  const { need } = tables
  useEffect(() => need(sql.toLowerCase().match(/\w+/g) ?? []), [need, sql])
}

async function tablesOf(slug: string): Promise<Table[]> {
  const of = (cursor?: string) => ({ params: { path: { slug }, query: { cursor, limit: 200 } } })
  const [assignments, models, algorithms] = await Promise.all([
    all((cursor) => ok(api.GET('/v1/projects/{slug}/datasources', of(cursor)))),
    all((cursor) => ok(api.GET('/v1/projects/{slug}/models', of(cursor)))),
    all((cursor) => ok(api.GET('/v1/projects/{slug}/algorithms', of(cursor)))),
  ])
  return [
    { name: 'merged', kind: 'merge', source: slug },
    ...assignments.map(({ alias, datasource }): Table => ({ name: alias ?? defaultAlias(datasource), kind: 'datasource', source: datasource })),
    ...models.map(({ name, test_results }): Table => ({ name, kind: 'model', source: slug, uncomputed: !test_results })),
    ...algorithms
      .filter((algorithm) => algorithm.on_refresh)
      .map(({ name }): Table => ({ name, kind: 'algorithm', source: slug })),
  ]
}

async function columnsOf(project: string, table: Table): Promise<Column[]> {
  try {
    if (table.uncomputed) return []
    if (table.kind === 'merge') {
      const query = { params: { path: { slug: project }, query: { limit: 1 } } }
      return (await ok(api.GET('/v1/projects/{slug}/versions', query))).items[0]?.schema ?? []
    }
    if (table.kind === 'datasource') {
      const query = { params: { path: { slug: table.source }, query: { limit: 1 } } }
      return (await ok(api.GET('/v1/datasources/{slug}/versions', query))).items[0]?.schema ?? []
    }
    const sql = `SELECT * FROM ${identifier(table.name)} LIMIT 0`
    const answer = await ok(api.POST('/v1/projects/{slug}/query', { params: { path: { slug: project } }, body: { sql } }))
    return 'columns' in answer ? answer.columns : []
  } catch (error) {
    if (error instanceof ApiError) return []
    throw error
  }
}

function defaultAlias(slug: string): string {
  const name = slug.replaceAll('-', '_')
  return /^\d/.test(name) || RESERVED.has(name) ? `t_${name}` : name
}

/** Words that SQL reads as something else, as far as columns are called so. */
const RESERVED = new Set(
  (
    'all analyse analyze and any array as asc between both case cast check collate column constraint create default ' +
    'desc distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral ' +
    'leading limit not null offset on only or order placing primary references returning select some symmetric table then ' +
    'to trailing true union unique using variadic when where window with user'
  ).split(' '),
)

/** A name as SQL takes it, in quotes where it needs them. */
export function identifier(name: string): string {
  if (/^[a-z_]\w*$/i.test(name) && !RESERVED.has(name.toLowerCase())) return name
  return `"${name.replaceAll('"', '""')}"`
}
