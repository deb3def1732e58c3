import type { Section } from '../registry'

export const data: Section = {
  name: 'Data',
  to: '/projects',
  action: 'project.list',
  hidden: true,
  screens: [
    { path: '/projects/:slug/data', load: () => import('./project-data') },
    { path: '/datasources/:slug/data', load: () => import('./datasource-data') },
  ],
}
