/** The parts of a project, each a page of its own. */
import type { ComponentChildren } from 'preact'
import { path } from '../../router'
import { Gone, isGone } from '../../ui/gone'
import { Page, Tabs } from '../../ui/parts'

export function ProjectTabs({ slug }: { slug: string }) {
  const project = path`/projects/${slug}`
  return (
    <Tabs
      label={`Parts of ${slug}`}
      tabs={[
        { to: project, text: 'Overview' },
        { to: `${project}/merge`, text: 'Merge' },
        { to: `${project}/data`, text: 'Data' },
        { to: `${project}/models`, text: 'Models' },
        { to: `${project}/algorithms`, text: 'Algorithms' },
        { to: `${project}/reports`, text: 'Reports' },
        { to: `${project}/endpoints`, text: 'Endpoints' },
        { to: `${project}/versions`, text: 'Versions' },
        { to: `${project}/members`, text: 'Members' },
      ]}
    />
  )
}

/** The frame of each page of a project. */
export function ProjectPage(props: {
  slug: string
  /** What the page is about; if it is not there, neither is the project. */
  from?: Parameters<typeof isGone>[0]
  title: ComponentChildren
  /** Whether it is the project's first page, which the breadcrumbs of the others lead to. */
  first?: boolean
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  const { slug, first } = props
  const list = { to: '/projects', text: 'Projects' }
  if (isGone(props.from)) return <Gone what="project" id={slug} list={list} />
  const crumbs = [list]
  if (!first) crumbs.push({ to: path`/projects/${slug}`, text: slug })
  return (
    <Page title={props.title} crumbs={crumbs} actions={props.actions}>
      <ProjectTabs slug={slug} />
      {props.children}
    </Page>
  )
}
