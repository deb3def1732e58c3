/** The first page of a project: how it stands, a refresh with its progress, and its lineage. */
import { useMemo, useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useKept } from '../../api/kept'
import { useAction, useLoad, type Loaded } from '../../api/load'
import { useMayOn } from '../../api/me'
import { type Standing, standingOf } from '../../api/published'
import { Link, path, useArrival } from '../../router'
import { Button, Empty, Note, Panel, ProblemNote, Show, State } from '../../ui/parts'
import { formatNumber, formatSeconds, secondsBetween, Time } from '../../ui/values'
import { Who } from '../../ui/who'
import type { ScreenProps } from '../registry'
import { DryRunButton, type Ingest } from './dry-run'
import { loadFacts } from './lineage/facts'
import { Lineage } from './lineage/lineage'
import { nodesOf } from './lineage/nodes'
import './projects.css'
import { DeleteProject, EditSettings, EnableProject } from './settings'
import { ProjectPage } from './tabs'
import { howItRefreshes, isActive, whatStarted } from './words'

type Run = Schemas['RunView']
const WATCH_MS = 800
const REFRESH_MS = 10_000
// Somebody else may promote another version.
const VERSIONS_MS = 30_000

export default function Overview({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const project = useLoad(() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug } } })), [slug])
  const runs = useLoad(
    () => ok(api.GET('/v1/runs', { params: { query: { project: slug, kind: 'refresh', limit: 1 } } })),
    [slug],
    ({ items }) => (isActive(items[0]) ? WATCH_MS : REFRESH_MS),
  )
  const may = useMayOn({ project: slug })
  const run = runs.data?.items[0]
  // After the runs, so that it is not asked twice.
  const versions = useLoad(
    runs.data ? () => standingOf(slug) : null,
    [slug, run?.status, run?.version],
    () => VERSIONS_MS,
  )
  const standing = { ...versions, data: useKept(versions.data, slug) }
  return (
    <ProjectPage
      slug={slug}
      from={project}
      first
      title={project.data?.name ?? slug}
      actions={may('project.run') && <RefreshNow slug={slug} active={isActive(run)} onStarted={runs.reload} />}
    >
      <Show from={project}>
        {(data) => (
          <>
            {data.description && <p>{data.description}</p>}
            <div class="columns">
              <LastRun runs={runs} />
              <Published slug={slug} standing={standing} />
              <Settings project={data} may={may} onChanged={project.reload} />
            </div>
          </>
        )}
      </Show>
      <LineagePanel slug={slug} runs={runs} version={standing.data?.published ?? null} mayAssign={may('project.assign')} />
    </ProjectPage>
  )
}

function RefreshNow(props: { slug: string; active: boolean; onStarted: () => void }) {
  const [ingest, setIngest] = useState<Ingest>('stale')
  const refresh = useAction(async () => {
    const params = { path: { slug: props.slug } }
    await ok(api.POST('/v1/projects/{slug}/runs', { params, body: { ingest, dry_run: false } }))
    props.onStarted()
  })
  return (
    <>
      <label class="row">
        <span class="muted">Fetch</span>
        <select value={ingest} onChange={(event) => setIngest(event.currentTarget.value as Ingest)}>
          <option value="stale">what is stale</option>
          <option value="all">all datasources</option>
          <option value="none">nothing, only merge</option>
        </select>
      </label>
      <Button look="primary" busy={refresh.busy} disabled={props.active} onClick={() => refresh.run()}>
        {props.active ? 'Refreshing' : 'Refresh now'}
      </Button>
      <DryRunButton slug={props.slug} ingest={ingest} onStarted={props.onStarted} />
      <ProblemNote error={refresh.error} />
    </>
  )
}

function LastRun({ runs }: { runs: Loaded<{ items: Run[] }> }) {
  return (
    <Panel title="Last refresh">
      <Show from={runs}>
        {({ items: [run] }) =>
          run ? (
            <div class="stack">
              <div class="row">
                <State value={run.status} />
                <Link to={path`/runs/${run.id}`}>
                  <Time at={run.created_at} />
                </Link>
                <span class="muted">
                  {whatStarted(run)}
                  {run.finished_at && `, took ${formatSeconds(secondsBetween(run.started_at ?? run.created_at, run.finished_at))}`}
                </span>
              </div>
              {run.dry_run && <Note>It is a dry run: it publishes nothing.</Note>}
              {isActive(run) && <RunProgress run={run} />}
              {run.summary && <p>{run.summary}.</p>}
              {run.error && <Note tone="bad">{run.error.detail}</Note>}
              <Sources run={run} />
              {run.warnings.length > 0 && (
                <Note tone="warn">
                  <ul>
                    {run.warnings.map((warning) => (
                      <li key={warning}>{warning}</li>
                    ))}
                  </ul>
                </Note>
              )}
            </div>
          ) : (
            <Empty title="It has never been refreshed.">
              A refresh fetches its datasources, merges them, and publishes version 1. The lineage below says whether it has any.
            </Empty>
          )
        }
      </Show>
    </Panel>
  )
}

function RunProgress({ run }: { run: Run }) {
  const { progress } = run
  const text = progress ? (progress.text ?? progress.stage) : 'waits for its turn'
  const total = progress?.total
  return (
    <div>
      <div class="row spread">
        <span>{text}</span>
        {total ? (
          <span class="muted">
            {formatNumber(progress.current)} of {formatNumber(total)}
          </span>
        ) : null}
      </div>
      <progress aria-label={`Progress of the refresh: ${text}`} max={total ?? undefined} value={total ? progress.current : undefined} />
    </div>
  )
}

