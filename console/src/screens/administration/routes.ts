import type { Section } from '../registry'

export const administration: Section = {
  name: 'Administration',
  to: '/administration/keys',
  action: 'key.manage',
  screens: [
    { path: '/administration/keys', load: () => import('./keys') },
    { path: '/administration/secrets', action: 'secret.manage', load: () => import('./secrets') },
    { path: '/administration/users', load: () => import('./users') },
    { path: '/administration/webhooks', action: 'subscription.list', load: () => import('./webhooks') },
    { path: '/administration/audit', action: 'audit.read', load: () => import('./audit') },
  ],
}
