/** The list of projects: how fresh and how complete each one is, and how its last run went. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useMay, useMe } from '../../api/me'
import { Link, path } from '../../router'
import { CardTable, ShowList } from '../../ui/list'
import { Badge, Button, Page, Panel } from '../../ui/parts'
import { StandingCells, StandingHeads } from '../../ui/standing'
import { CreateProject } from './create'
import { NoProjects } from './none'
import { DeleteProject } from './settings'
import { howItRefreshes } from './words'

export default function Projects() {
  const projects = useList((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor } } })), [])
  const [creating, setCreating] = useState(false)
  const create = useMay('project.create') && (
    <Button look="primary" onClick={() => setCreating(true)}>
      Create a project
    </Button>
  )
  return (
    <Page title="Projects" actions={create}>
      <Panel flush>
        <ShowList from={projects} empty={<NoProjects linked={false} />}>
          {(items) => (
            <CardTable>
              <thead>
                <tr>
                  <th scope="col">Project</th>
                  <StandingHeads time="Fetched" />
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
            </CardTable>
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
  return (
    <tr>
      <td>
        <Link to={path`/projects/${slug}`}>{project.name}</Link>{' '}
        {!project.enabled && <Badge>disabled</Badge>}
        <div class="muted mono">{slug}</div>
      </td>
      <StandingCells kind="projects" slug={slug} time="data_as_of" runs="refresh" summary />
      <td class="muted">{howItRefreshes(project)}</td>
      <td>{mayDelete && <DeleteProject project={project} onDeleted={onDeleted} />}</td>
    </tr>
  )
}
