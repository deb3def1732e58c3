import type { Section } from '../registry'

export const datasources: Section = {
  name: 'Datasources',
  to: '/datasources',
  action: 'datasource.list',
  screens: [
    { path: '/datasources', load: () => import('./list') },
    // Before the pages of one: `new` is no slug there.
    { path: '/datasources/new', action: 'datasource.create', load: () => import('./new') },
    { path: '/datasources/:slug', load: () => import('./overview') },
    { path: '/datasources/:slug/schema', load: () => import('./schema') },
    { path: '/datasources/:slug/edit', load: () => import('./edit') },
    { path: '/datasources/:slug/quarantine', load: () => import('./quarantine') },
    { path: '/datasources/:slug/members', load: () => import('./members') },
  ],
}
