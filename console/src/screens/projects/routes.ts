import type { Section } from '../registry'

export const projects: Section = {
  name: 'Projects',
  to: '/projects',
  action: 'project.list',
  screens: [
    { path: '/projects', load: () => import('./list') },
    { path: '/projects/:slug', load: () => import('./overview') },
    { path: '/projects/:slug/merge', load: () => import('./merge') },
    { path: '/projects/:slug/versions', load: () => import('./versions') },
    { path: '/projects/:slug/members', load: () => import('./members') },
  ],
}
