/** A vessel, factory or plant: its equipment as a tree with the newest values, alarms, operations and history. */
import { useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { path, Link, useArrival, useParameter } from '../../router'
import type { ScreenProps } from '../registry'
import { ConfirmButton } from '../../ui/dialog'
import { CardTable } from '../../ui/list'
import { Badge, Button, Empty, Page, Panel, Show, State } from '../../ui/parts'
import { SeverityBadge, worstSeverity, type Alarm } from '../alarms/why'
import { OpenAlarms, useOpenAlarms } from './active-alarms'
import { ChangeSite, CreateEquipment } from './forms'
import { ShowOrGone } from './gone'
import { History } from './history'
import { LatestValue, useLatest, useSensors, type Latest } from './latest'
import { Operations } from './operations'
import type { Sensor } from './points'
import { StatusButtons, type Equipment } from './status'
import './sites.css'

export default function SitePage({ parameters }: ScreenProps) {
  const code = parameters.code!
  const site = useLoad(() => ok(api.GET('/v1/sites/{code}', { params: { path: { code } } })), [code])
  return (
    <ShowOrGone from={site} of="site" id={code}>
      {(data) => <SiteScreen site={data} onChange={site.reload} />}
    </ShowOrGone>
  )
}

function SiteScreen({ site, onChange }: { site: Schemas['SiteView']; onChange: () => void }) {
  const { code } = site
  const arrive = useArrival()
  const [status, setStatus] = useParameter('status')
  const [adding, setAdding] = useState(false)
  const [changing, setChanging] = useState(false)
  const mayWrite = useMay('asset.write')
  const equipment = useLoad(
    () => all((cursor) => ok(api.GET('/v1/sites/{code}/equipment', { params: { path: { code }, query: { cursor, limit: 200 } } }))),
    [code],
  )
  const alarms = useOpenAlarms({ site: code })
  const remove = async () => {
    await ok(api.DELETE('/v1/sites/{code}', { params: { path: { code }, header: { 'If-Match': `"${site.etag}"` } } }))
    arrive('/sites')
  }
  return (
    <Page
      title={
        <>
          {site.name ?? code} <Badge>{site.type}</Badge>
        </>
      }
      crumbs={[{ to: '/sites', text: 'Sites' }]}
      actions={
        mayWrite && (
          <>
            <Button look="primary" onClick={() => setAdding(true)}>
              Add equipment
            </Button>
            <Button onClick={() => setChanging(true)}>Change</Button>
            <ConfirmButton text="Delete" look="danger" question={`${code} is deleted. A site with equipment cannot be.`} work={remove} />
          </>
        )
      }
    >
      <OpenAlarms from={alarms} query={{ site: code }} />
      <Show from={equipment}>
        {(items) => (
          <EquipmentPanel
            site={code}
            equipment={items}
            status={status}
            onStatus={setStatus}
            alarms={alarms.data ?? []}
            mayWrite={mayWrite}
            onChange={equipment.reload}
          />
        )}
      </Show>
      <Operations site={code} />
      <History of="site" id={code} version={site.etag} />
      {changing && <ChangeSite site={site} onClose={() => setChanging(false)} onSaved={onChange} />}
      {adding && <CreateEquipment site={code} onClose={() => setAdding(false)} />}
    </Page>
  )
}

function EquipmentPanel(props: {
  site: string
  equipment: Equipment[]
  status: string | null
  onStatus: (status: string | null) => void
  alarms: Alarm[]
  mayWrite: boolean
  onChange: () => void
}) {
  const { equipment, alarms, mayWrite } = props
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const sensors = useSensors({ site: props.site })
  const latest = useLatest({ site: props.site })
  const shown = equipment.filter((one) => !props.status || one.status === props.status)
  const selected = shown.filter((one) => chosen.has(one.code))
  const choose = (codes: string[], on: boolean) =>
    setChosen((before) => new Set(on ? [...before, ...codes] : [...before].filter((code) => !codes.includes(code))))
  const inactive = equipment.filter((one) => one.status === 'inactive').length
  return (
    <Panel
      title="Equipment"
      flush={equipment.length > 0}
      actions={
        equipment.length > 0 && (
          <>
            {mayWrite && <StatusButtons equipment={selected} onChange={() => (setChosen(new Set()), props.onChange())} />}
            <select aria-label="Status" value={props.status ?? ''} onChange={(event) => props.onStatus(event.currentTarget.value || null)}>
              <option value="">All {equipment.length}</option>
              <option value="active">{equipment.length - inactive} active</option>
              <option value="inactive">{inactive} inactive</option>
            </select>
          </>
        )
      }
    >
      {equipment.length === 0 ? (
        <Empty title="There is no equipment here yet." action={<Link to="/sites" query={{ import: 'equipment' }}>Import a CSV file</Link>}>
          Pumps, compressors, tanks: what has sensors and is operated.
        </Empty>
      ) : (
        <CardTable>
          <thead>
            <tr>
              {mayWrite && (
                <th scope="col" class="check">
                  <input
                    type="checkbox"
                    aria-label="Choose all"
                    checked={selected.length === shown.length && shown.length > 0}
                    onChange={(event) => choose(shown.map((one) => one.code), event.currentTarget.checked)}
                  />
                </th>
              )}
              <th scope="col">Equipment</th>
              <th scope="col">Location</th>
              <th scope="col">Status</th>
              <th scope="col">Newest values</th>
            </tr>
          </thead>
          <tbody>
            {treeOf(shown).map(({ one, depth }) => (
              <tr key={one.code}>
                {mayWrite && (
                  <td class="check">
                    <input
                      type="checkbox"
                      aria-label={`Choose ${one.code}`}
                      checked={chosen.has(one.code)}
                      onChange={(event) => choose([one.code], event.currentTarget.checked)}
                    />
                  </td>
                )}
                <td style={{ paddingLeft: `${0.75 + depth * 1.4}rem` }}>
                  {depth > 0 && (
                    <span class="part-of" title={`Part of ${one.parent}`}>
                      └
                    </span>
                  )}
                  <Link to={path`/equipment/${one.code}`}>{one.name ?? one.code}</Link>
                  <div class="muted mono">{one.code}</div>
                </td>
                <td>{one.location ?? <span class="muted">–</span>}</td>
                <td>
                  <div class="row">
                    <State value={one.status} />
                    <Worst alarms={alarms.filter((alarm) => alarm.equipment === one.code)} />
                  </div>
                </td>
                <td class="wide">
                  <NewestValues sensors={(sensors.data ?? []).filter((sensor) => sensor.equipment === one.code)} latest={latest.data} />
                </td>
              </tr>
            ))}
          </tbody>
        </CardTable>
      )}
    </Panel>
  )
}

function Worst({ alarms }: { alarms: Alarm[] }) {
  const severity = worstSeverity(alarms)
  return severity && <SeverityBadge severity={severity} count={alarms.length} />
}

function NewestValues({ sensors, latest }: { sensors: Sensor[]; latest: Map<string, Latest> | undefined }) {
  return (
    <div class="values">
      {sensors.map((sensor) => (
        <span key={sensor.id}>
          <Link to={path`/sensors/${sensor.id}`} aria-label={`${sensor.metric}: ${sensor.id}`}>
            {sensor.metric}
          </Link>{' '}
          {latest ? <LatestValue sensor={sensor} latest={latest.get(sensor.id)} /> : '…'}
        </span>
      ))}
    </div>
  )
}

/** Equipment with its parts below it; a part whose parent is not shown stands by itself. */
export function treeOf(equipment: Equipment[]): { one: Equipment; depth: number }[] {
  const codes = new Set(equipment.map((one) => one.code))
  const rows: { one: Equipment; depth: number }[] = []
  const seen = new Set<string>()
  const add = (one: Equipment, depth: number) => {
    if (seen.has(one.code)) return
    seen.add(one.code)
    rows.push({ one, depth })
    for (const part of equipment) if (part.parent === one.code) add(part, depth + 1)
  }
  for (const one of equipment) if (!one.parent || !codes.has(one.parent)) add(one, 0)
  return rows
}
