/** The documents of datasources: what the API adds to them, what needs no mention, and a beginning for each kind. */
import { isNested } from '../../api/json'
import type { Datasource, Detection } from './requests'

export type Kind = Datasource['kind']
type Json = Record<string, unknown>

export const KINDS: { kind: Kind; name: string; about: string }[] = [
  { kind: 'http', name: 'HTTP API', about: 'Requests an API page by page: JSON, CSV, XML, Excel or Parquet.' },
  { kind: 'file', name: 'Files', about: 'Each file that is dropped or uploaded is read by a run.' },
  { kind: 'push', name: 'Pushed records', about: 'Programs post records as they have them.' },
  { kind: 'sql', name: 'SQL database', about: 'Queries PostgreSQL, MySQL, MariaDB or a SQLite file.' },
  { kind: 'mongo', name: 'MongoDB', about: 'Reads a collection of a MongoDB database.' },
  { kind: 'stream', name: 'Readings of sensors', about: 'Takes what sensors have sent, as it is or rolled up.' },
]

/** A document of each kind to begin with. */
export const TEMPLATES: Record<Kind, Json> = {
  http: { name: 'New API', kind: 'http', http: { url: 'https://' }, records: '@' },
  file: { name: 'New files', kind: 'file', format: 'csv' },
  push: { name: 'New records', kind: 'push', primary_key: ['id'] },
  sql: {
    name: 'New query',
    kind: 'sql',
    sql: { engine: 'postgresql', host: 'db.example.com', database: 'shop', query: 'SELECT 1 AS id' },
    primary_key: ['id'],
  },
  mongo: {
    name: 'New collection',
    kind: 'mongo',
    mongo: { uri: 'shop-mongo', database: 'shop', collection: 'products' },
    primary_key: ['_id'],
  },
  stream: { name: 'New readings', kind: 'stream', stream: { resolution: '1h', days: 7 } },
}

const ADDED = ['etag', 'created_at', 'updated_at', 'created_by']
const DEFAULTS: Record<string, unknown> = {
  '/enabled': true,
  '/records': '@',
  '/allow_missing': false,
  '/schema_contract': 'evolve',
  '/schedule/timezone': 'UTC',
  '/http/method': 'GET',
  '/http/timeout_seconds': 60,
  '/http/concurrency': 4,
  '/http/pagination/verify': 'on_evidence',
  '/sql/tls': true,
  '/sql/verify_certificate': true,
  '/sql/fetch_rows': 10000,
  '/sql/statement_timeout_seconds': 600,
  '/mongo/page_documents': 10000,
  '/mongo/max_time_seconds': 600,
}
const NONE = ['/http/auth', '/http/pagination']
const FIRST = ['name', 'slug', 'description', 'kind', 'enabled', 'http', 'sql', 'mongo', 'stream', 'format']

/** A datasource as somebody would write it: without what the API adds, and without fields that have their defaults. */
export function written(datasource: Datasource | Detection['document'], { slug = false } = {}): Json {
  const document = { ...datasource } as Json
  for (const name of ADDED) delete document[name]
  if (!slug) delete document.slug
  if (document.write_disposition === usualDisposition(document)) delete document.write_disposition
  const tidy = withoutDefaults(document, '') as Json
  const names = [...FIRST.filter((name) => name in tidy), ...Object.keys(tidy).filter((name) => !FIRST.includes(name))]
  return Object.fromEntries(names.map((name) => [name, tidy[name]]))
}

function usualDisposition(document: Json): string {
  if (document.kind === 'push') return document.primary_key ? 'upsert' : 'append'
  return document.kind === 'stream' ? 'upsert' : 'replace'
}

// Below these, names are the user's own, and an empty or null value means something.
const FREE = ['/fields', '/types', '/http/headers', '/http/params', '/http/body', '/sql/parameters', '/mongo/filter', '/mongo/projection']

function withoutDefaults(value: unknown, pointer: string): unknown {
  if (!isNested(value) || Array.isArray(value) || FREE.includes(pointer)) return value
  const entries = Object.entries(value)
    .map(([name, part]): [string, unknown] => [name, withoutDefaults(part, `${pointer}/${name}`)])
    .filter(([name, part]) => !isDefault(part, `${pointer}/${name}`))
  return Object.fromEntries(entries)
}

function isDefault(value: unknown, pointer: string): boolean {
  if (value === null || value === DEFAULTS[pointer]) return true
  if (!isNested(value)) return false
  if (NONE.includes(pointer) && (value as Json).type === 'none' && Object.keys(value).length === 1) return true
  return !Array.isArray(value) && Object.keys(value).length === 0
}
