/** A refresh that only says what it would do: what it would publish, what it would fetch, and what nobody knows before. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { standingOf, type Standing } from '../../api/published'
import { Link, path } from '../../router'
import { Dialog } from '../../ui/dialog'
import { Button, ProblemNote, Show, State } from '../../ui/parts'
import { formatNumber, Time } from '../../ui/values'
import { RunProgress } from '../datasources/run-progress'
import { loadFacts, type Source } from './lineage/facts'

type Run = Schemas['RunView']
export type Ingest = NonNullable<Schemas['RefreshRequest']['ingest']>

/** What the API says of every dry run, as of something unexpected. */
const NOTHING_PUBLISHED = 'this was a dry run: nothing was published'

/** A button for it. */
export function DryRunButton(props: { slug: string; ingest: Ingest; onStarted: () => void }) {
  const { slug, ingest } = props
  const [open, setOpen] = useState<{ id: string; ingest: Ingest } | null>(null)
  const start = useAction(async () => {
    const run = await ok(api.POST('/v1/projects/{slug}/runs', { params: { path: { slug } }, body: { ingest, dry_run: true } }))
    setOpen({ id: run.id, ingest })
    props.onStarted()
  })
  return (
    <>
      <Button busy={start.busy} onClick={() => start.run()} title="Says what a refresh would do, and publishes nothing">
        Dry run
      </Button>
      <ProblemNote error={start.error} />
      {open && <DryRun slug={slug} {...open} onClose={() => setOpen(null)} />}
    </>
  )
}

function DryRun(props: { slug: string; id: string; ingest: Ingest; onClose: () => void }) {
  const { slug, ingest } = props
  const [ended, setEnded] = useState<Run | null>(null)
  const standing = useLoad(() => standingOf(slug), [slug])
  const facts = useLoad(() => loadFacts(slug), [slug])
  return (
    <Dialog title={`What a refresh of ${slug} would do`} onClose={props.onClose}>
      <RunProgress id={props.id} onEnd={setEnded} saidAlready={NOTHING_PUBLISHED} />
      {ended && (
        <section class="stack tight">
          <h3>What would change</h3>
          <Show from={standing}>{(data) => <Change run={ended} standing={data} />}</Show>
        </section>
      )}
      <section class="stack tight">
        <h3>What would be fetched first</h3>
        <Show from={facts}>{({ sources }) => <Fetches sources={sources} ingest={ingest} />}</Show>
      </section>
      <section class="stack tight">
        <h3>What is not known</h3>
        <ul>
          {ingest !== 'none' && (
            <li>What the datasources would bring: a dry run fetches nothing, and merges what each has published now.</li>
          )}
          <li>
            Which rows would differ, since only their number is counted. <Link to={path`/projects/${slug}/merge`}>The merge</Link> has a
            preview of rows.
          </li>
          <li>What models, algorithms and reports would show: they are computed, but nothing of them is kept.</li>
        </ul>
      </section>
    </Dialog>
  )
}

function Change({ run, standing }: { run: Run; standing: Standing }) {
  if (run.status === 'cancelled') return <p>Not known: the dry run was cancelled.</p>
  if (run.status === 'failed') return <p>Nothing: with the data of now a refresh would fail, too, and what is published would stay.</p>
  return (
    <>
      <p>{changeText(run, standing)}</p>
      {run.completeness && (
        <div class="row">
          <span>The data would be</span> <State value={run.completeness} />
        </div>
      )}
      {run.completeness_reasons.length > 0 && (
        <ul>
          {run.completeness_reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </>
  )
}

/** What would be published, compared with the newest version: an equal result is not published again. */
export function changeText({ rows, fingerprint }: Pick<Run, 'rows' | 'fingerprint'>, { newest }: Standing): string {
  const count = rowsText(rows ?? 0)
  if (!newest) return `It would publish version 1, with ${count}.`
  if (newest.fingerprint === fingerprint) return `Nothing: the merge gives what version ${newest.number} has already, ${count}.`
  const more = (rows ?? 0) - newest.rows
  const compared = more === 0 ? 'as many as' : `${formatNumber(Math.abs(more))} ${more > 0 ? 'more' : 'fewer'} than`
  return `It would publish a new version with ${count}, ${compared} version ${newest.number} has.`
}

function rowsText(rows: number): string {
  return rows === 1 ? '1 row' : `${formatNumber(rows)} rows`
}

function Fetches({ sources, ingest }: { sources: Source[]; ingest: Ingest }) {
  if (sources.length === 0) return <p>Nothing: no datasource is assigned.</p>
  return (
    <ul class="plain">
      {sources.map((source) => {
        const { text, until } = fetchOf(source, ingest)
        return (
          <li key={source.assignment.datasource}>
            <Link to={path`/datasources/${source.assignment.datasource}`}>{source.assignment.datasource}</Link>{' '}
            <span class="muted">
              {text}
              {until && <Time at={until} />}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

const SECONDS: Record<string, number> = { minute: 60, hour: 3600, day: 86_400 }

/** Whether a refresh would fetch a datasource, by the rules that the API's document has; `until`: what ends the text. */
export function fetchOf({ datasource, run }: Pick<Source, 'datasource' | 'run'>, ingest: Ingest, now = Date.now()): { text: string; until?: string } {
  if (!datasource) return { text: 'is not known: you may not read it' }
  if (datasource.kind === 'file' || datasource.kind === 'push') return { text: 'arrives by itself' }
  if (!datasource.enabled) return { text: 'would not be fetched: it is disabled' }
  if (ingest === 'none') return { text: 'would not be fetched, as chosen' }
  if (ingest === 'all') return { text: 'would be fetched' }
  if (!run) return { text: 'would be fetched: it never was' }
  if (run.status === 'failed') return { text: 'would be fetched: its last run has failed' }
  const seconds = staysFresh(datasource)
  if (seconds === null) return { text: 'would be fetched: its data counts as stale at once' }
  if (seconds === 0) return { text: 'would not be fetched: its data never counts as stale' }
  if (!run.finished_at || run.status === 'cancelled') return { text: 'is not known: its last run has not ended well' }
  const until = Date.parse(run.finished_at) + seconds * 1000
  if (until < now) return { text: 'would be fetched: its data counts as stale' }
  return { text: 'would not be fetched: its data counts as stale only ', until: new Date(until).toISOString() }
}

/** For how many seconds data counts as fresh; 0: always, null: not at all. */
function staysFresh({ max_age_seconds, schedule }: NonNullable<Source['datasource']>): number | null {
  if (max_age_seconds !== null && max_age_seconds !== undefined) return max_age_seconds
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(schedule?.expression ?? '')
  return rate ? Number(rate[1]) * SECONDS[rate[2]!]! : null
}
