/** The span of time that a chart shows, as its address says: the last hour, or from one time to another. */
import { setParameters, usePlace } from '../../router'
import { timeText } from '../../ui/time'

export const SPANS = [
  { value: '1h', text: 'Last hour', seconds: 3600 },
  { value: '6h', text: 'Last 6 hours', seconds: 6 * 3600 },
  { value: '1d', text: 'Last day', seconds: 86400 },
  { value: '1w', text: 'Last week', seconds: 7 * 86400 },
  { value: '30d', text: 'Last 30 days', seconds: 30 * 86400 },
] as const
const DEFAULT = SPANS[2]

export interface Span {
  /** Unix seconds. */
  from: number
  to: number
}

/** What the address says of the span. */
export interface ChosenSpan {
  /** The name of a span that ends now. */
  last: string
  /** A span between two times; null: the one that ends now. */
  fixed: Span | null
}

export function useSpan(): ChosenSpan {
  const { query } = usePlace()
  const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')]
  const last = SPANS.find((span) => span.value === query.get('span')) ?? DEFAULT
  return { last: last.value, fixed: from < to ? { from: from / 1000, to: to / 1000 } : null }
}

/** The span at this moment. */
export function presentSpan(chosen: ChosenSpan): Span {
  if (chosen.fixed) return chosen.fixed
  const now = Math.ceil(Date.now() / 1000)
  const seconds = SPANS.find((span) => span.value === chosen.last)!.seconds
  return { from: now - seconds, to: now }
}

/** Whether readings may still arrive in it. */
export function isLive(chosen: ChosenSpan): boolean {
  return !chosen.fixed || chosen.fixed.to * 1000 > Date.now()
}

/** Show a span between two times; null returns to the one that ends now. A step of the history, so that one can go back. */
export function showSpan(span: Span | null): void {
  const shortest = span && span.to - span.from < 1 ? { from: span.from, to: span.from + 1 } : span
  setParameters({ from: shortest && timeText(shortest.from), to: shortest && timeText(shortest.to) })
}

export function showLast(value: string): void {
  setParameters({ span: value === DEFAULT.value ? null : value, from: null, to: null })
}

/** The query of the chart around a time, such as that of an alarm. */
export function around(start: string, end?: string | null): { from: string; to: string } {
  const [first, last] = [Date.parse(start) / 1000, Date.parse(end ?? start) / 1000]
  const margin = Math.max(1800, (last - first) / 4)
  return { from: timeText(first - margin), to: timeText(last + margin) }
}
