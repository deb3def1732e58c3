import type { Section } from '../registry'

export const home: Section = {
  name: 'Home',
  to: '/',
  action: 'project.list',
  screens: [{ path: '/', load: () => import('./home') }],
}
