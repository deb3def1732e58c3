/** Runs in words. */
import type { Schemas } from '../../api/client'
import { Link, path } from '../../router'
import { formatNumber } from '../../ui/values'

export type Run = Schemas['RunView']

export function isActive(run: Run): boolean {
  return run.status === 'pending' || run.status === 'running'
}

/** What a run is about: `ingest of coinmarketcap`. */
export function runTitle(run: Run): string {
  const owner = run.kind === 'ingest' || run.kind === 'erase' ? run.datasource : (run.algorithm ?? run.part ?? run.project)
  return `${run.kind[0]!.toUpperCase()}${run.kind.slice(1)} of ${owner ?? 'a removed resource'}`
}

/** The datasource or project that a run belongs to, as a link. */
export function Owner({ run }: { run: Run }) {
  if (run.project) return <Link to={path`/projects/${run.project}`}>{run.project}</Link>
  if (run.datasource) return <Link to={path`/datasources/${run.datasource}`}>{run.datasource}</Link>
  return <span class="muted">–</span>
}

/** Where the rows of a run's version are shown; null if it has none. */
export function dataPlace(run: Run): string | null {
  if (run.version === null || run.dry_run) return null
  if (run.kind === 'ingest' && run.datasource) return path`/datasources/${run.datasource}/data`
  if (run.kind === 'refresh' && run.project) return path`/projects/${run.project}/data`
  return null
}

/** What a run has done, or is doing, as a sentence. */
export function runSummary(run: Run): string {
  const rows = run.rows === null ? 'what it made' : run.rows === 1 ? '1 row' : `${formatNumber(run.rows)} rows`
  const result = run.version === null ? '' : ` as version ${run.version}`
  switch (run.status) {
    case 'pending':
      return 'It waits for its turn.'
    case 'running':
      return run.progress?.text ?? `It works on the stage ${run.progress?.stage.replaceAll('_', ' ') ?? 'that begins'}.`
    case 'cancelled':
      return 'It was cancelled. What it had stored by then stays, and a redrive continues from there.'
    case 'failed':
      return 'It failed and has published nothing. The version before stays.'
    default:
      return doneText(run, rows, result)
  }
}

function doneText(run: Run, rows: string, result: string): string {
  const lacking = run.status === 'partial' ? ' Something is missing.' : ''
  const requests = run.requests > 0 ? ` with ${formatNumber(run.requests)} ${run.requests === 1 ? 'request' : 'requests'}` : ''
  if (run.dry_run) return `It was a trial: it would publish ${rows}.`
  if (run.kind === 'ingest') return `It received ${rows}${requests}, and stored them${result}.${lacking}`
  if (run.kind === 'refresh') return `${run.summary ? `${run.summary}. ` : ''}It merged ${rows}${result}.${lacking}`
  if (run.kind === 'erase') return 'It has erased the record and what was made of it.'
  return `It has ended well.${lacking}`
}

const TRIGGERS: Record<Run['trigger'], string> = {
  api: 'a request',
  schedule: 'the schedule',
  drop: 'a dropped file',
  push: 'pushed records',
  stream: 'the stream',
  change: 'changed data',
  refresh: 'a refresh',
  redrive: 'a redrive',
  read: 'a reader of old data',
}

/** What started a run. */
export function triggerText(run: Run): string {
  return TRIGGERS[run.trigger]
}
