import { path } from '../../router'
import { Tabs } from '../../ui/parts'

/** The pages of one datasource. */
export function DatasourceTabs({ slug }: { slug: string }) {
  const tabs = [
    { to: path`/datasources/${slug}`, text: 'Overview' },
    { to: path`/datasources/${slug}/data`, text: 'Data' },
    { to: path`/datasources/${slug}/schema`, text: 'Schema' },
    { to: path`/datasources/${slug}/edit`, text: 'Edit' },
    { to: path`/datasources/${slug}/members`, text: 'Members' },
  ]
  return <Tabs label={`Datasource ${slug}`} tabs={tabs} />
}

/** The links above the title of each of them. */
export const DATASOURCE_CRUMBS = [{ to: '/datasources', text: 'Datasources' }]
