import type { Section } from '../registry'

export const inputs: Section = {
  name: 'Inputs',
  to: '/inputs',
  action: 'input.list',
  screens: [
    { path: '/inputs', load: () => import('./list') },
    { path: '/inputs/:slug', load: () => import('./input') },
  ],
}
