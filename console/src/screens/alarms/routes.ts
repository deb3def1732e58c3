import type { Section } from '../registry'

export const alarms: Section = {
  name: 'Alarms',
  to: '/alarms',
  action: 'alarm.read',
  screens: [{ path: '/alarms', load: () => import('./alarms') }],
}
