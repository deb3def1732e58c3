/** The fields that the form has for each kind of datasource; all others are edited in YAML. */
import type { Kind } from '../kinds'
import { valueAt, type Path } from './document'

export type Options = (string | { value: string; text: string })[]

export interface FieldSpec {
  path: Path
  label: string
  /**
   * `names`: a list of words; `pairs`: a mapping from names to texts; `switch`: on unless it says false;
   * `variant`: the `type` of an object, whose other fields depend on it.
   */
  kind: 'text' | 'long' | 'code' | 'number' | 'select' | 'switch' | 'names' | 'pairs' | 'variant'
  options?: Options
  help?: string
  placeholder?: string
  required?: boolean
  /** Whether the field is shown for a document. */
  when?: (document: unknown) => boolean
}

export interface FieldGroup {
  name: string
  fields: FieldSpec[]
  /** Closed at first, as most documents need none of it. */
  rare?: boolean
}

const is =
  (path: Path, ...values: unknown[]) =>
  (document: unknown) =>
    values.includes(valueAt(document, path))

const AUTH: Path = ['http', 'auth', 'type']
const PAGES: Path = ['http', 'pagination', 'type']
const SECRET_HELP = 'The name of a secret, not its value.'

const HTTP: FieldSpec[] = [
  { path: ['http', 'url'], label: 'URL', kind: 'text', required: true, help: 'The address of the first page.' },
  { path: ['http', 'method'], label: 'Method', kind: 'select', options: [{ value: '', text: 'GET' }, 'POST', 'PUT', 'DELETE'] },
  { path: ['http', 'params'], label: 'Query parameters', kind: 'pairs' },
  { path: ['http', 'headers'], label: 'Headers', kind: 'pairs', help: 'Credentials belong below.' },
  {
    path: AUTH,
    label: 'Credentials',
    kind: 'variant',
    options: [
      { value: '', text: 'none' },
      { value: 'bearer', text: 'bearer token' },
      { value: 'api_key', text: 'API key in a header or parameter' },
      { value: 'basic', text: 'user name and password' },
    ],
  },
  { path: ['http', 'auth', 'username'], label: 'User name', kind: 'text', when: is(AUTH, 'basic'), required: true },
  { path: ['http', 'auth', 'in'], label: 'Sent in', kind: 'select', options: [{ value: '', text: 'choose' }, 'header', 'query'], when: is(AUTH, 'api_key') },
  { path: ['http', 'auth', 'name'], label: 'Its name', kind: 'text', when: is(AUTH, 'api_key'), placeholder: 'X-API-Key' },
  { path: ['http', 'auth', 'secret'], label: 'Secret', kind: 'text', when: is(AUTH, 'bearer', 'api_key', 'basic'), help: SECRET_HELP },
  {
    path: PAGES,
    label: 'Pages',
    kind: 'variant',
    options: [
      { value: '', text: 'one page only' },
      { value: 'page', text: 'numbered pages' },
      { value: 'offset', text: 'offset and limit' },
      { value: 'cursor', text: 'cursor for the next page' },
      { value: 'next_url', text: 'address of the next page' },
    ],
  },
  { path: ['http', 'pagination', 'page_param'], label: 'Parameter of the page number', kind: 'text', when: is(PAGES, 'page'), placeholder: 'page' },
  { path: ['http', 'pagination', 'size_param'], label: 'Parameter of the page size', kind: 'text', when: is(PAGES, 'page') },
  { path: ['http', 'pagination', 'size'], label: 'Records of a full page', kind: 'number', when: is(PAGES, 'page') },
  { path: ['http', 'pagination', 'total_pages'], label: 'Where the number of pages is', kind: 'text', when: is(PAGES, 'page'), help: 'JMESPath.' },
  { path: ['http', 'pagination', 'offset_param'], label: 'Parameter of the offset', kind: 'text', when: is(PAGES, 'offset'), placeholder: 'offset' },
  { path: ['http', 'pagination', 'limit_param'], label: 'Parameter of the limit', kind: 'text', when: is(PAGES, 'offset'), placeholder: 'limit' },
  { path: ['http', 'pagination', 'limit'], label: 'Limit', kind: 'number', when: is(PAGES, 'offset') },
  { path: ['http', 'pagination', 'start'], label: 'Starts at', kind: 'number', when: is(PAGES, 'page', 'offset') },
  { path: ['http', 'pagination', 'total'], label: 'Where the total is', kind: 'text', when: is(PAGES, 'offset'), help: 'JMESPath.' },
  { path: ['http', 'pagination', 'path'], label: 'Where it is in the page', kind: 'text', when: is(PAGES, 'cursor', 'next_url'), help: 'JMESPath.' },
  { path: ['http', 'pagination', 'from'], label: 'Or in the header', kind: 'select', options: [{ value: '', text: 'no header' }, { value: 'link', text: 'Link' }], when: is(PAGES, 'next_url') },
  { path: ['http', 'pagination', 'param'], label: 'Parameter of the cursor', kind: 'text', when: is(PAGES, 'cursor') },
  {
    path: ['http', 'pagination', 'max_pages'],
    label: 'Pages at most',
    kind: 'number',
    when: is(PAGES, 'page', 'offset', 'cursor', 'next_url'),
  },
]

