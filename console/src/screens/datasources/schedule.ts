/** Schedules in words. */
import type { Schemas } from '../../api/client'

/** A schedule as `every 10 minutes`; a cron expression stays as it is. */
export function scheduleText(schedule: Schemas['Schedule'] | null | undefined): string {
  if (!schedule) return 'on request'
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(schedule.expression)
  if (rate) return rate[1] === '1' ? `every ${rate[2]}` : `every ${rate[1]} ${rate[2]}s`
  const zone = schedule.timezone && schedule.timezone !== 'UTC' ? ` ${schedule.timezone}` : ''
  return schedule.expression.replace(/^cron\((.*)\)$/, '$1') + zone
}
