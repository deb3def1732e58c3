import type { Section } from '../registry'

export const runs: Section = {
  name: 'Runs',
  to: '/runs',
  action: 'run.list',
  screens: [
    { path: '/runs', load: () => import('./runs') },
    { path: '/runs/:id', load: () => import('./run') },
    { path: '/runs/:id/pages/:number', load: () => import('./raw-page') },
  ],
}
