/** The parts of a project as nodes of its lineage, each with its state in words and the time of what it shows. */
import type { Schemas } from '../../../api/client'
import { path } from '../../../router'
import type { Tone } from '../../../ui/parts'
import type { Datasource, Facts as Parts, Source } from './facts'
import type { GraphNode } from './layout'
import { tablesOf } from './sql'

export interface LineageNode extends GraphNode {
  /** What it is, such as `model`. */
  kind: string
  name: string
  to: string
  /** Which part of the page it is. */
  query?: Record<string, string>
  state: string
  tone: Tone
  /** When it got its present state; null if it has none. */
  at: string | null
}

type Run = Schemas['RunView']
/** The published version besides; null before the first one. */
type Facts = Parts & { version: Schemas['VersionView'] | null }
const MERGED = 'merged'

/**
 * @param refresh the last refresh: while it is active, it knows better than the datasources' own last runs.
 */
export function nodesOf(slug: string, facts: Facts, refresh: Run | undefined): LineageNode[] {
  const tables = tablesById(facts)
  const readers = (id: string, sql: string[]) => {
    const read = new Set(sql.flatMap((query) => [...tablesOf(query)]).flatMap((name) => tables(name) ?? []))
    read.delete(id)
    return [...read]
  }
  return [
    ...upstreams(facts.sources),
    ...facts.sources.map((source) => sourceNode(source, refresh)),
    mergeNode(slug, facts, refresh),
    ...facts.models.map((model) => modelNode(slug, model, facts, readers)),
    ...facts.algorithms.flatMap(({ settings, run }) => algorithmNodes(slug, settings, run, tables)),
    ...facts.reports.map((report) => ({
      id: `report ${report.name}`,
      kind: 'report',
      name: report.title,
      to: path`/projects/${slug}/reports/${report.name}`,
      parents: readers('', report.sections.flatMap((section) => ('sql' in section ? [section.sql] : []))),
      last: true,
      ...publishedState(facts, 'made'),
    })),
    ...facts.endpoints.map((endpoint) => ({
      id: `endpoint ${endpoint.name}`,
      kind: endpoint.public ? 'public endpoint' : 'endpoint',
      name: endpoint.name,
      to: path`/projects/${slug}/endpoints`,
      query: { endpoint: endpoint.name },
      parents: readers('', [endpoint.sql]),
      last: true,
      ...publishedState(facts, 'served'),
    })),
  ]
}

/** The node behind each table's name in SQL. */
function tablesById(facts: Facts): (name: string) => string | undefined {
  const ids = new Map([[MERGED, MERGED]])
  for (const { assignment } of facts.sources) ids.set(tableName(assignment), `datasource ${assignment.datasource}`)
  for (const model of facts.models) ids.set(model.name.toLowerCase(), `model ${model.name}`)
  const algorithms = facts.algorithms.map(({ settings }) => settings.name)
  return (name) => {
    const algorithm = algorithms.find((one) => name === one.replaceAll('-', '_') || name.startsWith(`${one.replaceAll('-', '_')}_`))
    return ids.get(name) ?? (algorithm && `algorithm ${algorithm}`)
  }
}

/** The name of a datasource's table in SQL. */
export function tableName(assignment: { alias: string | null; datasource: string }): string {
  if (assignment.alias) return assignment.alias
  const name = assignment.datasource.replaceAll('-', '_')
  return /^[a-z_]/.test(name) ? name : `t_${name}`
}

/** What the datasources fetch from: several of one host have one node. */
function upstreams(sources: Source[]): LineageNode[] {
  const bySystem = new Map<string, Source[]>()
  for (const source of sources) {
    const system = systemOf(source.datasource)
    if (system) bySystem.set(system, [...(bySystem.get(system) ?? []), source])
  }
  return [...bySystem].map(([system, its]) => {
    const runs = its.flatMap(({ run }) => run ?? []).toSorted((a, b) => b.created_at.localeCompare(a.created_at))
    const last = runs[0]
    const failed = last?.status === 'failed'
    const pulled = its.some(({ datasource }) => ['http', 'sql', 'mongo'].includes(datasource!.kind))
    const answer = pulled ? 'answered' : 'received'
    return {
      id: `upstream ${system}`,
      kind: 'upstream',
      name: system,
      to: path`/datasources/${its[0]!.assignment.datasource}`,
      parents: [],
      state: !last ? 'not asked yet' : failed ? 'last fetch failed' : answer,
      tone: !last ? 'plain' : failed ? 'bad' : 'good',
      at: last?.finished_at ?? null,
    }
  })
}

/** The host or service that a datasource gets its data from; null if it is unknown. */
function systemOf(datasource: Datasource | null): string | null {
  if (!datasource) return null
  switch (datasource.kind) {
    case 'http':
      return URL.canParse(datasource.http.url) ? new URL(datasource.http.url).host : datasource.http.url
    case 'sql':
      return datasource.sql.host ?? 'SQLite file'
    case 'mongo':
      return 'MongoDB'
    case 'file':
      return 'uploaded files'
    case 'push':
      return 'posted records'
    default:
      return `${datasource.kind} records`
  }
}

