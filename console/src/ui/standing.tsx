/** How a project or a datasource stands, in four cells of its row: its version and its last run. */
import { api, ok, type Schemas } from '../api/client'
import { useLoad } from '../api/load'
import { standingOf } from '../api/published'
import { Link, path } from '../router'
import { State } from './parts'
import { formatNumber, Time } from './values'

const REFRESH_MS = 10_000
const WATCH_MS = 2000

/**
 * The heads of the cells.
 *
 * @param time what the time of the version is called.
 */
export function StandingHeads({ time, run = 'Last run' }: { time: string; run?: string }) {
  return (
    <>
      <th scope="col">Data</th>
      <th scope="col">{time}</th>
      <th scope="col" class="number">Rows</th>
      <th scope="col">{run}</th>
    </>
  )
}

type Kind = 'projects' | 'datasources'

/** What readers of a project get, and the newest version of a datasource. */
async function versionOf(kind: Kind, slug: string): Promise<Schemas['VersionView'] | null> {
  if (kind === 'projects') return (await standingOf(slug)).published
  const { items } = await ok(api.GET('/v1/datasources/{slug}/versions', { params: { path: { slug }, query: { limit: 1 } } }))
  return items[0] ?? null
}

interface StandingProps {
  kind: Kind
  slug: string
  /** Which time of the version is shown: when it was published, or when its oldest data was fetched. */
  time: 'created_at' | 'data_as_of'
  /** The kind of runs that count; without it, all. */
  runs?: 'refresh'
  /** Whether the run says in words how it went. */
  summary?: boolean
}

/** The version and the last run, followed while it goes on. */
function useStanding({ kind, slug, runs: kindOfRuns }: StandingProps) {
  const of = kind === 'projects' ? { project: slug } : { datasource: slug }
  const runs = useLoad(
    () => ok(api.GET('/v1/runs', { params: { query: { ...of, kind: kindOfRuns, limit: 1 } } })),
    [kind, slug],
    ({ items }) => (items[0] && !items[0].finished_at ? WATCH_MS : REFRESH_MS),
  )
  const run = runs.data?.items[0]
  // After the runs, so that it is not asked twice.
  const version = useLoad(runs.data ? () => versionOf(kind, slug) : null, [kind, slug, run?.status], () => REFRESH_MS)
  return { run, version: version.data, isRunLoading: runs.loading, isVersionLoading: version.loading || runs.loading }
}

/** The cells. */
export function StandingCells(props: StandingProps) {
  const { run, version, isRunLoading, isVersionLoading } = useStanding(props)
  return (
    <>
      <td>
        {version ? <State value={version.completeness} title={version.completeness_reasons.join(' ')} /> : <None loading={isVersionLoading} />}
      </td>
      <td>
        <Time at={version?.[props.time]} />
      </td>
      <td class="number">{formatNumber(version?.rows)}</td>
      <td>
        {run ? (
          <>
            <Link to={path`/runs/${run.id}`}>
              <State value={run.status} title={run.error?.detail} />
            </Link>{' '}
            {run.dry_run && 'dry run '}
            <Time at={run.created_at} />
            {props.summary && run.summary && <div class="muted">{run.summary}</div>}
          </>
        ) : (
          <None loading={isRunLoading} />
        )}
      </td>
    </>
  )
}

function None({ loading }: { loading: boolean }) {
  return <span class="muted">{loading ? '…' : 'none yet'}</span>
}
