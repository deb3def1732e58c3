/** The runs, newest first. New ones appear by themselves. */
import { useEffect, useState } from 'preact/hooks'
import { all, api, ok } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { Link, path, setParameters, usePlace } from '../../router'
import { CardTable, numeric, TableHead } from '../../ui/list'
import { Button, Empty, Page, Panel, ProblemNote, SelectField, State } from '../../ui/parts'
import { formatNumber, formatSeconds, secondsBetween, Time } from '../../ui/values'
import { isActive, Owner, runSummary, runTitle, triggerText, type Run } from './words'
import './runs.css'

const STATUSES = ['pending', 'running', 'succeeded', 'partial', 'failed', 'cancelled']
const KINDS = ['ingest', 'refresh', 'model', 'report', 'algorithm', 'manual', 'erase']
const FILTERS = ['status', 'kind', 'project', 'datasource', 'algorithm'] as const
const PAGE = 50
const ACTIVE_MS = 1500
const IDLE_MS = 5000

export default function Runs() {
  const { query } = usePlace()
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]).filter(([, value]) => value)) as Record<string, string>
  const isFiltered = Object.keys(filter).length > 0
  const runs = useRuns(filter)
  return (
    <Page title="Runs" actions={isFiltered && <Button onClick={() => setParameters(Object.fromEntries(FILTERS.map((name) => [name, null])))}>Show all runs</Button>}>
      <RunFilters filter={filter} />
      <ProblemNote error={runs.error} />
      <Panel flush>
        {!runs.items && <div class="loading" role="status">Loading …</div>}
        {runs.items?.length === 0 && (
          <Empty title={isFiltered ? 'No run fits the filter.' : 'Nothing has run yet.'}>
            {isFiltered ? 'Choose another status or kind to see more.' : (
              <>
                Run a <Link to="/datasources">datasource</Link> or a <Link to="/projects">project</Link>: it appears here at once.
              </>
            )}
          </Empty>
        )}
        {runs.items && runs.items.length > 0 && <RunTable runs={runs.items} />}
        {runs.more && (
          <div class="row more">
            <Button busy={runs.busy} onClick={runs.more}>
              Show earlier runs
            </Button>
          </div>
        )}
      </Panel>
    </Page>
  )
}

/** The newest runs, asked for again and again, and earlier ones on demand. */
function useRuns(filter: Record<string, string>) {
  const key = JSON.stringify(filter)
  const page = (cursor?: string) => ok(api.GET('/v1/runs', { params: { query: { ...filter, cursor, limit: PAGE } } }))
  const newest = useLoad(() => page(), [key], ({ items }) => (items.some(isActive) ? ACTIVE_MS : IDLE_MS))
  type Seen = { key: string; runs: Map<string, Run>; next: string | null | undefined }
  const [seen, setSeen] = useState<Seen>({ key, runs: new Map(), next: undefined })
  const add = (items: Run[], next: string | null, isEarlier: boolean) =>
    setSeen((before) => {
      const kept = before.key === key ? before : { key, runs: new Map<string, Run>(), next: undefined }
      // The cursor of the newest page counts until an earlier page has been loaded.
      const cursor = isEarlier || kept.next === undefined ? next : kept.next
      return { key, runs: new Map([...kept.runs, ...items.map((run) => [run.id, run] as const)]), next: cursor }
    })
  useEffect(() => {
    if (newest.data) add(newest.data.items, newest.data.next, false)
  }, [newest.data])
  const earlier = useAction(async (cursor: string) => {
    const { items, next } = await page(cursor)
    add(items, next, true)
  })
  const current = seen.key === key && newest.data ? seen : null
  // Ids sort by the time of creation.
  const items = current && [...current.runs.values()].sort((a, b) => (a.id < b.id ? 1 : -1))
  const next = current?.next
  return {
    items,
    error: newest.error ?? earlier.error,
    busy: earlier.busy,
    more: next ? () => void earlier.run(next) : null,
  }
}

function RunFilters({ filter }: { filter: Record<string, string> }) {
  const projects = useLoad(() => all((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor, limit: 200 } } }))), [])
  const datasources = useLoad(() => all((cursor) => ok(api.GET('/v1/datasources', { params: { query: { cursor, limit: 200 } } }))), [])
  const select = (name: (typeof FILTERS)[number], label: string, any: string, values: string[]) => {
    const value = filter[name] ?? ''
    const options = value && !values.includes(value) ? [value, ...values] : values
    return (
      <SelectField
        label={label}
        value={value}
        options={[{ value: '', text: any }, ...options]}
        onChange={(chosen) => setParameters({ [name]: chosen })}
      />
    )
  }
  return (
    <div class="row run-filters" role="group" aria-label="Filter">
      {select('status', 'Status', 'any', STATUSES)}
      {select('kind', 'Kind', 'any', KINDS)}
      {select('project', 'Project', 'any', projects.data?.map((project) => project.slug!) ?? [])}
      {select('datasource', 'Datasource', 'any', datasources.data?.map((datasource) => datasource.slug!) ?? [])}
    </div>
  )
}

export function RunTable({ runs }: { runs: Run[] }) {
  return (
    <CardTable class="runs">
      <TableHead columns={['Run', 'Status', 'Began', numeric('Took'), numeric('Rows'), 'Outcome']} />
      <tbody>
        {runs.map((run) => (
          <tr key={run.id}>
            <td>
              <Link to={path`/runs/${run.id}`}>{runTitle(run)}</Link>
              <div class="muted">
                {run.algorithm && <Owner run={run} />} by {triggerText(run)}
              </div>
            </td>
            <td>
              <State value={run.status} />
              {run.attempt > 1 && <div class="muted">attempt {run.attempt}</div>}
            </td>
            <td>
              <Time at={run.started_at ?? run.created_at} />
            </td>
            <td class="number">{run.started_at ? formatSeconds(secondsBetween(run.started_at, run.finished_at)) : '–'}</td>
            <td class="number">{formatNumber(run.rows)}</td>
            <td class="outcome">
              <Outcome run={run} />
            </td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}

function Outcome({ run }: { run: Run }) {
  if (run.error) return <span class="bad-text">{run.error.detail}</span>
  if (isActive(run)) return <ProgressBar run={run} />
  return (
    <>
      {runSummary(run)}
      {run.completeness && run.completeness !== 'complete' && (
        <div>
          <State value={run.completeness} /> <span class="muted">{run.completeness_reasons[0]}</span>
        </div>
      )}
      {run.warnings.length > 0 && <div class="muted">{run.warnings.length === 1 ? run.warnings[0] : `${run.warnings.length} warnings`}</div>}
    </>
  )
}

/** How far a run is. */
export function ProgressBar({ run }: { run: Run }) {
  const progress = run.progress
  if (!progress) return <span class="muted">{runSummary(run)}</span>
  const stage = progress.stage.replaceAll('_', ' ')
  const text = `${stage}${progress.total ? ` ${formatNumber(progress.current)} of ${formatNumber(progress.total)}` : progress.current ? ` ${formatNumber(progress.current)}` : ''}`
  return (
    <div class="run-progress">
      <span>{progress.text ?? text}</span>
      <progress aria-label={text} max={progress.total || undefined} value={progress.total ? progress.current : undefined} />
    </div>
  )
}
