/** The newest runs of a datasource; watched while one of them goes on. */
import { useEffect, useRef } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useKept } from '../../api/kept'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { CardTable, numeric, TableHead } from '../../ui/list'
import { Empty, Panel, Show, State } from '../../ui/parts'
import { formatNumber, formatSeconds, secondsBetween, Time } from '../../ui/values'
import { isActive } from './run-progress'

const BUSY_MS = 1500
const QUIET_MS = 10_000

/** @param onEnd called when a run of the list has ended. */
export function RunsOf({ slug, turn, onEnd }: { slug: string; turn: number; onEnd: () => void }) {
  const runs = useLoad(
    () => ok(api.GET('/v1/runs', { params: { query: { datasource: slug, limit: 20 } } })),
    [slug, turn],
    ({ items }) => (items.some(isActive) ? BUSY_MS : QUIET_MS),
  )
  const kept = useKept(runs.data, slug)
  const active = runs.data?.items.filter(isActive).length
  const before = useRef(0)
  useEffect(() => {
    if (active === undefined) return
    if (active < before.current) onEnd()
    before.current = active
  }, [active])
  return (
    <Panel title="Newest runs" flush actions={<Link to="/runs" query={{ datasource: slug }}>All runs</Link>}>
      <Show from={{ ...runs, data: kept }}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="There was no run yet.">
              A run fetches the data, or takes in what arrives. Start one above, or wait for its schedule.
            </Empty>
          ) : (
            <CardTable>
              <TableHead columns={['Run', 'Started by', 'When', 'Took', numeric('Rows'), 'Result']} />
              <tbody>
                {items.map((run) => (
                  <tr key={run.id}>
                    <td>
                      <Link to={path`/runs/${run.id}`} aria-label={`Run ${run.id}, ${run.status}`}>
                        <State value={run.status} />
                      </Link>
                      {run.kind !== 'ingest' && <span class="muted"> {run.dry_run ? `${run.kind}, dry run` : run.kind}</span>}
                    </td>
                    <td>{run.trigger}</td>
                    <td>
                      <Time at={run.created_at} />
                    </td>
                    <td>{formatSeconds(secondsBetween(run.started_at ?? run.created_at, run.finished_at))}</td>
                    <td class="number">{formatNumber(run.rows)}</td>
                    <td>{run.error ? run.error.title : run.version !== null ? `version ${run.version}` : run.progress && isActive(run) ? run.progress.stage : 'no new version'}</td>
                  </tr>
                ))}
              </tbody>
            </CardTable>
          )
        }
      </Show>
    </Panel>
  )
}
