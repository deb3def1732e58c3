/** The tables that the data grid can show: a project's merge, one of its models, and a datasource. */
import { api, jsonOf, ok, send, type Schemas } from '../../api/client'
import { path } from '../../router'
import { searchText, type Parameters } from './query'

export interface TableSource {
  kind: 'project' | 'datasource' | 'model'
  slug: string
  /** The name of the model, of one. */
  model?: string
  /** The name for files: `top-coins`, or `top-coins-report` of a model. */
  name: string
  /** Its address in the API, below which is `/data`. */
  path: string
  page: (parameters: Parameters) => Promise<Schemas['DataPage']>
  /** A version with its columns; undefined for models, whose versions the API does not list. */
  version: (number: number) => Promise<Schemas['VersionDetail'] | undefined>
  /** The newest versions; null for models. */
  versions: (() => Promise<Schemas['VersionView'][]>) | null
}

function source(kind: TableSource['kind'], slug: string, name: string, below: string): Omit<TableSource, 'version' | 'versions'> {
  return {
    kind,
    slug,
    name,
    path: below,
    page: async (parameters) => jsonOf(await send(`${below}/data?${searchText(parameters)}`)),
  }
}

export function projectSource(slug: string): TableSource {
  return {
    ...source('project', slug, slug, path`/v1/projects/${slug}`),
    version: (number) => ok(api.GET('/v1/projects/{slug}/versions/{number}', { params: { path: { slug, number: String(number) } } })),
    versions: async () =>
      (await ok(api.GET('/v1/projects/{slug}/versions', { params: { path: { slug }, query: { limit: 100 } } }))).items,
  }
}

export function datasourceSource(slug: string): TableSource {
  return {
    ...source('datasource', slug, slug, path`/v1/datasources/${slug}`),
    version: (number) => ok(api.GET('/v1/datasources/{slug}/versions/{number}', { params: { path: { slug, number: String(number) } } })),
    versions: async () =>
      (await ok(api.GET('/v1/datasources/{slug}/versions', { params: { path: { slug }, query: { limit: 100 } } }))).items,
  }
}

export function modelSource(slug: string, model: string): TableSource {
  return {
    ...source('model', slug, `${slug}-${model}`, path`/v1/projects/${slug}/models/${model}`),
    model,
    version: async () => undefined,
    versions: null,
  }
}
