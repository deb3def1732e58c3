/** The parts of a datasource, each a page of its own. */
import type { ComponentChildren } from 'preact'
import { api, ok } from '../../api/client'
import { useLoad, type Loaded } from '../../api/load'
import { useMay } from '../../api/me'
import { path } from '../../router'
import { ConfirmButton } from '../../ui/dialog'
import { Gone, isGone } from '../../ui/gone'
import { Page, Tabs } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { loadDatasource, type Datasource } from './requests'

/** @param kind of the datasource, if it is known: only a stream has a quarantine. */
function DatasourceTabs({ slug, kind }: { slug: string; kind?: string }) {
  const datasource = path`/datasources/${slug}`
  const tabs = [
    { to: datasource, text: 'Overview' },
    { to: `${datasource}/data`, text: 'Data' },
    { to: `${datasource}/schema`, text: 'Schema' },
    { to: `${datasource}/edit`, text: 'Definition' },
    { to: `${datasource}/members`, text: 'Members' },
  ]
  if (kind === 'stream') tabs.splice(3, 0, { to: `${datasource}/quarantine`, text: 'Quarantine' })
  return <Tabs label={`Parts of ${slug}`} tabs={tabs} />
}

/** The frame of each page of a datasource. */
export function DatasourcePage(props: {
  slug: string
  /** The datasource, if the page has loaded it; else it is asked for here. */
  from?: Pick<Loaded<Datasource>, 'data' | 'error' | 'reload'>
  title: ComponentChildren
  /** Whether it is the datasource's first page, which the breadcrumbs of the others lead to. */
  first?: boolean
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  const { slug } = props
  const asked = useLoad(props.from ? null : () => loadDatasource(slug), [slug])
  const datasource = props.from ?? asked
  const list = { to: '/datasources', text: 'Datasources' }
  if (isGone(datasource)) return <Gone what="datasource" id={slug} list={list} action={<Restore slug={slug} onDone={datasource.reload} />} />
  const crumbs = [list]
  if (!props.first) crumbs.push({ to: path`/datasources/${slug}`, text: slug })
  return (
    <Page title={props.title} crumbs={crumbs} actions={props.actions}>
      <DatasourceTabs slug={slug} kind={datasource.data?.kind} />
      {props.children}
    </Page>
  )
}

/** Deleted, or never there: the API does not tell which, but it can restore what was deleted. */
function Restore({ slug, onDone }: { slug: string; onDone: () => void }) {
  const mayRestore = useMay('datasource.restore')
  if (!mayRestore) return null
  const restore = async () => {
    await ok(api.POST('/v1/datasources/{slug}/restore', { params: { path: { slug } } }))
    toast(`${slug} is restored.`)
    onDone()
  }
  return (
    <ConfirmButton
      text="Restore it"
      look="primary"
      question={`If ${slug} was deleted, it comes back with its versions and its schedule. Projects that it was taken out of do not get it back.`}
      work={restore}
    />
  )
}
