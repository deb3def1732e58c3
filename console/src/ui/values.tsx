/** Values of the API as people read them: times, sizes, numbers and durations. */
import { useEffect, useState } from 'preact/hooks'
import { writeJson } from '../api/json'
// For its effect: the pages with names import this module, and what is drawn after that is drawn so.

/** Each with its seconds; the long ones are said from two of them on, since "last year" may be a week ago or two years. */
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** A number with all its digits, thousands set apart; a dash for null. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const text = Object.is(value, -0) ? '-0.0' : String(value)
  return text.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','))
}

/** A number of bytes in kB, MB or GB. */
export function formatBytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let [size, unit] = [value, 0]
  // By what is shown: 999.9 kB is 1 MB.
  while (rounded(size) >= 1000 && unit < units.length - 1) [size, unit] = [size / 1000, unit + 1]
  return `${unit === 0 ? size : rounded(size)} ${units[unit]}`
}

function rounded(size: number): number {
  return Number(size.toPrecision(3))
}

/** Seconds as `0.8 s`, `2 min 5 s` or `3 h 4 min`. */
export function formatSeconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (value < 9.95) return `${value.toFixed(1)} s`
  const seconds = Math.round(value)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(value / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** The seconds between two times of the API; until now without the second. */
export function secondsBetween(start: string | null | undefined, end?: string | null): number | null {
  if (!start) return null
  return Math.max(0, ((end ? Date.parse(end) : Date.now()) - Date.parse(start)) / 1000)
}

/** A time as `5 minutes ago` or `in 7 days`, which it still is some seconds later. */
export function formatAge(time: string, now = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000
  const isAhead = seconds > 0
  const least = (size: number) => (size > 86400 ? 2 * size : size) * (isAhead ? 0.99 : 1)
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= least(size)) ?? ['second', 1]
  return RELATIVE.format(isAhead ? Math.round(seconds / size) : Math.trunc(seconds / size), unit)
}

/** A time, by its age; the exact one is its tooltip. */
export function Time(props: { at: string | null | undefined }) {
  const [, draw] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => draw((turn) => turn + 1), 30_000)
    return () => clearInterval(timer)
  }, [])
  if (!props.at) return <span class="muted">–</span>
  return (
    <time dateTime={props.at} title={props.at}>
      {formatAge(props.at)}
    </time>
  )
}

/** Any JSON value, indented. */
export function Json(props: { value: unknown }) {
  return <pre>{writeJson(props.value, 2)}</pre>
}
