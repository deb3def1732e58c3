/** The list of projects: how fresh and how complete each one is, and how its last run went. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useLoad } from '../../api/load'
import { useMay, useMe } from '../../api/me'
import { Link, path } from '../../router'
import { ShowList } from '../../ui/list'
import { Badge, Button, Empty, Page, Panel, State } from '../../ui/parts'
import { formatNumber, Time } from '../../ui/values'
import { CreateProject } from './create'
import { DeleteProject } from './settings'
import { howItRefreshes, isActive } from './words'

const REFRESH_MS = 10_000

export default function Projects() {
  const projects = useList((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor } } })), [])
  const mayCreate = useMay('project.create')
  const [creating, setCreating] = useState(false)
  const create = mayCreate && (
    <Button look="primary" onClick={() => setCreating(true)}>
      Create a project
    </Button>
  )
  return (
    <Page title="Projects" actions={create}>
      <Panel flush>
        <ShowList
          from={projects}
          empty={
            <Empty title="There are no projects yet.">
              A project merges the records of its datasources by key.{' '}
              {mayCreate ? (
                <>
                  <Link to="/datasources">Create a datasource</Link> first, then a project that uses it.
                </>
              ) : (
                'Ask somebody to share one with you.'
              )}
            </Empty>
          }
        >
          {(items) => (
            <table class="plain">
              <thead>
                <tr>
                  <th scope="col">Project</th>
                  <th scope="col">Data</th>
                  <th scope="col">Fetched</th>
                  <th scope="col" class="number">Rows</th>
                  <th scope="col">Last run</th>
                  <th scope="col">Refreshes</th>
                  <th scope="col">
                    <span class="hidden-text">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((project) => (
                  <ProjectRow key={project.slug} project={project} onDeleted={projects.reload} />
                ))}
              </tbody>
            </table>
          )}
        </ShowList>
      </Panel>
      {creating && <CreateProject onClose={() => setCreating(false)} />}
    </Page>
  )
}

function ProjectRow({ project, onDeleted }: { project: Schemas['ProjectView']; onDeleted: () => void }) {
  const slug = project.slug!
  const me = useMe()
  // Members that it is shared with as owners delete it on its own page: the list asks nothing more for each row.
  const mayDelete = useMay('project.delete') && (me.role === 'admin' || project.created_by === me.id)
  const runs = useLoad(
    () => ok(api.GET('/v1/runs', { params: { query: { project: slug, kind: 'refresh', limit: 1 } } })),
    [slug],
    ({ items }) => (isActive(items[0]) ? 2000 : REFRESH_MS),
  )
  const run = runs.data?.items[0]
  const versions = useLoad(
    runs.data ? () => ok(api.GET('/v1/projects/{slug}/versions', { params: { path: { slug }, query: { limit: 1 } } })) : null,
    [slug, run?.status],
    () => REFRESH_MS,
  )
  const version = versions.data?.items[0]
  return (
    <tr>
      <td>
        <Link to={path`/projects/${slug}`}>{project.name}</Link>{' '}
        {!project.enabled && <Badge>disabled</Badge>}
        <div class="muted mono">{slug}</div>
      </td>
      <td>
        {version ? (
          <State value={version.completeness} title={version.completeness_reasons.join(' ')} />
        ) : (
          <span class="muted">{versions.loading || runs.loading ? '…' : 'none yet'}</span>
        )}
      </td>
      <td>
        <Time at={version?.data_as_of} />
      </td>
      <td class="number">{formatNumber(version?.rows)}</td>
      <td>
        {run ? (
          <>
            <Link to={path`/runs/${run.id}`}>
              <State value={run.status} />
            </Link>{' '}
            <Time at={run.created_at} />
            {run.summary && <div class="muted">{run.summary}</div>}
          </>
        ) : (
          <span class="muted">{runs.loading ? '…' : 'none yet'}</span>
        )}
      </td>
      <td class="muted">{howItRefreshes(project)}</td>
      <td>{mayDelete && <DeleteProject project={project} onDeleted={onDeleted} />}</td>
    </tr>
  )
}
