/** Alarms: those that wait for somebody first. */
import { all, api, ok } from '../../api/client'
import { useKept } from '../../api/kept'
import { useLoad } from '../../api/load'
import { setParameters, usePlace } from '../../router'
import { Button, Empty, Page, Panel, ProblemNote, SelectField } from '../../ui/parts'
import { AlarmTable } from './table'
import { SEVERITY_TEXTS, severityOf, type Alarm, type Severity } from './why'

const STATES = [
  { value: 'active', text: 'Active' },
  { value: 'acknowledged', text: 'Acknowledged' },
  { value: 'cleared', text: 'Cleared' },
  { value: 'all', text: 'All' },
]
const PAGE = 50
const REFRESH_MS = 5_000

/** As many pages as are shown, each time anew: an alarm may change in any of them. */
async function loadAlarms(query: { state?: Alarm['state']; site?: string; equipment?: string; sensor?: string }, pages: number) {
  const items: Alarm[] = []
  let next: string | null | undefined
  for (let page = 0; page < pages && next !== null; page++) {
    const answer = await ok(api.GET('/v1/alarms', { params: { query: { ...query, cursor: next, limit: PAGE } } }))
    items.push(...answer.items)
    next = answer.next
  }
  return { items, next: next ?? null }
}

export default function Alarms() {
  const { query } = usePlace()
  const state = STATES.find(({ value }) => value === query.get('state'))?.value ?? 'active'
  const severity = query.get('severity') as Severity | null
  const pages = Math.max(1, Number(query.get('pages')) || 1)
  const filter = {
    state: state === 'all' ? undefined : (state as Alarm['state']),
    site: query.get('site') ?? undefined,
    equipment: query.get('equipment') ?? undefined,
    sensor: query.get('sensor') ?? undefined,
  }
  const alarms = useLoad(() => loadAlarms(filter, pages), [JSON.stringify(filter), pages], () => REFRESH_MS)
  const loaded = useKept(alarms.data, JSON.stringify(filter))
  const shown = loaded?.items.filter((alarm) => !severity || severityOf(alarm) === severity)
  const sites = useLoad(() => ok(api.GET('/v1/sites', { params: { query: { limit: 200 } } })), [])
  const equipment = useLoad(
    () => all((cursor) => ok(api.GET('/v1/equipment', { params: { query: { site: filter.site, cursor, limit: 200 } } }))),
    [filter.site],
  )
  return (
    <Page title="Alarms">
      <div class="alarm-filters">
        <SelectField label="State" value={state} options={STATES} onChange={(value) => setParameters({ state: value === 'active' ? null : value, pages: null })} />
        <SelectField
          label="Severity"
          value={severity ?? ''}
          options={[{ value: '', text: 'Any' }, ...Object.entries(SEVERITY_TEXTS).map(([value, text]) => ({ value, text }))]}
          onChange={(value) => setParameters({ severity: value || null })}
        />
        <SelectField
          label="Site"
          value={filter.site ?? ''}
          options={[
            { value: '', text: 'Any' },
            ...(sites.data?.items ?? []).map((site) => ({ value: site.code, text: `${site.name ?? site.code} (${site.code})` })),
          ]}
          onChange={(value) => setParameters({ site: value || null, equipment: null, pages: null })}
        />
        <SelectField
          label="Equipment"
          value={filter.equipment ?? ''}
          options={[
            { value: '', text: 'Any' },
            ...(filter.equipment && !equipment.data?.some(({ code }) => code === filter.equipment) ? [filter.equipment] : []),
            ...(equipment.data ?? []).map(({ code, name }) => ({ value: code, text: name ? `${name} (${code})` : code })),
          ]}
          onChange={(value) => setParameters({ equipment: value || null, pages: null })}
        />
      </div>
      <ProblemNote error={alarms.error} retry={alarms.reload} />
      <Panel flush={!!shown?.length}>
        {shown ? (
          shown.length > 0 ? (
            <AlarmTable alarms={shown} onChange={alarms.reload} />
          ) : (
            <NoAlarms state={state} filtered={!!(severity || filter.site || filter.equipment || filter.sensor)} />
          )
        ) : (
          alarms.loading && <div class="loading" role="status">Loading …</div>
        )}
        {loaded && (loaded.next || severity) && (
          <div class="row more">
            {loaded.next && (
              <Button busy={alarms.loading} onClick={() => setParameters({ pages: pages + 1 }, { replace: true })}>
                Show more
              </Button>
            )}
            {severity && (
              <span class="muted">
                {shown?.length} of the {loaded.items.length} alarms that are loaded
              </span>
            )}
          </div>
        )}
      </Panel>
      <p class="muted">
        An active alarm waits for somebody; an acknowledged one has somebody who takes care of it, and its value is still outside; of a cleared one,
        the value is back inside. Critical is what is beyond a sensor’s high high or low low limit. The list is asked for anew every{' '}
        {REFRESH_MS / 1000} seconds.
      </p>
    </Page>
  )
}

function NoAlarms({ state, filtered }: { state: string; filtered: boolean }) {
  return (
    <Empty
      title={state === 'active' && !filtered ? 'No alarm waits for anybody.' : 'No alarm fits the filter.'}
      action={state !== 'all' && <Button onClick={() => setParameters({ state: 'all' })}>Show those of every state</Button>}
    >
      A sensor raises one when a reading passes a limit of the sensor, or when none arrives for too long.
    </Empty>
  )
}
