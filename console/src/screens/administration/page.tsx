import type { ComponentChildren } from 'preact'
import { Page, Tabs } from '../../ui/parts'

const TABS = [
  { to: '/administration/keys', text: 'API keys' },
  { to: '/administration/secrets', text: 'Secrets' },
  { to: '/administration/users', text: 'Users' },
  { to: '/administration/webhooks', text: 'Webhooks' },
  { to: '/administration/audit', text: 'Audit' },
]

/** The frame of each page of the administration. */
export function AdministrationPage(props: { title: string; actions?: ComponentChildren; children: ComponentChildren }) {
  return (
    <Page title={props.title} actions={props.actions}>
      <Tabs label="Administration" tabs={TABS} />
      {props.children}
    </Page>
  )
}
