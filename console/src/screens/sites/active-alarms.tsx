/** The alarms of a site, a piece of equipment or a sensor that are not over. */
import { all, api, ok } from '../../api/client'
import { useLoad, type Loaded } from '../../api/load'
import { Link } from '../../router'
import { Panel, ProblemNote } from '../../ui/parts'
import { AlarmTable } from '../alarms/table'
import type { Alarm } from '../alarms/why'

const REFRESH_MS = 10_000

/** Alarms whose value is outside, acknowledged or not; those that wait for somebody first. */
export function useOpenAlarms(query: { site?: string; equipment?: string; sensor?: string }): Loaded<Alarm[]> {
  const of = (state: 'active' | 'acknowledged') =>
    all((cursor) => ok(api.GET('/v1/alarms', { params: { query: { ...query, state, cursor, limit: 200 } } })))
  return useLoad(
    async () => (await Promise.all([of('active'), of('acknowledged')])).flat(),
    [JSON.stringify(query)],
    () => REFRESH_MS,
  )
}

export function OpenAlarms({ from, query }: { from: Loaded<Alarm[]>; query: Record<string, string> }) {
  const alarms = from.data ?? []
  return (
    <>
      <ProblemNote error={from.error} retry={from.reload} />
      {alarms.length > 0 && (
        <Panel
          title="Alarms now"
          flush
          actions={
            <Link to="/alarms" query={{ ...query, state: 'all' }}>
              All alarms
            </Link>
          }
        >
          <AlarmTable alarms={alarms} onChange={from.reload} withoutSensor={'sensor' in query} />
        </Panel>
      )}
    </>
  )
}
