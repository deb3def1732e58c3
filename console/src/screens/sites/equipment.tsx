/** A piece of equipment: its sensors with their newest values, charts of those chosen, operations and history. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { all, api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { found, onlyAs } from '../../api/overtaken'
import { path, Link, useArrival, useParameter } from '../../router'
import type { ScreenProps } from '../registry'
import { CardTable } from '../../ui/list'
import { Button, Empty, Page, Panel, Show, State } from '../../ui/parts'
import { RemoveButton } from '../../ui/remove'
import { OpenAlarms, useOpenAlarms } from './active-alarms'
import { ChangeEquipment, equipmentText, SensorForm } from './forms'
import { ShowOrGone } from './gone'
import { History } from './history'
import { LatestTime, LatestValue, limitsText, useLatest, useSensors, type Latest } from './latest'
import { Operations } from './operations'
import type { Sensor } from './points'
import { Readings } from './readings'
import { StatusButtons, type Equipment } from './status'

export default function EquipmentPage({ parameters }: ScreenProps) {
  const code = parameters.code!
  const equipment = useLoad(() => ok(api.GET('/v1/equipment/{code}', { params: { path: { code } } })), [code])
  return (
    <ShowOrGone from={equipment} of="equipment" id={code}>
      {(data) => <EquipmentScreen equipment={data} onChange={equipment.reload} />}
    </ShowOrGone>
  )
}

function EquipmentScreen({ equipment, onChange }: { equipment: Equipment; onChange: () => void }) {
  const arrive = useArrival()
  const { code, site } = equipment
  const params = { path: { code } }
  const [adding, setAdding] = useState(false)
  const [changing, setChanging] = useState(false)
  const mayWrite = useMay('asset.write')
  const sensors = useSensors({ equipment: code })
  const latest = useLatest({ equipment: code })
  const alarms = useOpenAlarms({ equipment: code })
  const [parameter, setChosen] = useParameter('sensors')
  // The first sensor is drawn until others are chosen.
  const ids = parameter === null ? (sensors.data ?? []).slice(0, 1).map((sensor) => sensor.id) : parameter.split(',')
  const chosen = (sensors.data ?? []).filter((sensor) => ids.includes(sensor.id))
  const newest = chosen.map((sensor) => latest.data?.get(sensor.id)?.time).sort().at(-1)
  const choose = (id: string, on: boolean) => {
    const next = on ? [...ids, id] : ids.filter((one) => one !== id)
    setChosen(next.join(',') || 'none')
  }
  return (
    <Page
      title={equipment.name ?? code}
      crumbs={[
        { to: '/sites', text: 'Sites' },
        { to: path`/sites/${site}`, text: site },
      ]}
      actions={
        mayWrite && (
          <>
            <StatusButtons equipment={[equipment]} onChange={onChange} />
            <Button onClick={() => setChanging(true)}>Change</Button>
            <RemoveButton
              text="Delete"
              question={`${code} is deleted. Equipment that has sensors or parts cannot be.`}
              seen={equipment}
              load={() => found(ok(api.GET('/v1/equipment/{code}', { params })))}
              describe={equipmentText}
              remove={(etag) => ok(api.DELETE('/v1/equipment/{code}', { params, headers: onlyAs({ etag }) }))}
              onRemoved={() => arrive(path`/sites/${site}`)}
              onKept={onChange}
            />
          </>
        )
      }
    >
      <Facts equipment={equipment} />
      <OpenAlarms from={alarms} query={{ equipment: code }} />
      <Panel title="Sensors" flush actions={mayWrite && <Button onClick={() => setAdding(true)}>Add a sensor</Button>}>
        <Show from={sensors}>
          {(items) =>
            items.length > 0 ? (
              <SensorTable sensors={items} latest={latest.data} chosen={ids} onChoose={choose} />
            ) : (
              <Empty title="It has no sensors yet.">Add one, or import a CSV file on the page of the sites.</Empty>
            )
          }
        </Show>
      </Panel>
      {chosen.length > 0 && <Readings sensors={chosen} newest={newest} />}
      <Operations equipment={code} />
      <History of="equipment" id={code} version={equipment.etag} />
      {changing && <ChangeEquipment equipment={equipment} onClose={() => setChanging(false)} onSaved={onChange} />}
      {adding && <SensorForm equipment={code} onClose={() => setAdding(false)} />}
    </Page>
  )
}

function Facts({ equipment }: { equipment: Equipment }) {
  const { code, site } = equipment
  const parts = useLoad(
    () => all((cursor) => ok(api.GET('/v1/equipment', { params: { query: { site, cursor, limit: 200 } } }))),
    [site],
  )
  const children = (parts.data ?? []).filter((one) => one.parent === code)
  return (
    <Panel>
      <dl class="facts">
        <Fact name="Status">
          <State value={equipment.status} />
        </Fact>
        <Fact name="Code">{code}</Fact>
        <Fact name="Site">
          <Link to={path`/sites/${site}`}>{site}</Link>
        </Fact>
        <Fact name="Location">{equipment.location ?? '–'}</Fact>
        {equipment.parent && (
          <Fact name="Part of">
            <Link to={path`/equipment/${equipment.parent}`}>{equipment.parent}</Link>
          </Fact>
        )}
        {children.length > 0 && (
          <Fact name="Parts">
            <span class="values">
              {children.map((child) => (
                <Link key={child.code} to={path`/equipment/${child.code}`}>
                  {child.code}
                </Link>
              ))}
            </span>
          </Fact>
        )}
      </dl>
    </Panel>
  )
}

function Fact(props: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}

function SensorTable(props: {
  sensors: Sensor[]
  latest: Map<string, Latest> | undefined
  chosen: string[]
  onChoose: (id: string, on: boolean) => void
}) {
  return (
    <CardTable>
      <thead>
        <tr>
          <th scope="col" class="check">
            Chart
          </th>
          <th scope="col">Sensor</th>
          <th scope="col">Metric</th>
          <th scope="col" class="number">
            Newest value
          </th>
          <th scope="col">Read</th>
          <th scope="col">Limits</th>
        </tr>
      </thead>
      <tbody>
        {props.sensors.map((sensor) => (
          <tr key={sensor.id}>
            <td class="check">
              <input
                type="checkbox"
                aria-label={`Chart of ${sensor.id}`}
                checked={props.chosen.includes(sensor.id)}
                onChange={(event) => props.onChoose(sensor.id, event.currentTarget.checked)}
              />
            </td>
            <td>
              <Link to={path`/sensors/${sensor.id}`}>{sensor.id}</Link>
            </td>
            <td>{sensor.metric}</td>
            <td class="number">{props.latest ? <LatestValue sensor={sensor} latest={props.latest.get(sensor.id)} /> : '…'}</td>
            <td>
              <LatestTime latest={props.latest?.get(sensor.id)} />
            </td>
            <td class="wide muted">{limitsText(sensor) || 'none'}</td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}
