import type { Section } from '../registry'

export const sql: Section = {
  name: 'SQL',
  to: '/sql',
  action: 'project.list',
  screens: [{ path: '/sql', load: () => import('./sql') }],
}

/** What a project computes with SQL: tabs of the project lead to them. */
export const outputs: Section = {
  name: 'Models, endpoints and reports',
  to: '/projects',
  action: 'project.list',
  hidden: true,
  screens: [
    { path: '/projects/:slug/models', load: () => import('../models/models') },
    { path: '/projects/:slug/endpoints', load: () => import('../endpoints/endpoints') },
    { path: '/projects/:slug/reports', load: () => import('../reports/reports') },
    { path: '/projects/:slug/reports/:name', load: () => import('../reports/report') },
  ],
}
