/** The readings of sensors: charts over one span, and the same values as a table. */
import './sites.css'
import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useKept } from '../../api/kept'
import { useAction, useLoad } from '../../api/load'
import { useParameter } from '../../router'
import { TimeChart } from '../../ui/chart'
import { saveAs } from '../../ui/download'
import { DataGrid } from '../../ui/grid'
import { Button, Empty, Note, Panel, ProblemNote } from '../../ui/parts'
import { formatNumber } from '../../ui/values'
import { readingsAsCsv } from './csv'
import { chartOf, isGood, limitLines, loadPoints, nearLimits, RESOLUTIONS, type Points, type PointsOfSpan, type Resolution, type Sensor } from './points'
import { localTime, TIME_ZONE } from '../../ui/time'
import { isLive, presentSpan, showSpan, useSpan, type Span } from './span'
import { SpanControls } from './span-controls'

const REFRESH_MS = 10_000

export function Readings(props: { sensors: Sensor[]; newest: string | undefined; actions?: ComponentChildren }) {
  const { sensors } = props
  const chosen = useSpan()
  const [parameter, setResolution] = useParameter('resolution')
  const resolution = parameter !== null && Object.hasOwn(RESOLUTIONS, parameter) ? (parameter as Resolution) : null
  const ids = sensors.map((sensor) => sensor.id).join(' ')
  const points = useLoad(
    () => loadPoints(sensors, chosen, resolution),
    [ids, chosen.last, chosen.fixed?.from, chosen.fixed?.to, resolution],
    () => (isLive(chosen) ? REFRESH_MS : 0),
  )
  const data = useKept(points.data, ids)
  const save = useAction(async (sensor: Sensor) => {
    await saveAs(await readingsAsCsv(sensor.id, presentSpan(chosen), resolution), `${sensor.id}.csv`)
  })
  return (
    <>
      <Panel
        title="Readings"
        actions={
          <>
            {props.actions}
            {sensors.map((sensor) => (
              <Button key={sensor.id} busy={save.busy} onClick={() => save.run(sensor)} aria-label={`Download CSV of ${sensor.id}`}>
                {sensors.length > 1 ? `${sensor.metric} as CSV` : 'Download CSV'}
              </Button>
            ))}
          </>
        }
      >
        <div class="stack">
          <SpanControls chosen={chosen} resolution={resolution} onResolution={setResolution} />
          <ProblemNote error={save.error} />
          <ProblemNote error={points.error} retry={points.reload} />
          {data ? (
            <Charts data={data} live={isLive(chosen)} newest={props.newest} />
          ) : (
            points.loading && <div class="loading" role="status">Loading …</div>
          )}
        </div>
      </Panel>
      {data && data.lines.some((line) => line.items.length > 0) && <Values lines={data.lines} />}
    </>
  )
}

function Charts({ data, live, newest }: { data: PointsOfSpan; live: boolean; newest: string | undefined }) {
  const { lines, span } = data
  if (lines.every((line) => line.items.length === 0)) return <NoReadings newest={newest} span={span} />
  const units = [...new Set(lines.map((line) => line.sensor.unit ?? ''))]
  const resolutions = [...new Set(lines.map((line) => line.resolution))]
  const count = lines.reduce((sum, line) => sum + line.items.length, 0)
  const cut = lines.filter((line) => line.cut)
  return (
    <>
      {cut.length > 0 && (
        <Note tone="warn">Only the first {formatNumber(cut[0]!.items.length)} readings are shown. Choose a shorter span or a coarser resolution.</Note>
      )}
      {units.map((unit) => (
        <UnitChart
          key={unit}
          unit={unit}
          lines={lines.filter((line) => (line.sensor.unit ?? '') === unit)}
          firstColor={lines.findIndex((line) => (line.sensor.unit ?? '') === unit)}
          span={span}
          live={live}
        />
      ))}
      <p class="muted chart-note" data-resolution={resolutions.join(' ')}>
        Resolution: <strong>{resolutions.map((name) => RESOLUTIONS[name]).join('; ')}</strong>
        {resolutions.some((name) => name !== 'raw') && ', of readings of good quality'}. {count === 1 ? '1 point' : `${formatNumber(count)} points`}.
        Times are in {TIME_ZONE}. A line is broken where readings are missing.{' '}
        {live ? 'New readings appear by themselves.' : 'The span is in the past.'} Select with the mouse to zoom in; double-click to go back.
      </p>
    </>
  )
}

