/** Requests of several pages. Their types are inferred: those of the generated client differ from the schemas' by name. */
import { api, ok, type Schemas } from '../../api/client'

/** One stored datasource. */
export function loadDatasource(slug: string) {
  return ok(api.GET('/v1/datasources/{slug}', { params: { path: { slug } } }))
}

/** One page of all datasources. */
export function listDatasources(cursor?: string) {
  return ok(api.GET('/v1/datasources', { params: { query: { cursor, limit: 200 } } }))
}

/** Start a run: fetch, or read the raw pages of a version again. */
export function startRun(slug: string, replay: number | null = null) {
  return ok(api.POST('/v1/datasources/{slug}/runs', { params: { path: { slug } }, body: { replay } }))
}

/** What the API finds out about an address. */
export function detect(url: string, auth: Schemas['DetectRequest']['auth']) {
  return ok(api.POST('/v1/datasources/detect', { body: { url, auth } }))
}

export type Datasource = Awaited<ReturnType<typeof loadDatasource>>
export type Detection = Awaited<ReturnType<typeof detect>>

/** A document that was typed as YAML: whether it fits is for the API to say. */
export function unchecked(document: Record<string, unknown>): never {
  return document as never
}