const OUTCOMES: Record<string, string> = {
  pending: 'is being fetched',
  fetched: 'fetched',
  failed: 'failed',
  fresh: 'still fresh, not fetched',
  received: 'arrives by itself',
  disabled: 'disabled',
  not_requested: 'not fetched, as requested',
}

function Sources({ run }: { run: Run }) {
  if (run.sources.length === 0) return null
  return (
    <ul class="plain">
      {run.sources.map((source) => (
        <li key={source.datasource}>
          <Link to={path`/datasources/${source.datasource}`}>{source.datasource}</Link>{' '}
          <span class={source.outcome === 'failed' ? 'failed' : 'muted'}>
            {source.run ? <Link to={path`/runs/${source.run}`}>{OUTCOMES[source.outcome]}</Link> : OUTCOMES[source.outcome]}
          </span>
        </li>
      ))}
    </ul>
  )
}

function Published({ slug, standing }: { slug: string; standing: Loaded<Standing> }) {
  return (
    <Panel title="Published version" actions={<Link to={path`/projects/${slug}/versions`}>All versions</Link>}>
      <Show from={standing}>
        {({ newest, published }) => (
          <div class="stack">
            {published && <PublishedVersion slug={slug} version={published} />}
            {newest && newest.number !== published?.number && (
              <Note tone="warn">
                <Link to={path`/projects/${slug}/data`} query={{ version: newest.number }}>
                  Version {newest.number}
                </Link>{' '}
                is newer, but {published ? `readers get version ${published.number}` : 'nothing is published'}.
              </Note>
            )}
            {!newest && <Empty title="There is no version yet.">The first refresh makes it.</Empty>}
          </div>
        )}
      </Show>
    </Panel>
  )
}

function PublishedVersion({ slug, version }: { slug: string; version: Schemas['VersionView'] }) {
  return (
    <>
      <dl>
        <dt>Version</dt>
        <dd>
          <Link to={path`/projects/${slug}/data`} query={{ version: version.number }}>
            {version.number}
          </Link>
        </dd>
        <dt>Rows</dt>
        <dd>{formatNumber(version.rows)}</dd>
        <dt>Data</dt>
        <dd>
          <State value={version.completeness} />
        </dd>
        <dt>Oldest data fetched</dt>
        <dd>
          <Time at={version.data_as_of} />
        </dd>
        <dt>Made</dt>
        <dd>
          <Time at={version.created_at} />
        </dd>
      </dl>
      {version.completeness_reasons.length > 0 && (
        <Note tone="warn">
          {version.completeness_reasons.map((reason) => (
            <div key={reason}>{reason}</div>
          ))}
        </Note>
      )}
    </>
  )
}

function Settings(props: { project: Schemas['ProjectView']; may: (action: string) => boolean; onChanged: () => void }) {
  const arrive = useArrival()
  const { project, may } = props
  const [editing, setEditing] = useState(false)
  return (
    <Panel title="Settings" actions={may('project.update') && <Button onClick={() => setEditing(true)}>Change</Button>}>
      <div class="stack">
        <dl>
          <dt>Enabled</dt>
          <dd>{project.enabled ? 'yes' : 'no'}</dd>
          <dt>Refreshes</dt>
          <dd>{howItRefreshes(project)}</dd>
          <dt>Merge</dt>
          <dd>
            <Link to={path`/projects/${project.slug!}/merge`}>{mergeInWords(project)}</Link>
          </dd>
          <dt>Created</dt>
          <dd>
            <Time at={project.created_at} /> by <Who id={project.created_by} />
          </dd>
        </dl>
        <div class="row">
          {may('project.update') && <EnableProject project={project} onChanged={props.onChanged} />}
          {may('project.delete') && <DeleteProject project={project} onDeleted={() => arrive('/projects')} />}
        </div>
      </div>
      {editing && (
        <EditSettings
          project={project}
          onClose={() => setEditing(false)}
          onSaved={() => {
            setEditing(false)
            props.onChanged()
          }}
        />
      )}
    </Panel>
  )
}

function mergeInWords({ merge }: Schemas['ProjectView']): string {
  const strategy = merge?.strategy ?? 'union'
  const key = merge && 'key' in merge && merge.key ? ` by ${merge.key.join(', ')}` : ''
  return `${strategy}${key}`
}

function LineagePanel(props: {
  slug: string
  runs: Loaded<{ items: Run[] }>
  version: Schemas['VersionView'] | null
  mayAssign: boolean
}) {
  const { slug, runs, version } = props
  const run = runs.data?.items[0]
  // Asked again when a refresh has got further; the sources of the run tell the rest.
  const facts = useLoad(runs.data ? () => loadFacts(slug) : null, [slug, isActive(run), run?.id], () => 30_000)
  const [newest, setNewest] = useState(facts.data)
  if (facts.data && facts.data !== newest) setNewest(facts.data)
  const nodes = useMemo(
    () => (newest ? nodesOf(slug, { ...newest, version }, run) : undefined),
    [newest, run, version],
  )
  return (
    <Panel title="Lineage">
      <ProblemNote error={facts.error} retry={facts.reload} />
      {!nodes && !facts.error && <div class="loading" role="status">Loading …</div>}
      {nodes && newest!.sources.length > 0 && <Lineage nodes={nodes} />}
      {nodes && newest!.sources.length === 0 && (
        <Empty
          title="No datasource is assigned."
          action={props.mayAssign && <Link to={path`/projects/${slug}/merge`}>Assign datasources</Link>}
        >
          The lineage leads from upstream through datasources, the merge and models to reports and endpoints.
        </Empty>
      )}
    </Panel>
  )
}
