/** What failed lately and why, and whether a later run has mended it. */
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { CardTable, TableHead } from '../../ui/list'
import { Panel, Show, State } from '../../ui/parts'
import { Time } from '../../ui/values'

type Run = Schemas['RunView']
const REFRESH_MS = 10_000
const DAYS = 7
const MOST = 10

interface Failure {
  /** The newest one. */
  run: Run
  /** How many came before it. */
  before: number
  /** The first run after it that went well. */
  mended: Run | undefined
}

export function FailedLately() {
  const failures = useLoad(loadFailures, [], () => REFRESH_MS)
  return (
    <Show from={failures}>
      {(items) => (
        <Panel title={`Failed in the last ${DAYS} days`} flush={items.length > 0}>
          {items.length === 0 ? <p class="muted">No run has failed.</p> : <FailureTable failures={items.slice(0, MOST)} />}
        </Panel>
      )}
    </Show>
  )
}

async function loadFailures(): Promise<Failure[]> {
  const since = new Date(Date.now() - DAYS * 86_400_000).toISOString()
  const runs = async (status: 'failed' | 'partial' | 'succeeded', limit: number) =>
    (await ok(api.GET('/v1/runs', { params: { query: { status, since, limit } } }))).items
  const [failed, partial] = await Promise.all([runs('failed', 100), runs('partial', 100)])
  if (failed.length + partial.length === 0) return []
  return failuresOf([...failed, ...partial], await runs('succeeded', 200))
}

/** The newest failure of each datasource, project and algorithm; those that are not mended come first. */
function failuresOf(runs: Run[], succeeded: Run[]): Failure[] {
  const failures = new Map<string, Failure>()
  // Ids sort by the time of creation.
  for (const run of runs.sort((one, other) => (one.id < other.id ? 1 : -1))) {
    const present = failures.get(subject(run))
    if (present) present.before += 1
    else failures.set(subject(run), { run, before: 0, mended: succeeded.findLast((later) => later.id > run.id && subject(later) === subject(run)) })
  }
  return [...failures.values()].sort((one, other) => Number(one.mended !== undefined) - Number(other.mended !== undefined))
}

/** What the runs of one kind and one resource have in common. */
function subject(run: Run): string {
  return JSON.stringify([run.kind, run.datasource, run.project, run.algorithm, run.part])
}

function FailureTable({ failures }: { failures: Failure[] }) {
  return (
    <CardTable>
      <TableHead columns={['Run', 'When', 'Why', 'Since then']} />
      <tbody>
        {failures.map(({ run, before, mended }) => (
          <tr key={run.id}>
            <td>
              <Link to={path`/runs/${run.id}`}>
                {run.kind} of {run.datasource ?? run.project ?? run.algorithm}
              </Link>
              {before > 0 && <div class="muted">and {before} before it</div>}
            </td>
            <td>
              <Time at={run.created_at} />
            </td>
            <td>
              {run.status === 'partial' && 'It is incomplete. '}
              {run.error?.detail ?? run.warnings[0]}
            </td>
            <td>
              {mended ? (
                <>
                  <Link to={path`/runs/${mended.id}`}>
                    <State value="succeeded" />
                  </Link>{' '}
                  <Time at={mended.created_at} />
                </>
              ) : (
                <strong>no run has gone well</strong>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}
