/** States of a project in words. */
import type { Schemas } from '../../api/client'

/** Whether a run changes by itself. */
export function isActive(run: Schemas['RunView'] | undefined): boolean {
  return run?.status === 'pending' || run?.status === 'running'
}

/** What starts a project's refreshes. */
export function howItRefreshes(project: Pick<Schemas['Project'], 'enabled' | 'refresh_on' | 'schedule'>): string {
  if (!project.enabled) return 'only on request, since it is disabled'
  const schedule = project.schedule && `${project.schedule.expression}, ${project.schedule.timezone ?? 'UTC'}`
  if (project.refresh_on === 'change') {
    return `after each change of a datasource${schedule ? `, and by ${schedule}` : ''}`
  }
  if (project.refresh_on === 'schedule') return `by ${schedule}`
  return 'only on request'
}

const TRIGGERS: Record<string, string> = {
  api: 'requested',
  schedule: 'by the schedule',
  drop: 'a file arrived',
  push: 'records were posted',
  stream: 'records arrived',
  change: 'something it reads changed',
  refresh: 'by a refresh',
  redrive: 'run again',
  read: 'asked for by a reader',
}

/** What started a run. */
export function whatStarted(run: Schemas['RunView']): string {
  return TRIGGERS[run.trigger] ?? run.trigger
}
