/** One run: what it does or has done, its timeline while it runs and after, and what can be done with it. */
import { useEffect } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { Gone, isGone } from '../../ui/gone'
import { TableHead } from '../../ui/list'
import { Note, Page, Panel, ProblemNote, ProblemText, Show, State } from '../../ui/parts'
import { formatBytes, formatNumber, formatSeconds, secondsBetween, Time } from '../../ui/values'
import { Who } from '../../ui/who'
import type { ScreenProps } from '../registry'
import { RunActions } from './actions'
import { Outputs } from './outputs'
import { Pages } from './pages'
import { ProgressBar } from './runs'
import { Timeline } from './timeline-view'
import { dataPlace, isActive, Owner, runSummary, runTitle, triggerText, type Run } from './words'
import './runs.css'

const POLL_MS = 1000
// More events than this are not drawn: a timeline of so many pages says no more.
const MOST_EVENTS = 2000

export default function RunPage({ parameters }: ScreenProps) {
  const id = parameters.id!
  const run = useLoad(() => ok(api.GET('/v1/runs/{run_id}', { params: { path: { run_id: id } } })), [id], (data) =>
    isActive(data) ? POLL_MS : 0,
  )
  const data = run.data
  if (isGone(run)) return <Gone what="run" id={id} list={{ to: '/runs', text: 'Runs' }} />
  if (!data) {
    return (
      <Page title="Run" crumbs={[{ to: '/runs', text: 'Runs' }]}>
        <Show from={run}>{() => null}</Show>
      </Page>
    )
  }
  return (
    <Page title={runTitle(data)} crumbs={[{ to: '/runs', text: 'Runs' }]} actions={<RunActions run={data} onChange={run.reload} />}>
      <ProblemNote error={run.error} retry={run.reload} />
      <Summary run={data} />
      <Reasons run={data} />
      <LiveTimeline run={data} />
      {data.sources.length > 0 && <Sources sources={data.sources} />}
      {(data.kind === 'algorithm' || data.kind === 'manual') && data.status === 'succeeded' && <Outputs run={data} />}
      {data.kind === 'ingest' && <Pages run={data} />}
    </Page>
  )
}

function Summary({ run }: { run: Run }) {
  const place = dataPlace(run)
  return (
    <Panel>
      <div class="stack">
        <div class="row run-state" role="status">
          <State value={run.status} />
          <strong>{runSummary(run)}</strong>
        </div>
        {isActive(run) && <ProgressBar run={run} />}
        <dl class="facts-wide">
          <dt>Of</dt>
          <dd>
            <Owner run={run} />
          </dd>
          <dt>Started by</dt>
          <dd>
            {triggerText(run)}
            {run.created_by !== 'sluice' && (
              <>
                {' '}
                of <Who id={run.created_by} />
              </>
            )}
            , <Time at={run.created_at} />
          </dd>
          <dt>Took</dt>
          <dd>
            {run.started_at ? formatSeconds(secondsBetween(run.started_at, run.finished_at)) : 'It has not begun.'}
            {run.attempt > 1 && `, in attempt ${run.attempt}`}
          </dd>
          <dt>Result</dt>
          <dd>
            {place ? (
              <Link to={place} query={{ version: run.version }}>
                Version {run.version}: {formatNumber(run.rows)} rows, {formatBytes(run.bytes)}
              </Link>
            ) : (
              <span class="muted">{run.version === null ? 'no new version' : `version ${run.version}`}</span>
            )}{' '}
            {run.completeness && <State value={run.completeness} />}
          </dd>
          {run.requests > 0 && (
            <>
              <dt>Requests</dt>
              <dd>{formatNumber(run.requests)}</dd>
            </>
          )}
          {run.cost_usd && (
            <>
              <dt>Cost</dt>
              <dd>{run.cost_usd} USD</dd>
            </>
          )}
          <dt>Id</dt>
          <dd class="mono">{run.id}</dd>
        </dl>
      </div>
    </Panel>
  )
}

/** What went wrong or is not as it should be, and why. */
function Reasons({ run }: { run: Run }) {
  return (
    <>
      {run.error && (
        <Note tone="bad">
          <ProblemText problem={run.error} />
          {run.datasource && (
            <div>
              <Link to={path`/datasources/${run.datasource}`}>Check the datasource</Link>, then redrive the run: it continues from where it
              stopped.
            </div>
          )}
        </Note>
      )}
      {run.completeness_reasons.length > 0 && (
        <Note tone="warn">
          <strong>Why the result is {run.completeness}:</strong> <Sentences texts={run.completeness_reasons} />
        </Note>
      )}
      {run.stale.length > 0 && (
        <Note tone="warn">
          <strong>Earlier versions stand in for what could not be fetched.</strong>
          <ul>
            {run.stale.map((entry) => (
              <li key={entry.datasource}>
                {entry.datasource}: version {entry.version}, whose data is of <Time at={entry.data_as_of} />. {entry.error}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {run.warnings.length > 0 && (
        <Note tone="warn">
          <strong>{run.warnings.length === 1 ? 'A warning:' : `${run.warnings.length} warnings:`}</strong> <Sentences texts={run.warnings} />
        </Note>
      )}
      {run.erasure && (
        <Note>
          <strong>Erased because:</strong> {run.erasure.reason}
          <div class="muted">
            {Object.entries(run.erasure.removed ?? {})
              .filter(([, count]) => count)
              .map(([what, count]) => `${count} ${what.replaceAll('_', ' ')}`)
              .join(', ')}
          </div>
        </Note>
      )}
    </>
  )
}

function Sentences({ texts }: { texts: string[] }) {
  if (texts.length === 1) return <>{texts[0]}</>
  return (
    <ul>
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  )
}

function LiveTimeline({ run }: { run: Run }) {
  const active = isActive(run)
  const events = useLoad(() => loadEvents(run.id), [run.id], () => (active ? POLL_MS : 0))
  // The end may come after the last time that the events were asked for.
  useEffect(() => {
    if (events.data) events.reload()
  }, [run.status, run.attempt])
  return <Show from={events}>{(data) => <Timeline events={data} active={active} />}</Show>
}

async function loadEvents(id: string): Promise<Schemas['RunEventView'][]> {
  const items: Schemas['RunEventView'][] = []
  let cursor: string | undefined
  do {
    const page = await ok(api.GET('/v1/runs/{run_id}/events', { params: { path: { run_id: id }, query: { cursor, limit: 200 } } }))
    items.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor && items.length < MOST_EVENTS)
  return items
}

const OUTCOMES: Record<Schemas['SourceUse']['outcome'], string> = {
  pending: 'is being fetched',
  fetched: 'fetched',
  failed: 'failed',
  fresh: 'still fresh, so not fetched',
  received: 'received by itself',
  disabled: 'disabled',
  not_requested: 'not asked to be fetched',
}

function Sources({ sources }: { sources: Schemas['SourceUse'][] }) {
  return (
    <Panel title="Datasources" flush>
      <table class="plain">
        <TableHead columns={['Datasource', 'In this run', 'Run']} />
        <tbody>
          {sources.map((source) => (
            <tr key={source.datasource}>
              <td>
                <Link to={path`/datasources/${source.datasource}`}>{source.datasource}</Link>
              </td>
              <td class={source.outcome === 'failed' ? 'bad-text' : ''}>
                {OUTCOMES[source.outcome]}
                {source.fresh_until && (
                  <span class="muted">
                    ; its data expires <Time at={source.fresh_until} />
                  </span>
                )}
              </td>
              <td>{source.run ? <Link to={path`/runs/${source.run}`}>its ingest run</Link> : <span class="muted">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
