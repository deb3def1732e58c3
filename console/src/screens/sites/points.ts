/** Readings and rollups of the API as lines of a chart. */
import { ok, api, type Schemas } from '../../api/client'
import type { Series } from '../../ui/chart'
import { timeText } from '../../ui/time'
import { presentSpan, type ChosenSpan, type Span } from './span'

export type Sensor = Schemas['SensorView']
type Item = Schemas['SensorReading']
export type Resolution = Schemas['SensorReadingList']['resolution']

export interface Points {
  sensor: Sensor
  resolution: Resolution
  items: Item[]
  /** Unix seconds of each item. */
  times: number[]
  /** Whether there are more than are shown. */
  cut: boolean
}

export interface PointsOfSpan {
  span: Span
  lines: Points[]
}

const SECONDS: Record<Resolution, number> = { raw: 0, '1m': 60, '1h': 3600, '1d': 86400 }
export const RESOLUTIONS: Record<Resolution, string> = {
  raw: 'every reading',
  '1m': 'one point a minute',
  '1h': 'one point an hour',
  '1d': 'one point a day',
}
/** A browser draws as many without stutter; an API page has at most as many. */
const MOST_POINTS = 50_000
/** A line of readings is broken where this many usual distances have none. */
const GAP_DISTANCES = 5

/** The readings of sensors in a span; the API chooses the resolution unless one is given. */
export async function loadPoints(sensors: Sensor[], chosen: ChosenSpan, resolution: Resolution | null): Promise<PointsOfSpan> {
  const span = presentSpan(chosen)
  return { span, lines: await Promise.all(sensors.map((sensor) => pointsOf(sensor, span, resolution))) }
}

async function pointsOf(sensor: Sensor, span: Span, asked: Resolution | null): Promise<Points> {
  const items: Item[] = []
  let resolution = asked
  let cursor: string | undefined
  do {
    const query = {
      from: timeText(span.from),
      to: timeText(span.to),
      resolution: resolution ?? undefined,
      limit: resolution ? MOST_POINTS : undefined,
      cursor,
    }
    const answer = await ok(api.GET('/v1/sensors/{sensor_id}/readings', { params: { path: { sensor_id: sensor.id }, query } }))
    items.push(...answer.items)
    cursor = answer.next ?? undefined
    resolution ??= answer.resolution
  } while (cursor && items.length < MOST_POINTS)
  const times = items.map((item) => Date.parse(item.time) / 1000)
  return { sensor, resolution: resolution!, items, times, cut: cursor !== undefined }
}

/** The value that a line goes through. */
export function valueOf(item: Item): number | null {
  return item.value ?? item.avg ?? null
}

export function isGood(item: Item): boolean {
  return item.quality === undefined || item.quality === 'good'
}

/** How many seconds may lie between two points of an unbroken line. */
function longestStep({ resolution, times }: Points): number {
  if (resolution !== 'raw') return SECONDS[resolution] * 1.5
  const steps = times.slice(1).map((time, index) => time - times[index]!)
  steps.sort((left, right) => left - right)
  return (steps[Math.floor(steps.length / 2)] ?? 0) * GAP_DISTANCES
}

/** Where a line is broken: a time within each gap, for which the line has null. */
function gapTimes(points: Points): number[] {
  const longest = longestStep(points)
  const { times } = points
  return times.slice(1).flatMap((time, index) => (time - times[index]! > longest ? [(time + times[index]!) / 2] : []))
}

type Values = Series['values']

/** The lines of several sensors over all their times; a line goes on over the times of others, but not over its gaps. */
export function chartOf(lines: Points[], firstColor = 0): { times: number[]; series: Series[]; band?: [number, number] } {
  const gaps = lines.map(gapTimes)
  const times = [...new Set([...lines.flatMap((points) => points.times), ...gaps.flat()])].sort((left, right) => left - right)
  const places = new Map(times.map((time, index) => [time, index]))
  const spread = (index: number, value: (item: Item) => number | null): Values => {
    const values: Values = new Array(times.length).fill(undefined)
    for (const gap of gaps[index]!) values[places.get(gap)!] = null
    lines[index]!.items.forEach((item, at) => (values[places.get(lines[index]!.times[at]!)!] = value(item)))
    return values
  }
  const several = lines.length > 1
  const series: Series[] = lines.map((points, index) => ({
    label: several ? points.sensor.id : points.resolution === 'raw' ? points.sensor.metric : `${points.sensor.metric}, average`,
    color: chartColor(firstColor + index),
    values: spread(index, (item) => (isGood(item) ? valueOf(item) : null)),
  }))
  const [only] = lines
  if (several || !only) return { times, series }
  if (only.resolution === 'raw') {
    if (only.items.every(isGood)) return { times, series }
    const bad = spread(0, (item) => (isGood(item) ? null : valueOf(item)))
    return { times, series: [...series, { label: 'not of good quality', values: bad, points: true, color: '--bad' }] }
  }
  series.push({ label: 'highest', values: spread(0, (item) => item.max ?? null), thin: true, color: chartColor(firstColor) })
  series.push({ label: 'lowest', values: spread(0, (item) => item.min ?? null), thin: true, color: chartColor(firstColor) })
  return { times, series, band: [1, 2] }
}

function chartColor(index: number): string {
  return `--chart-${(index % 6) + 1}`
}

const LIMITS = ['high_high', 'high', 'low', 'low_low'] as const

/** The limits of a sensor as lines. */
export function limitLines(sensor: Sensor): { label: string; value: number }[] {
  return LIMITS.flatMap((name) => {
    const value = sensor.limits?.[name]
    return typeof value === 'number' ? [{ label: `${name.replace('_', ' ')} ${value}`, value }] : []
  })
}

/** Which limits the vertical axis shows in any case: the nearer ones, and no others, so that the values are not flattened. */
export function nearLimits(sensor: Sensor): number[] {
  const { high, high_high, low, low_low } = sensor.limits ?? {}
  return [high ?? high_high, low ?? low_low].filter((value): value is number => typeof value === 'number')
}
