/** Alarms as a table; those that wait for somebody can be chosen and acknowledged. */
import './alarms.css'
import { useState } from 'preact/hooks'
import { useMay } from '../../api/me'
import { Link, path } from '../../router'
import { CardTable } from '../../ui/list'
import { Button } from '../../ui/parts'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { Acknowledge } from './acknowledge'
import { AlarmState, ChartLink, severityOf, SeverityBadge, whyText, type Alarm } from './why'

export function AlarmTable(props: { alarms: Alarm[]; onChange: (changed: Alarm[]) => void; withoutSensor?: boolean }) {
  const { alarms } = props
  const may = useMay('alarm.acknowledge')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [acknowledging, setAcknowledging] = useState<Alarm[] | null>(null)
  const open = may ? alarms.filter((alarm) => alarm.acknowledged_at === null) : []
  const selected = open.filter((alarm) => chosen.has(alarm.id))
  const choose = (ids: string[], on: boolean) =>
    setChosen((before) => new Set(on ? [...before, ...ids] : [...before].filter((id) => !ids.includes(id))))
  return (
    <>
      {open.length > 1 && (
        <div class="row more">
          <label class="row">
            <input
              type="checkbox"
              checked={selected.length === open.length}
              onChange={(event) => choose(open.map((alarm) => alarm.id), event.currentTarget.checked)}
            />
            All {open.length} not acknowledged
          </label>
          <Button look="primary" disabled={selected.length === 0} onClick={() => setAcknowledging(selected)}>
            Acknowledge {selected.length || ''} selected
          </Button>
        </div>
      )}
      <CardTable class="alarms">
        <thead>
          <tr>
            {open.length > 1 && (
              <th scope="col" class="check">
                <span class="hidden-text">Choose</span>
              </th>
            )}
            <th scope="col">Severity</th>
            {!props.withoutSensor && <th scope="col">Sensor</th>}
            <th scope="col">Why</th>
            <th scope="col">Raised</th>
            <th scope="col">State</th>
            <th scope="col">
              <span class="hidden-text">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {alarms.map((alarm) => {
            const waits = open.includes(alarm)
            return (
              <tr key={alarm.id}>
                {open.length > 1 && (
                  <td class="check">
                    {waits && (
                      <input
                        type="checkbox"
                        aria-label={`Choose the alarm of ${alarm.sensor} of ${alarm.raised_at}`}
                        checked={chosen.has(alarm.id)}
                        onChange={(event) => choose([alarm.id], event.currentTarget.checked)}
                      />
                    )}
                  </td>
                )}
                <td>
                  <SeverityBadge severity={severityOf(alarm)} />
                </td>
                {!props.withoutSensor && <SensorCell alarm={alarm} />}
                <td class="wide">
                  {whyText(alarm)}
                  {alarm.comment && <div class="muted">“{alarm.comment}”</div>}
                </td>
                <td>
                  <Time at={alarm.raised_at} />
                </td>
                <td>
                  <AlarmState alarm={alarm} />
                  <When alarm={alarm} />
                </td>
                <td>
                  <div class="row">
                    <ChartLink alarm={alarm} />
                    {waits && (
                      <Button onClick={() => setAcknowledging([alarm])} aria-label={`Acknowledge the alarm of ${alarm.sensor}`}>
                        Acknowledge
                      </Button>
                    )}
                  </div>
                </td>
              </tr>
            )
          })}
        </tbody>
      </CardTable>
      {acknowledging && (
        <Acknowledge
          alarms={acknowledging}
          onClose={() => setAcknowledging(null)}
          onDone={(changed) => {
            choose(changed.map((alarm) => alarm.id), false)
            props.onChange(changed)
          }}
        />
      )}
    </>
  )
}

function SensorCell({ alarm }: { alarm: Alarm }) {
  return (
    <td class="wide">
      <Link to={path`/sensors/${alarm.sensor}`}>{alarm.sensor}</Link>
      <div class="muted">
        {alarm.metric} of <Link to={path`/equipment/${alarm.equipment}`}>{alarm.equipment}</Link>
        {alarm.site && (
          <>
            {' '}
            at <Link to={path`/sites/${alarm.site}`}>{alarm.site}</Link>
          </>
        )}
      </div>
    </td>
  )
}

function When({ alarm }: { alarm: Alarm }) {
  return (
    <>
      {alarm.cleared_at && (
        <div class="muted">
          <Time at={alarm.cleared_at} />
        </div>
      )}
      {alarm.acknowledged_at && (
        <div class="muted">
          acknowledged <Time at={alarm.acknowledged_at} /> by <Who id={alarm.acknowledged_by!} />
        </div>
      )}
    </>
  )
}
