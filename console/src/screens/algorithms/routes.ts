import type { Section } from '../registry'

export const algorithms: Section = {
  name: 'Algorithms',
  to: '/algorithms',
  action: 'algorithm.read',
  screens: [
    { path: '/algorithms', load: () => import('./catalogue') },
    { path: '/algorithms/:name', load: () => import('./algorithm') },
    { path: '/runs/compare', load: () => import('./compare') },
  ],
}

/** What a project computes with algorithms. */
export const algorithmsOfProjects: Section = {
  name: 'Algorithms of a project',
  to: '/projects',
  action: 'algorithm.read',
  hidden: true,
  screens: [
    { path: '/projects/:slug/algorithms', load: () => import('./of-project') },
    { path: '/projects/:slug/algorithms/:name', load: () => import('./project') },
  ],
}
