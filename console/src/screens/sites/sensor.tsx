/** A sensor: its newest value, its limits, its alarms and its readings. */
import { useState } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { path, Link, useArrival } from '../../router'
import type { ScreenProps } from '../registry'
import { ConfirmButton } from '../../ui/dialog'
import { Button, Page, Panel } from '../../ui/parts'
import { OpenAlarms, useOpenAlarms } from './active-alarms'
import { SensorForm } from './forms'
import { ShowOrGone } from './gone'
import { History } from './history'
import { LatestTime, LatestValue, limitsText, useLatest } from './latest'
import type { Sensor } from './points'
import { Readings } from './readings'
import { SendReading } from './send-readings'

export default function SensorPage({ parameters }: ScreenProps) {
  const id = parameters.id!
  const sensor = useLoad(() => ok(api.GET('/v1/sensors/{sensor_id}', { params: { path: { sensor_id: id } } })), [id])
  return (
    <ShowOrGone from={sensor} of="sensor" id={id}>
      {(data) => (
        // A change of the limits is drawn at once.
        <SensorScreen key={data.etag} sensor={data} onChange={sensor.reload} />
      )}
    </ShowOrGone>
  )
}

function SensorScreen({ sensor, onChange }: { sensor: Sensor; onChange: () => void }) {
  const arrive = useArrival()
  const [changing, setChanging] = useState(false)
  const [sending, setSending] = useState(false)
  const [sent, setSent] = useState(0)
  const [mayWrite, maySend] = [useMay('asset.write'), useMay('reading.write')]
  const latest = useLatest({ sensor: [sensor.id] })
  const alarms = useOpenAlarms({ sensor: sensor.id })
  const equipment = useLoad(() => ok(api.GET('/v1/equipment/{code}', { params: { path: { code: sensor.equipment } } })), [sensor.equipment])
  const site = equipment.data?.site
  const newest = latest.data?.get(sensor.id)
  const remove = async () => {
    await ok(api.DELETE('/v1/sensors/{sensor_id}', { params: { path: { sensor_id: sensor.id }, header: { 'If-Match': `"${sensor.etag}"` } } }))
    arrive(path`/equipment/${sensor.equipment}`)
  }
  return (
    <Page
      title={sensor.id}
      crumbs={[
        { to: '/sites', text: 'Sites' },
        ...(site ? [{ to: path`/sites/${site}`, text: site }] : []),
        { to: path`/equipment/${sensor.equipment}`, text: sensor.equipment },
      ]}
      actions={
        mayWrite && (
          <>
            <Button onClick={() => setChanging(true)}>Change</Button>
            <ConfirmButton text="Delete" look="danger" question={`The sensor ${sensor.id} is deleted, and its alarms are cleared.`} work={remove} />
          </>
        )
      }
    >
      <Panel>
        <dl class="facts">
          <div>
            <dt>{sensor.metric}</dt>
            <dd>{latest.data ? <LatestValue sensor={sensor} latest={newest} /> : '…'}</dd>
          </div>
          <div>
            <dt>Newest reading</dt>
            <dd>
              <LatestTime latest={newest} />
            </dd>
          </div>
          <div>
            <dt>Limits</dt>
            <dd>{limitsText(sensor) || 'none'}</dd>
          </div>
        </dl>
        <Link to="/alarms" query={{ sensor: sensor.id, state: 'all' }}>
          All alarms of this sensor
        </Link>
      </Panel>
      <OpenAlarms from={alarms} query={{ sensor: sensor.id }} />
      <Readings
        key={sent}
        sensors={[sensor]}
        newest={newest?.time}
        actions={maySend && <Button onClick={() => setSending(true)}>Send a reading</Button>}
      />
      <History of="sensor" id={sensor.id} version={sensor.etag} />
      {changing && <SensorForm equipment={sensor.equipment} sensor={sensor} onClose={() => setChanging(false)} onSaved={onChange} />}
      {sending && (
        <SendReading
          sensor={sensor.id}
          unit={sensor.unit}
          onClose={() => setSending(false)}
          onDone={() => {
            setSent(sent + 1)
            latest.reload()
            alarms.reload()
          }}
        />
      )}
    </Page>
  )
}