const SERVER = is(['sql', 'engine'], 'postgresql', 'mysql')
const SQL: FieldSpec[] = [
  { path: ['sql', 'engine'], label: 'Database', kind: 'select', options: ['postgresql', 'mysql', 'sqlite'] },
  { path: ['sql', 'host'], label: 'Host', kind: 'text', when: SERVER },
  { path: ['sql', 'port'], label: 'Port', kind: 'number', when: SERVER },
  { path: ['sql', 'database'], label: 'Name of the database', kind: 'text', when: SERVER },
  { path: ['sql', 'user'], label: 'Secret with the user’s name', kind: 'text', when: SERVER, help: SECRET_HELP },
  { path: ['sql', 'password'], label: 'Secret with the password', kind: 'text', when: SERVER, help: SECRET_HELP },
  { path: ['sql', 'key'], label: 'File in the inbox', kind: 'text', when: is(['sql', 'engine'], 'sqlite'), placeholder: 'orders/orders.db' },
  { path: ['sql', 'query'], label: 'Query', kind: 'code', required: true, help: 'One SELECT; parameters are written $name.' },
  { path: ['sql', 'parameters'], label: 'Parameters', kind: 'pairs' },
]

const MONGO: FieldSpec[] = [
  { path: ['mongo', 'uri'], label: 'Secret with the URI', kind: 'text', required: true, help: SECRET_HELP },
  { path: ['mongo', 'database'], label: 'Database', kind: 'text', required: true },
  { path: ['mongo', 'collection'], label: 'Collection', kind: 'text', required: true, help: 'The filter and projection are edited in YAML.' },
]

const STREAM: FieldSpec[] = [
  {
    path: ['stream', 'resolution'],
    label: 'A record for each',
    kind: 'select',
    options: [
      { value: 'raw', text: 'reading' },
      { value: '1m', text: 'minute' },
      { value: '1h', text: 'hour' },
      { value: '1d', text: 'day' },
    ],
  },
  { path: ['stream', 'days'], label: 'Days before today', kind: 'number' },
  { path: ['stream', 'sites'], label: 'Only at these sites', kind: 'names' },
  { path: ['stream', 'equipment'], label: 'Only of this equipment', kind: 'names' },
  { path: ['stream', 'metrics'], label: 'Only these metrics', kind: 'names' },
  { path: ['stream', 'sensors'], label: 'Only these sensors', kind: 'names' },
]

