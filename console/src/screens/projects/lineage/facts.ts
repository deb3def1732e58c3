/** What the API knows of the parts of a project. */
import { all, api, ApiError, ok, type Schemas } from '../../../api/client'

export type Datasource = Schemas['DatasourceViewList']['items'][number]

export interface Source {
  assignment: Schemas['AssignmentView']
  /** Null if the caller may not read it. */
  datasource: Datasource | null
  /** Its last ingest run; null if there is none. */
  run: Schemas['RunView'] | null
}

export interface Facts {
  sources: Source[]
  models: Schemas['ModelView'][]
  algorithms: { settings: Schemas['ProjectAlgorithmView']; run: Schemas['RunView'] | null }[]
  reports: Schemas['ReportView'][]
  endpoints: Schemas['EndpointView'][]
}

export async function loadFacts(slug: string): Promise<Facts> {
  const path = { slug }
  const page = (cursor?: string) => ({ params: { path, query: { cursor, limit: 200 } } })
  const [assignments, models, algorithms, reports, endpoints] = await Promise.all([
    all((cursor) => ok(api.GET('/v1/projects/{slug}/datasources', page(cursor)))),
    all((cursor) => ok(api.GET('/v1/projects/{slug}/models', page(cursor)))),
    all((cursor) => ok(api.GET('/v1/projects/{slug}/algorithms', page(cursor)))),
    all((cursor) => ok(api.GET('/v1/projects/{slug}/reports', page(cursor)))),
    all((cursor) => ok(api.GET('/v1/projects/{slug}/endpoints', page(cursor)))),
  ])
  return {
    sources: await Promise.all(assignments.map(loadSource)),
    models,
    algorithms: await Promise.all(
      algorithms.map(async (settings) => ({ settings, run: await lastRun({ project: slug, algorithm: settings.name }) })),
    ),
    reports,
    endpoints,
  }
}

async function loadSource(assignment: Schemas['AssignmentView']): Promise<Source> {
  const { datasource: slug } = assignment
  const [datasource, run] = await Promise.all([
    unlessHidden(ok(api.GET('/v1/datasources/{slug}', { params: { path: { slug } } }))),
    lastRun({ datasource: slug, kind: 'ingest' }),
  ])
  return { assignment, datasource: datasource as Datasource | null, run }
}

async function lastRun(query: { project?: string; algorithm?: string; datasource?: string; kind?: string }) {
  const { items } = await ok(api.GET('/v1/runs', { params: { query: { ...query, limit: 1 } } }))
  return items[0] ?? null
}

async function unlessHidden<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return null
    throw error
  }
}
