import type { Section } from '../registry'

export const dataOfProjects: Section = {
  name: 'Data of a project',
  to: '/projects',
  action: 'project.list',
  hidden: true,
  screens: [{ path: '/projects/:slug/data', load: () => import('./project-data') }],
}

export const dataOfDatasources: Section = {
  name: 'Data of a datasource',
  to: '/datasources',
  action: 'datasource.list',
  hidden: true,
  screens: [{ path: '/datasources/:slug/data', load: () => import('./datasource-data') }],
}
