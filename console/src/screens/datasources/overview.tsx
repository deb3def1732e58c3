/** One datasource: how fresh it is, who uses it, and its runs. */
import { api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { Link, navigate, path } from '../../router'
import { Badge, Button, Empty, Page, Panel, ProblemNote, Show, State } from '../../ui/parts'
import { formatBytes, formatNumber, formatSeconds, secondsBetween, Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import { loadDatasource, type Datasource } from './requests'
import { DATASOURCE_CRUMBS, DatasourceTabs } from './tabs'

const LIVE_MS = 2000
const IDLE_MS = 15_000

export default function DatasourceOverview({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const params = { path: { slug } }
  const may = useMayOn({ datasource: slug })
  const stored = useLoad(() => loadDatasource(slug), [slug])
  const runs = useLoad(
    () => ok(api.GET('/v1/runs', { params: { query: { datasource: slug, limit: 20 } } })),
    [slug],
    (data) => (data.items.some((run) => !run.finished_at) ? LIVE_MS : IDLE_MS),
  )
  const newest = runs.data?.items[0]?.finished_at
  const version = useLoad(
    () => ok(api.GET('/v1/datasources/{slug}/versions', { params: { ...params, query: { limit: 1 } } })),
    [slug, newest],
  )
  const projects = useLoad(() => ok(api.GET('/v1/datasources/{slug}/projects', { params })), [slug])
  const stats = useLoad(() => ok(api.GET('/v1/datasources/{slug}/stats', { params })), [slug, newest])
  const start = useAction(async () => {
    const run = await ok(api.POST('/v1/datasources/{slug}/runs', { params, body: { replay: null } }))
    navigate(path`/runs/${run.id}`)
  })
  return (
    <Page
      title={stored.data?.name ?? slug}
      crumbs={DATASOURCE_CRUMBS}
      actions={
        may('datasource.run') && (
          <Button look="primary" busy={start.busy} onClick={() => start.run()}>
            Run now
          </Button>
        )
      }
    >
      <DatasourceTabs slug={slug} />
      <ProblemNote error={start.error} />
      <div class="columns">
        <Show from={stored}>{(data) => <Facts datasource={data} version={version.data?.items[0]} />}</Show>
        <Panel title="Used by" flush>
          <Show from={projects}>
            {({ items }) =>
              items.length === 0 ? (
                <Empty title="No project uses it yet.">A project merges its records with those of others.</Empty>
              ) : (
                <table class="plain">
                  <tbody>
                    {items.map((item) => (
                      <tr key={item.project}>
                        <td>
                          <Link to={path`/projects/${item.project}`}>{item.project}</Link>
                        </td>
                        <td>
                          priority {item.priority}
                          {item.optional && ', optional'}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )
            }
          </Show>
        </Panel>
        {stats.data && stats.data.calls > 0 && <Calls stats={stats.data} />}
      </div>
      <Panel title="Runs" flush>
        <Show from={runs}>
          {({ items }) => (items.length === 0 ? <Empty title="It has not run yet." /> : <Runs runs={items} />)}
        </Show>
      </Panel>
    </Page>
  )
}

function Facts({ datasource, version }: { datasource: Datasource; version: Schemas['VersionView'] | undefined }) {
  return (
    <Panel title="State">
      <dl>
        <dt>Kind</dt>
        <dd>
          <Badge>{datasource.kind}</Badge> {!datasource.enabled && <Badge tone="warn">disabled</Badge>}
        </dd>
        {datasource.description && (
          <>
            <dt>Description</dt>
            <dd>{datasource.description}</dd>
          </>
        )}
        {version ? (
          <>
            <dt>Version</dt>
            <dd>
              <Link to={path`/datasources/${datasource.slug!}/data`}>
                {version.number}, {formatNumber(version.rows)} rows
              </Link>{' '}
              ({formatBytes(version.bytes)})
            </dd>
            <dt>Data of</dt>
            <dd>
              <Time at={version.data_as_of} /> <State value={version.completeness} title={version.completeness_reasons.join(' ')} />
            </dd>
          </>
        ) : (
          <>
            <dt>Version</dt>
            <dd class="muted">none yet</dd>
          </>
        )}
        <dt>Schedule</dt>
        <dd>{datasource.schedule ? `${datasource.schedule.expression}, ${datasource.schedule.timezone}` : 'on request only'}</dd>
        <dt>Owner</dt>
        <dd class="mono">{datasource.created_by}</dd>
      </dl>
    </Panel>
  )
}

function Calls({ stats }: { stats: Schemas['DatasourceStats'] }) {
  return (
    <Panel title="Calls of the upstream">
      <dl>
        <dt>Calls</dt>
        <dd>{formatNumber(stats.calls)}</dd>
        <dt>Succeeded</dt>
        <dd>{stats.success_rate} %</dd>
        <dt>Timed out</dt>
        <dd>{stats.timeout_rate} %</dd>
        <dt>Failed otherwise</dt>
        <dd>{stats.error_rate} %</dd>
        <dt>Average duration</dt>
        <dd>{stats.average_success_ms === null ? '–' : `${Math.round(stats.average_success_ms)} ms`}</dd>
      </dl>
    </Panel>
  )
}

function Runs({ runs }: { runs: Schemas['RunView'][] }) {
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col">Started by</th>
          <th scope="col" class="number">
            Rows
          </th>
          <th scope="col">Took</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.id}>
            <td>
              <Link to={path`/runs/${run.id}`}>
                {run.kind} <Time at={run.created_at} />
              </Link>
            </td>
            <td>
              <State value={run.status} /> {run.error && <div class="muted">{run.error.detail}</div>}
            </td>
            <td>{run.trigger}</td>
            <td class="number">{formatNumber(run.rows)}</td>
            <td>{formatSeconds(secondsBetween(run.started_at, run.finished_at))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
