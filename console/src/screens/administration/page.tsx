import type { ComponentChildren } from 'preact'
import type { List } from '../../api/list'
import { useMe } from '../../api/me'
import { ListTable, type Column } from '../../ui/list'
import { Page, Panel, Tabs } from '../../ui/parts'
import { administration } from './routes'

const TABS = [
  { to: '/administration/keys', text: 'API keys' },
  { to: '/administration/secrets', text: 'Secrets' },
  { to: '/administration/users', text: 'Users' },
  { to: '/administration/webhooks', text: 'Webhooks' },
  { to: '/administration/audit', text: 'Audit' },
]

/** The frame of each page of the administration: a list as a table, what is above it, and the dialogs that it opens. */
export function AdministrationPage<T>(props: {
  title: string
  actions?: ComponentChildren
  /** Above the table. */
  filter?: ComponentChildren
  list: List<T>
  empty: ComponentChildren
  columns: Column[]
  row: (item: T) => ComponentChildren
  /** The dialogs that are open. */
  children?: ComponentChildren
}) {
  const { actions } = useMe()
  const allowed = administration.screens.filter((screen) => actions.includes(screen.action ?? administration.action))
  const tabs = TABS.filter(({ to }) => allowed.some((screen) => screen.path === to))
  return (
    <Page title={props.title} actions={props.actions}>
      <Tabs label="Administration" tabs={tabs} />
      {props.filter}
      <Panel flush>
        <ListTable from={props.list} empty={props.empty} columns={props.columns}>
          {props.row}
        </ListTable>
      </Panel>
      {props.children}
    </Page>
  )
}
