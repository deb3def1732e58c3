/** What the form of each kind of datasource asks for. Everything else of a document is edited as YAML. */
import type { Path } from './document'

export interface FormField {
  label: string
  path: Path
  help?: string
  /** How the text of the control becomes a value. */
  as?: 'text' | 'number' | 'list' | 'flag' | 'long'
  options?: string[]
  required?: boolean
}

export interface FormGroup {
  title: string
  fields: FormField[]
}

const NAMES: FormGroup = {
  title: 'Name',
  fields: [
    { label: 'Name', path: ['name'], required: true },
    { label: 'Description', path: ['description'] },
  ],
}
const RECORDS: FormGroup = {
  title: 'Records',
  fields: [
    { label: 'Records', path: ['records'], help: 'Where the records are in a page, as a JMESPath expression; @ for the whole page.' },
    { label: 'Primary key', path: ['primary_key'], as: 'list', help: 'Columns that identify a record, separated by commas.' },
    {
      label: 'Write disposition',
      path: ['write_disposition'],
      options: ['', 'replace', 'append', 'upsert'],
      help: 'What a run does with the rows of earlier ones; empty: as the kind does by default.',
    },
  ],
}
const SCHEDULE: FormGroup = {
  title: 'When',
  fields: [
    { label: 'Schedule', path: ['schedule', 'expression'], help: 'Such as rate(1 hour) or cron(0 6 * * ? *); empty: on request only.' },
    { label: 'Fresh for seconds', path: ['max_age_seconds'], as: 'number', help: 'A younger version is used instead of fetching again.' },
  ],
}
const FORMAT: FormGroup = {
  title: 'Format',
  fields: [
    {
      label: 'Format',
      path: ['format'],
      options: ['', 'json', 'jsonl', 'csv', 'parquet', 'xml', 'xlsx'],
      help: 'Empty: found out from the name and the content.',
    },
  ],
}
const HTTP: FormGroup = {
  title: 'Request',
  fields: [
    { label: 'URL', path: ['http', 'url'], required: true },
    { label: 'Method', path: ['http', 'method'], options: ['GET', 'POST', 'PUT', 'DELETE'] },
    { label: 'Credentials', path: ['http', 'auth', 'type'], options: ['none', 'bearer', 'basic', 'api_key'] },
    { label: 'Name of the secret', path: ['http', 'auth', 'secret'], help: 'For bearer tokens and API keys; the value is kept under Administration.' },
    {
      label: 'Pagination',
      path: ['http', 'pagination', 'type'],
      options: ['none', 'page', 'offset', 'cursor', 'next_url', 'link_header'],
      help: 'Its parameters are in the YAML; Detect finds most of them.',
    },
    { label: 'Timeout in seconds', path: ['http', 'timeout_seconds'], as: 'number' },
  ],
}
const SQL: FormGroup = {
  title: 'Database',
  fields: [
    { label: 'Engine', path: ['sql', 'engine'], options: ['postgresql', 'mysql', 'sqlite'] },
    { label: 'Host', path: ['sql', 'host'] },
    { label: 'Port', path: ['sql', 'port'], as: 'number' },
    { label: 'Database', path: ['sql', 'database'] },
    { label: 'Secret with the user', path: ['sql', 'user'] },
    { label: 'Secret with the password', path: ['sql', 'password'] },
    { label: 'Query', path: ['sql', 'query'], as: 'long', required: true },
  ],
}
const MONGO: FormGroup = {
  title: 'Database',
  fields: [
    { label: 'Secret with the URI', path: ['mongo', 'uri'], required: true },
    { label: 'Database', path: ['mongo', 'database'], required: true },
    { label: 'Collection', path: ['mongo', 'collection'], required: true },
  ],
}
const STREAM: FormGroup = {
  title: 'Readings',
  fields: [
    { label: 'Resolution', path: ['stream', 'resolution'], options: ['raw', '1m', '1h', '1d'] },
    { label: 'Days', path: ['stream', 'days'], as: 'number' },
    { label: 'Metrics', path: ['stream', 'metrics'], as: 'list' },
  ],
}

/** Each kind, with what it is for, the groups of its form, and a document to begin with. */
export const KINDS: Record<string, { text: string; groups: FormGroup[]; template: string }> = {
  http: {
    text: 'an HTTP API, fetched page by page',
    groups: [NAMES, HTTP, RECORDS, SCHEDULE],
    template: 'name: My API\nkind: http\nhttp:\n  url: https://api.example.com/v1/items\nrecords: "@"\n',
  },
  file: {
    text: 'files that are dropped or uploaded',
    groups: [NAMES, FORMAT, RECORDS],
    template: 'name: My files\nkind: file\n',
  },
  push: {
    text: 'records that programs send',
    groups: [NAMES, RECORDS],
    template: 'name: My records\nkind: push\nprimary_key: [id]\n',
  },
  sql: {
    text: 'a query to PostgreSQL, MySQL or SQLite',
    groups: [NAMES, SQL, RECORDS, SCHEDULE],
    template:
      'name: My query\nkind: sql\nsql:\n  engine: postgresql\n  host: db.example.com\n  database: shop\n  user: shop-user\n  password: shop-password\n  query: SELECT id, name FROM customers\nprimary_key: [id]\n',
  },
  mongo: {
    text: 'a collection of MongoDB',
    groups: [NAMES, MONGO, RECORDS, SCHEDULE],
    template: 'name: My collection\nkind: mongo\nmongo:\n  uri: shop-mongo\n  database: shop\n  collection: products\nprimary_key: [_id]\n',
  },
  stream: {
    text: 'readings of sensors that have already arrived',
    groups: [NAMES, STREAM, SCHEDULE],
    template: 'name: My readings\nkind: stream\nstream:\n  resolution: 1h\n  days: 30\n',
  },
}
