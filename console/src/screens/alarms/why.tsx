/** What an alarm says: how severe it is, why it was raised, and the chart around that time. */
import type { Schemas } from '../../api/client'
import { Link, path } from '../../router'
import { Badge, State, type Tone } from '../../ui/parts'
import { formatNumber, formatSeconds } from '../../ui/values'
import { around } from '../sites/span'

export type Alarm = Schemas['AlarmView']
/** The most severe first. */
export const SEVERITIES = ['critical', 'warning', 'missing'] as const
export type Severity = (typeof SEVERITIES)[number]

const OF_LEVEL: Record<Alarm['level'], Severity> = {
  high_high: 'critical',
  low_low: 'critical',
  high: 'warning',
  low: 'warning',
  missing: 'missing',
}
const TONES: Record<Severity, Tone> = { critical: 'bad', warning: 'warn', missing: 'busy' }
export const SEVERITY_TEXTS: Record<Severity, string> = { critical: 'critical', warning: 'warning', missing: 'no data' }

export function severityOf(alarm: Alarm): Severity {
  return OF_LEVEL[alarm.level]
}

/** The most severe of some alarms. */
export function worstSeverity(alarms: Alarm[]): Severity | null {
  const present = new Set(alarms.map(severityOf))
  return SEVERITIES.find((severity) => present.has(severity)) ?? null
}

export function SeverityBadge({ severity, count }: { severity: Severity; count?: number }) {
  return (
    <Badge tone={TONES[severity]}>
      {count === undefined ? '' : `${count} `}
      {SEVERITY_TEXTS[severity]}
    </Badge>
  )
}

/** The state of an alarm; an active one is not good news. */
export function AlarmState({ alarm }: { alarm: Alarm }) {
  return alarm.state === 'active' ? <Badge tone="bad">active</Badge> : <State value={alarm.state} />
}

/** The limit and the value that passed it. */
export function whyText(alarm: Alarm): string {
  const unit = alarm.unit ? ` ${alarm.unit}` : ''
  if (alarm.kind === 'missing') {
    return alarm.limit === null ? 'No reading arrived for too long.' : `No reading for more than ${formatSeconds(alarm.limit).replace(/ 0 (s|min)$/, '')}.`
  }
  const side = alarm.kind === 'high' ? 'above' : 'below'
  const limit = alarm.limit === null ? 'a limit that was removed' : `${formatNumber(alarm.limit)}${unit}`
  return `${formatNumber(alarm.value)}${unit} is ${side} ${alarm.level.replace('_', ' ')}, ${limit}.`
}

export function ChartLink({ alarm }: { alarm: Alarm }) {
  return (
    <Link to={path`/sensors/${alarm.sensor}`} query={around(alarm.raised_at, alarm.cleared_at)}>
      Chart
      <span class="hidden-text"> of {alarm.sensor} around this alarm</span>
    </Link>
  )
}
