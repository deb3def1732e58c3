/** The first page: how each project stands, and what failed lately and why. */
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { Link, path } from '../../router'
import { CardTable, ShowList } from '../../ui/list'
import { Page, Panel } from '../../ui/parts'
import { StandingCells, StandingHeads } from '../../ui/standing'
import { NoProjects } from '../projects/none'
import { FailedLately } from './failed'

export default function Home() {
  // A page at a time: each row asks for its own state, again and again.
  const projects = useList((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor, limit: 20 } } })), [])
  return (
    <Page title="Home">
      <Panel title="Projects" flush>
        <ShowList from={projects} empty={<NoProjects linked />}>
          {(items) => (
            <CardTable>
              <thead>
                <tr>
                  <th scope="col">Project</th>
                  <StandingHeads time="Fetched" />
                </tr>
              </thead>
              <tbody>
                {items.map((project) => (
                  <ProjectRow key={project.slug} project={project} />
                ))}
              </tbody>
            </CardTable>
          )}
        </ShowList>
      </Panel>
      <FailedLately />
    </Page>
  )
}

function ProjectRow({ project }: { project: Schemas['ProjectView'] }) {
  const slug = project.slug!
  return (
    <tr>
      <td>
        <Link to={path`/projects/${slug}`}>{project.name}</Link>
        {!project.enabled && <span class="muted"> (disabled)</span>}
      </td>
      <StandingCells kind="projects" slug={slug} time="data_as_of" />
    </tr>
  )
}