function sourceNode(source: Source, refresh: Run | undefined): LineageNode {
  const { assignment, datasource, run } = source
  const system = systemOf(datasource)
  return {
    id: `datasource ${assignment.datasource}`,
    kind: assignment.optional ? 'optional source' : 'datasource',
    name: datasource?.name ?? assignment.datasource,
    to: path`/datasources/${assignment.datasource}`,
    parents: system ? [`upstream ${system}`] : [],
    at: run?.finished_at ?? run?.created_at ?? null,
    ...sourceState(source, refresh),
  }
}

function sourceState({ assignment, datasource, run }: Source, refresh: Run | undefined): { state: string; tone: Tone } {
  const use = refresh?.sources.find((one) => one.datasource === assignment.datasource)
  if (isUnderWay(refresh) && use?.outcome === 'pending') return { state: 'being fetched', tone: 'busy' }
  if (datasource?.enabled === false) return { state: 'disabled', tone: 'plain' }
  if (!run) return { state: 'never fetched', tone: 'plain' }
  const version = run.version === null ? '' : `, version ${run.version}`
  if (run.status === 'failed') return { state: 'failed', tone: 'bad' }
  if (run.status === 'succeeded') {
    const whole = run.completeness === 'complete' || run.completeness === null
    return { state: `${run.completeness ?? 'succeeded'}${version}`, tone: whole ? 'good' : 'warn' }
  }
  if (isUnderWay(run)) return { state: run.progress?.stage ?? run.status, tone: 'busy' }
  return { state: `${run.status}${version}`, tone: 'warn' }
}

function isUnderWay(run: Run | undefined): boolean {
  return run?.status === 'running' || run?.status === 'pending'
}

function mergeNode(slug: string, { sources, version }: Facts, refresh: Run | undefined): LineageNode {
  const node = {
    id: MERGED,
    kind: 'merge',
    name: MERGED,
    to: path`/projects/${slug}/merge`,
    parents: sources.map(({ assignment }) => `datasource ${assignment.datasource}`),
    at: version?.data_as_of ?? null,
  }
  if (isUnderWay(refresh)) return { ...node, state: `refresh: ${refresh!.progress?.stage ?? refresh!.status}`, tone: 'busy' }
  if (!version) return { ...node, state: 'no version yet', tone: refresh?.status === 'failed' ? 'bad' : 'plain' }
  const tone = version.completeness === 'complete' ? 'good' : 'warn'
  return { ...node, state: `${version.completeness}, version ${version.number}`, tone }
}

function modelNode(
  slug: string,
  model: Schemas['ModelView'],
  facts: Facts,
  readers: (id: string, sql: string[]) => string[],
): LineageNode {
  const id = `model ${model.name}`
  const results = model.test_results?.results ?? []
  const failed = results.filter((result) => result.status === 'failed')
  let state = model.materialize ? 'stored, no tests' : 'view, no tests'
  let tone: Tone = 'plain'
  if (failed.length > 0) {
    state = `${failed.length} of ${results.length} tests failed`
    tone = failed.some((result) => result.severity === 'error') ? 'bad' : 'warn'
  } else if (results.length > 0) {
    state = results.length === 1 ? '1 test passed' : `${results.length} tests passed`
    tone = 'good'
  } else if ((model.tests ?? []).length > 0) state = 'not tested yet'
  return {
    id,
    kind: 'model',
    name: model.name,
    to: path`/projects/${slug}/models`,
    query: { model: model.name },
    parents: readers(id, [model.sql]),
    state,
    tone,
    at: model.test_results?.checked_at ?? facts.version?.created_at ?? null,
  }
}

const RUN_TONES: Partial<Record<string, Tone>> = { succeeded: 'good', failed: 'bad', running: 'busy', pending: 'busy' }

function algorithmNodes(
  slug: string,
  settings: Schemas['ProjectAlgorithmView'],
  run: Run | null,
  tables: (name: string) => string | undefined,
): LineageNode[] {
  const inputs: LineageNode[] = []
  const parents: string[] = []
  for (const reference of Object.values(settings.inputs ?? {})) {
    if (!reference || reference.startsWith('run:')) continue
    const [name = '', version] = reference.replace(/^(dataset|model):/, '').split('@')
    if (reference.includes(':')) {
      const table = tables(name.toLowerCase())
      if (table) parents.push(table)
    } else {
      parents.push(`input ${name}`)
      const state = version ? `version ${version}` : 'the latest version'
      inputs.push({ id: `input ${name}`, kind: 'input', name, to: path`/inputs/${name}`, parents: [], state, tone: 'plain', at: null })
    }
  }
  const node: LineageNode = {
    id: `algorithm ${settings.name}`,
    kind: 'algorithm',
    name: settings.name,
    to: path`/projects/${slug}/algorithms/${settings.name}`,
    parents,
    state: run?.status ?? 'not run yet',
    tone: RUN_TONES[run?.status ?? ''] ?? 'plain',
    at: run?.finished_at ?? null,
  }
  return [...inputs, node]
}

function publishedState({ version }: Facts, verb: string): { state: string; tone: Tone; at: string | null } {
  if (!version) return { state: 'waits for a version', tone: 'plain', at: null }
  const tone = version.completeness === 'complete' ? 'good' : 'warn'
  return { state: `${verb} from version ${version.number}`, tone, at: version.created_at }
}
