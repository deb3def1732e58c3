/** The newest values of sensors, asked for anew while one looks. */
import { all, api, ok, type Schemas } from '../../api/client'
import { useLoad, type Loaded } from '../../api/load'
import { Badge } from '../../ui/parts'
import { formatNumber, Time } from '../../ui/values'
import type { Sensor } from './points'

export type Latest = Schemas['LatestReading']
const REFRESH_MS = 10_000

/** The newest reading of each sensor of a site, of a piece of equipment, or of one sensor; by the sensor's id. */
export function useLatest(query: { site?: string; equipment?: string; sensor?: string[] }): Loaded<Map<string, Latest>> {
  return useLoad(
    async () => {
      const items = await all((cursor) => ok(api.GET('/v1/readings/latest', { params: { query: { ...query, cursor } } })))
      return new Map(items.map((item) => [item.sensor, item]))
    },
    [JSON.stringify(query)],
    () => REFRESH_MS,
  )
}

/** All sensors of a site or of a piece of equipment. */
export function useSensors(query: { site?: string; equipment?: string }): Loaded<Sensor[]> {
  return useLoad(
    () => all((cursor) => ok(api.GET('/v1/sensors', { params: { query: { ...query, cursor, limit: 200 } } }))),
    [JSON.stringify(query)],
  )
}

/** Which limit a value has passed; null: none. */
export function passedLimit(sensor: Sensor, value: number): string | null {
  const { high_high, high, low, low_low } = sensor.limits ?? {}
  if (typeof high_high === 'number' && value > high_high) return 'high high'
  if (typeof high === 'number' && value > high) return 'high'
  if (typeof low_low === 'number' && value < low_low) return 'low low'
  if (typeof low === 'number' && value < low) return 'low'
  return null
}

/** A newest value with its unit, and what is wrong with it. */
export function LatestValue({ sensor, latest }: { sensor: Sensor; latest: Latest | undefined }) {
  if (!latest) return <span class="muted">no reading</span>
  const passed = latest.quality === 'good' ? passedLimit(sensor, latest.value) : null
  return (
    <span class={`value ${passed ? 'beyond' : ''}`} title={latest.time}>
      {formatNumber(latest.value)} {sensor.unit}
      {passed && ` (${passed})`} {latest.quality !== 'good' && <Badge tone="warn">{latest.quality} quality</Badge>}
    </span>
  )
}

export function LatestTime({ latest }: { latest: Latest | undefined }) {
  return <Time at={latest?.time} />
}

/** The limits of a sensor in words. */
export function limitsText(sensor: Sensor): string {
  const { limits, unit } = sensor
  const names = ['low_low', 'low', 'high', 'high_high', 'deadband'] as const
  const parts = names.flatMap((name) => {
    const value = limits?.[name]
    return typeof value === 'number' ? [`${name.replace('_', ' ')} ${formatNumber(value)}${unit ? ` ${unit}` : ''}`] : []
  })
  if (limits?.missing_after_seconds) parts.push(`missing after ${limits.missing_after_seconds} s`)
  return parts.join(', ')
}