const FORMATS: Options = [{ value: '', text: 'found out' }, 'json', 'jsonl', 'csv', 'parquet', 'xml', 'xlsx']
const FORMAT: FieldSpec[] = [
  { path: ['format'], label: 'Format', kind: 'select', options: FORMATS },
  { path: ['csv', 'delimiter'], label: 'Delimiter', kind: 'text', when: is(['format'], 'csv'), placeholder: 'found out' },
  { path: ['csv', 'decimal'], label: 'Decimal mark', kind: 'select', options: [{ value: '', text: 'found out' }, '.', ','], when: is(['format'], 'csv') },
  { path: ['csv', 'encoding'], label: 'Encoding', kind: 'text', when: is(['format'], 'csv'), placeholder: 'found out' },
  { path: ['csv', 'date_format'], label: 'How dates are written', kind: 'text', when: is(['format'], 'csv'), placeholder: '%d.%m.%Y' },
  { path: ['xlsx', 'sheet'], label: 'Sheet', kind: 'text', when: is(['format'], 'xlsx'), placeholder: 'the first' },
  { path: ['xlsx', 'header_row'], label: 'Row of the column names', kind: 'number', when: is(['format'], 'xlsx') },
]

const KEY: FieldSpec = {
  path: ['primary_key'],
  label: 'Primary key',
  kind: 'names',
  help: 'The columns that identify a record, separated by commas.',
}
const COLUMNS: FieldSpec[] = [
  { path: ['fields'], label: 'Columns', kind: 'pairs', help: 'Name and JMESPath expression; none: every key of a record.' },
  { path: ['types'], label: 'Types', kind: 'pairs', help: 'Column and type, such as timestamp or decimal(18,4); the others are found out.' },
]
const RECORDS: FieldSpec = { path: ['records'], label: 'Where the records are', kind: 'text', placeholder: '@', help: 'JMESPath; @: the whole page.' }

const WRITE: FieldSpec = {
  path: ['write_disposition'],
  label: 'A run’s records',
  kind: 'select',
  options: [
    { value: '', text: 'as usual for the kind' },
    { value: 'replace', text: 'replace the earlier ones' },
    { value: 'append', text: 'are added' },
    { value: 'upsert', text: 'are added or replace those with the same key' },
  ],
}

const WHEN: FieldSpec[] = [
  { path: ['schedule', 'expression'], label: 'Schedule', kind: 'text', placeholder: 'rate(10 minutes)', help: 'rate(…) or cron(…); none: only on request.' },
  { path: ['schedule', 'timezone'], label: 'Time zone', kind: 'text', placeholder: 'UTC', when: (document) => valueAt(document, ['schedule', 'expression']) !== undefined },
  { path: ['max_age_seconds'], label: 'Fresh for seconds', kind: 'number', help: 'After it, a refresh of a project fetches again.' },
  { path: ['enabled'], label: 'Enabled', kind: 'switch' },
]

const KEEP: FieldSpec[] = [
  WRITE,
  { path: ['retention', 'raw_days'], label: 'Keep raw pages for days', kind: 'number' },
  { path: ['retention', 'versions'], label: 'Keep versions', kind: 'number' },
]

const SOURCES: Record<Kind, FieldGroup[]> = {
  http: [{ name: 'Requests', fields: HTTP }],
  file: [],
  push: [],
  sql: [{ name: 'Query', fields: SQL }],
  mongo: [{ name: 'Collection', fields: MONGO }],
  stream: [{ name: 'Readings', fields: STREAM }],
}

/** The groups of fields for a kind; only the name and the kind for an unknown one. */
export function groupsOf(kind: unknown, { created }: { created: boolean }): FieldGroup[] {
  const what: FieldSpec[] = [
    { path: ['name'], label: 'Name', kind: 'text', required: true },
    { path: ['description'], label: 'Description', kind: 'long' },
  ]
  if (!created) what.splice(1, 0, { path: ['slug'], label: 'Name in addresses', kind: 'text', placeholder: 'made of the name', help: 'It never changes.' })
  const about = { name: 'What it is', fields: what }
  if (typeof kind !== 'string' || !Object.hasOwn(SOURCES, kind)) return [about]
  const read = kind === 'http' || kind === 'file'
  const records = [...(read ? [...FORMAT, RECORDS] : []), KEY, ...COLUMNS]
  return [
    about,
    ...SOURCES[kind as Kind],
    ...(kind === 'stream' ? [] : [{ name: 'Records', fields: records }]),
    { name: 'When', fields: WHEN },
    { name: 'What is kept', fields: KEEP, rare: true },
  ]
}
