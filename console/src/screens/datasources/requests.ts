/** Requests of several pages. Their types are inferred: those of the generated client differ from the schemas' by name. */
import { api, ok } from '../../api/client'

/** One stored datasource. */
export function loadDatasource(slug: string) {
  return ok(api.GET('/v1/datasources/{slug}', { params: { path: { slug } } }))
}

/** One page of all datasources. */
export function listDatasources(cursor?: string) {
  return ok(api.GET('/v1/datasources', { params: { query: { cursor, limit: 50 } } }))
}

/** What the API finds out about an address. */
export function detect(url: string) {
  return ok(api.POST('/v1/datasources/detect', { body: { url, auth: { type: 'none' } } }))
}

export type Datasource = Awaited<ReturnType<typeof loadDatasource>>
export type Detection = Awaited<ReturnType<typeof detect>>

/** A document that was typed as YAML: whether it fits is for the API to say. */
export function unchecked(document: Record<string, unknown>): never {
  return document as never
}
