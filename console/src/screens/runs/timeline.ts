/** The events of a run as bars and marks over time, one drawing for each attempt. */
import type { Schemas } from '../../api/client'

type Event = Schemas['RunEventView']

export interface Bar {
  name: string
  kind: 'wait' | 'stage' | 'child'
  start: number
  end: number
  /** The status of a child run; null for stages, and while it is running. */
  status: string | null
  /** The child run. */
  run: string | null
  isOpen: boolean
}

/** Pages that were received, or failed, at about the same time. */
export interface Mark {
  at: number
  count: number
  failed: boolean
  text: string
}

export interface Attempt {
  number: number
  start: number
  end: number
  bars: Bar[]
  marks: Mark[]
  /** How many pages of earlier runs it reads again: they were received before it began. */
  earlier: number
}

const ENDED = ['succeeded', 'partial', 'failed', 'cancelled']
const MARKS = ['page', 'page_failed']
const CHILDREN = ['ingest_created', 'ingest_finished']
// Marks nearer than this share of the width are drawn as one.
const NEAR = 1 / 250

/** @param now the present time in milliseconds, where a run that has not ended reaches. */
export function attemptsOf(events: Event[], active: boolean, now: number): Attempt[] {
  const began = Math.min(...events.filter(({ event }) => !MARKS.includes(event)).map(({ time }) => Date.parse(time)))
  // Pages of earlier runs that this one reads again, of whichever attempt they were.
  const own = events.filter(({ event, time }) => !MARKS.includes(event) || Date.parse(time) >= began)
  const numbers = [...new Set(own.map((event) => event.attempt))].sort((a, b) => a - b)
  return numbers.map((number, index) => {
    const isLast = number === numbers.at(-1)
    const earlier = index === 0 ? events.length - own.length : 0
    return { ...attemptOf(number, own.filter((event) => event.attempt === number), active && isLast, now), earlier }
  })
}

function attemptOf(number: number, events: Event[], active: boolean, now: number): Omit<Attempt, 'earlier'> {
  const times = events.map((event) => Date.parse(event.time))
  const start = Math.min(...times)
  const end = Math.max(...times, active ? now : 0)
  const bars = [...stageBars(events, end, active), ...childBars(events, end)].sort((a, b) => a.start - b.start)
  return {
    number,
    start,
    end: Math.max(end, start + 1),
    bars,
    marks: marksOf(events, (end - start) * NEAR),
  }
}

function stageBars(events: Event[], end: number, active: boolean): Bar[] {
  const stages = events.filter(({ event }) => ![...MARKS, ...CHILDREN].includes(event))
  return stages.flatMap(({ event, time }, index) => {
    const next = stages[index + 1]
    if (ENDED.includes(event) || (!next && !active)) return []
    const from = Date.parse(time)
    const to = next ? Date.parse(next.time) : end
    // Between the start and the first stage there is nothing to see.
    if (event === 'started' && next && to - from < 100) return []
    const isWait = ['created', 'redriven', 'pending'].includes(event)
    const name = isWait ? 'waiting' : event === 'started' ? 'starting' : event.replaceAll('_', ' ')
    return [{ name, kind: isWait ? 'wait' : 'stage', start: from, end: to, status: null, run: null, isOpen: !next }]
  })
}

function childBars(events: Event[], end: number): Bar[] {
  return events
    .filter(({ event }) => event === 'ingest_created')
    .map(({ time, detail }) => {
      const finished = events.find((other) => other.event === 'ingest_finished' && other.detail.run === detail.run)
      return {
        name: String(detail.datasource),
        kind: 'child',
        start: Date.parse(time),
        end: finished ? Date.parse(finished.time) : end,
        status: finished ? String(finished.detail.status) : null,
        run: String(detail.run),
        isOpen: !finished,
      }
    })
}

function marksOf(events: Event[], near: number): Mark[] {
  const marks: Mark[] = []
  for (const { event, time, detail } of events) {
    if (!MARKS.includes(event)) continue
    const [at, failed] = [Date.parse(time), event === 'page_failed']
    const last = marks.findLast((mark) => mark.failed === failed)
    if (last && at - last.at <= near) {
      last.count++
      last.text = failed ? `${last.count} failed requests` : `${last.count} pages`
    } else {
      marks.push({ at, count: 1, failed, text: failed ? `page ${detail.number} failed: ${detail.reason}` : `page ${detail.number}` })
    }
  }
  return marks
}

/** What happened, in words. */
export function eventText({ event, detail }: Event): string {
  switch (event) {
    case 'page':
      return `Page ${detail.number} received${detail.status ? ` with status ${detail.status}` : ''}${detail.rows === null ? '' : `, ${detail.rows} records`}`
    case 'page_failed':
      return `Page ${detail.number} failed${detail.status ? ` with status ${detail.status}` : ''}: ${detail.reason}`
    case 'ingest_created':
      return `Ingest of ${detail.datasource} requested`
    case 'ingest_finished':
      return `Ingest of ${detail.datasource} ended: ${detail.status}`
    case 'created':
      return 'Requested'
    case 'redriven':
      return 'Redriven'
    case 'started':
      return 'Began'
    default:
      return ENDED.includes(event) ? `Ended: ${event}` : `Stage ${event.replaceAll('_', ' ')}`
  }
}
