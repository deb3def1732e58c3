/** The parts of a datasource, each a page of its own. */
import type { ComponentChildren } from 'preact'
import { api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { path } from '../../router'
import { Page, Tabs } from '../../ui/parts'

/** @param kind of the datasource, if it is known; else it is asked for, since only a stream has a quarantine. */
export function DatasourceTabs({ slug, kind }: { slug: string; kind?: string }) {
  const asked = useLoad(
    kind === undefined ? () => ok(api.GET('/v1/datasources/{slug}', { params: { path: { slug } } })) : null,
    [slug, kind],
  )
  const datasource = path`/datasources/${slug}`
  const tabs = [
    { to: datasource, text: 'Overview' },
    { to: `${datasource}/data`, text: 'Data' },
    { to: `${datasource}/schema`, text: 'Schema' },
    { to: `${datasource}/edit`, text: 'Definition' },
    { to: `${datasource}/members`, text: 'Members' },
  ]
  if ((kind ?? asked.data?.kind) === 'stream') tabs.splice(3, 0, { to: `${datasource}/quarantine`, text: 'Quarantine' })
  return <Tabs label={`Parts of ${slug}`} tabs={tabs} />
}

/** The frame of each page of a datasource. */
export function DatasourcePage(props: {
  slug: string
  kind?: string
  title: ComponentChildren
  /** Whether it is the datasource's first page, which the breadcrumbs of the others lead to. */
  first?: boolean
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  const { slug } = props
  const crumbs = [{ to: '/datasources', text: 'Datasources' }]
  if (!props.first) crumbs.push({ to: path`/datasources/${slug}`, text: slug })
  return (
    <Page title={props.title} crumbs={crumbs} actions={props.actions}>
      <DatasourceTabs slug={slug} kind={props.kind} />
      {props.children}
    </Page>
  )
}
