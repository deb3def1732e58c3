/** How a datasource stands: its newest version, how it is fed, the calls to its upstream, and who uses it. */
import { api, ok, type Schemas } from '../../api/client'
import { useKept } from '../../api/kept'
import { useList } from '../../api/list'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { ShowList } from '../../ui/list'
import { Empty, Note, Panel, Show, State } from '../../ui/parts'
import { formatBytes, formatNumber, Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { KINDS } from './kinds'
import type { Datasource } from './requests'
import { scheduleText } from './schedule'

/** @param version the newest one; null if there is none, undefined while it is not known. */
export function Facts({ present, version }: { present: Datasource; version: Schemas['VersionView'] | null | undefined }) {
  return (
    <Panel title="How it stands">
      <div class="stack">
        {present.description && <p>{present.description}</p>}
        <dl>
          <dt>Newest version</dt>
          <dd>
            {version ? (
              <>
                <Link to={path`/datasources/${present.slug!}/data`} query={{ version: version.number }}>
                  {version.number}
                </Link>{' '}
                <State value={version.completeness} />
              </>
            ) : (
              <span class="muted">{version === null ? 'none yet: a run makes the first' : '…'}</span>
            )}
          </dd>
          {version && (
            <>
              <dt>Rows</dt>
              <dd>
                {formatNumber(version.rows)} <span class="muted">({formatBytes(version.bytes)})</span>
              </dd>
              <dt>Data as of</dt>
              <dd>
                <Time at={version.data_as_of} />
              </dd>
            </>
          )}
          <dt>Kind</dt>
          <dd>{KINDS.find((one) => one.kind === present.kind)?.name}</dd>
          <dt>From</dt>
          <dd class="mono">{origin(present)}</dd>
          <dt>Schedule</dt>
          <dd>{scheduleText(present.schedule)}</dd>
          <dt>Primary key</dt>
          <dd>{present.primary_key?.join(', ') ?? <span class="muted">none</span>}</dd>
          <dt>Changed</dt>
          <dd>
            <Time at={present.updated_at} />
          </dd>
          <dt>Created by</dt>
          <dd>{present.created_by && <Who id={present.created_by} />}</dd>
        </dl>
        {version && version.completeness_reasons.length > 0 && (
          <Note tone="warn">
            {version.completeness_reasons.map((reason) => (
              <div key={reason}>{reason}</div>
            ))}
          </Note>
        )}
      </div>
    </Panel>
  )
}

function origin(present: Datasource): string {
  if (present.kind === 'http') return present.http.url
  if (present.kind === 'sql') return `${present.sql.engine} ${present.sql.host ?? ''} ${present.sql.database ?? present.sql.key ?? ''}`
  if (present.kind === 'mongo') return `${present.mongo.database}.${present.mongo.collection}`
  if (present.kind === 'file') return `inbox, folder ${present.slug}/`
  return present.kind === 'push' ? `POST /v1/datasources/${present.slug}/records` : 'readings of sensors'
}

export function Stats({ slug, turn }: { slug: string; turn: number }) {
  const stats = useLoad(() => ok(api.GET('/v1/datasources/{slug}/stats', { params: { path: { slug } } })), [slug, turn])
  const kept = useKept(stats.data, slug)
  const percent = (value: number | null) => (value === null ? '–' : `${formatNumber(value)} %`)
  return (
    <Panel title="Calls to the upstream">
      <Show from={{ ...stats, data: kept }}>
        {(data) =>
          data.calls === 0 ? (
            <p class="muted">There were none yet. The first run that fetches sends some.</p>
          ) : (
            <dl>
              <dt>Calls</dt>
              <dd>{formatNumber(data.calls)}</dd>
              <dt>Succeeded</dt>
              <dd>
                {percent(data.success_rate)}
                {data.average_success_ms !== null && <span class="muted"> in {formatNumber(Math.round(data.average_success_ms))} ms on average</span>}
              </dd>
              <dt>Timed out</dt>
              <dd>{percent(data.timeout_rate)}</dd>
              <dt>Failed otherwise</dt>
              <dd>{percent(data.error_rate)}</dd>
              <dt>Latest call</dt>
              <dd>
                <Time at={data.last_call} />
              </dd>
            </dl>
          )
        }
      </Show>
    </Panel>
  )
}

export function ProjectsOf({ slug }: { slug: string }) {
  const projects = useList(
    (cursor) => ok(api.GET('/v1/datasources/{slug}/projects', { params: { path: { slug }, query: { cursor } } })),
    [slug],
  )
  return (
    <Panel title="Projects that use it">
      <ShowList
        from={projects}
        empty={
          <Empty title="No project uses it yet." action={<Link to="/projects">Add it to a project</Link>}>
            A project merges it with others.
          </Empty>
        }
      >
        {(items) => (
          <ul class="plain stack">
            {items.map((item) => (
              <li key={item.project}>
                <Link to={path`/projects/${item.project}`}>{item.project}</Link>{' '}
                <span class="muted">
                  priority {item.priority}
                  {item.optional && ', optional'}
                </span>
              </li>
            ))}
          </ul>
        )}
      </ShowList>
    </Panel>
  )
}