/** The lines of one unit; those of other units are in charts of their own above or below, with the same span and cursor. */
function UnitChart(props: { unit: string; lines: Points[]; firstColor: number; span: Span; live: boolean }) {
  const { unit, lines, firstColor, span, live } = props
  const chart = useMemo(() => chartOf(lines, firstColor), [firstColor, lines[0]?.items, lines.length, lines.map((line) => line.sensor.id).join()])
  const alone = lines.length === 1 ? lines[0]!.sensor : null
  const alarms = useAlarmMarks(alone, live)
  const names = lines.map((line) => line.sensor.id).join(', ')
  return (
    <TimeChart
      label={`${names} from ${localTime(span.from)} to ${localTime(span.to)}${unit && `, in ${unit}`}`}
      {...chart}
      span={span}
      unit={unit}
      height={280}
      limits={alone ? limitLines(alone) : []}
      include={alone ? nearLimits(alone) : []}
      marks={alarms}
      group="readings"
      onZoom={showSpan}
    />
  )
}

function useAlarmMarks(sensor: Sensor | null, live: boolean): { label: string; time: number }[] {
  const alarms = useLoad(
    sensor && (() => ok(api.GET('/v1/alarms', { params: { query: { sensor: sensor.id, limit: 200 } } }))),
    [sensor?.id],
    () => (live ? REFRESH_MS : 0),
  )
  return useMemo(
    () => (alarms.data?.items ?? []).map((alarm: Schemas['AlarmView']) => ({ label: alarm.level.replace('_', ' '), time: Date.parse(alarm.raised_at) / 1000 })),
    [alarms.data],
  )
}

function NoReadings({ newest, span }: { newest: string | undefined; span: Span }) {
  const at = newest === undefined ? null : Date.parse(newest) / 1000
  const half = (span.to - span.from) / 2
  return (
    <Empty
      title="There are no readings in this span."
      action={at !== null && <Button onClick={() => showSpan({ from: at - half, to: at + half })}>Go to the newest reading</Button>}
    >
      {at !== null ? `The newest one is of ${localTime(at)}.` : 'Send some first: by the form, as a file, or by a stream.'}
    </Empty>
  )
}

const COLUMNS = { raw: ['value', 'quality', 'revision'], rollup: ['avg', 'min', 'max', 'count', 'last'] } as const

/** The values of the charts as a table, for people who do not see them. */
function Values({ lines }: { lines: Points[] }) {
  const [chosen, choose] = useState(0)
  const points = lines[chosen] ?? lines[0]!
  const { items, times, resolution } = points
  const fields = resolution === 'raw' ? COLUMNS.raw : COLUMNS.rollup
  const columns = [{ name: 'time' }, ...fields.map((name) => ({ name, type: name === 'quality' ? 'string' : 'double' }))]
  const last = items.length - 1
  return (
    <Panel
      title="The same values as a table"
      actions={
        lines.length > 1 && (
          <select aria-label="Sensor" value={chosen} onChange={(event) => choose(Number(event.currentTarget.value))}>
            {lines.map((line, index) => (
              <option key={line.sensor.id} value={index}>
                {line.sensor.id}
              </option>
            ))}
          </select>
        )
      }
    >
      <Summary points={points} />
      {items.length > 0 && (
        <DataGrid
          label={`Readings of ${points.sensor.id}, the newest first`}
          columns={columns}
          rows={items.length}
          value={(row, column) => (column === 0 ? localTime(times[last - row]!) : (items[last - row]![fields[column - 1]!] ?? ''))}
          height="20rem"
        />
      )}
    </Panel>
  )
}

function Summary({ points: { items, sensor } }: { points: Points }) {
  const good = items.filter(isGood)
  if (good.length === 0) return <p class="muted">No reading of good quality.</p>
  const lowest = good.reduce((least, item) => Math.min(least, item.min ?? item.value ?? Infinity), Infinity)
  const highest = good.reduce((most, item) => Math.max(most, item.max ?? item.value ?? -Infinity), -Infinity)
  const count = good.reduce((sum, item) => sum + (item.count ?? 1), 0)
  const sum = good.reduce((sum, item) => sum + (item.sum ?? item.value ?? 0), 0)
  const unit = sensor.unit ? ` ${sensor.unit}` : ''
  const facts = [
    ['Lowest', formatNumber(lowest) + unit],
    ['Average', formatNumber(Number((sum / count).toPrecision(15))) + unit],
    ['Highest', formatNumber(highest) + unit],
    ['Readings of good quality', formatNumber(count)],
    ['Others', formatNumber(items.length - good.length)],
  ]
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
