import type { Section } from '../registry'

export const sites: Section = {
  name: 'Sites and sensors',
  to: '/sites',
  action: 'asset.read',
  screens: [
    { path: '/sites', load: () => import('./sites') },
    { path: '/sites/:code', load: () => import('./site') },
    { path: '/equipment/:code', load: () => import('./equipment') },
    { path: '/sensors/:id', load: () => import('./sensor') },
  ],
}
