/** The first page: how each project stands, and what failed lately and why. */
import { all, api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { Link, path } from '../../router'
import { CardTable } from '../../ui/list'
import { Empty, Page, Panel, Show } from '../../ui/parts'
import { StandingCells, StandingHeads } from '../../ui/standing'
import { Time } from '../../ui/values'

type Run = Schemas['RunView']
const REFRESH_MS = 10_000

export default function Home() {
  const mayCreate = useMay('project.create')
  const projects = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor, limit: 100 } } }))),
    [],
  )
  const failed = useLoad(
    () => ok(api.GET('/v1/runs', { params: { query: { status: 'failed', limit: 10 } } })),
    [],
    () => REFRESH_MS,
  )
  return (
    <Page title="Home">
      <Show from={projects}>
        {(items) =>
          items.length === 0 ? (
            <Panel>
              <Empty title="There are no projects yet.">
                A project merges the records of its datasources by key.{' '}
                {mayCreate ? (
                  <>
                    <Link to="/datasources">Create a datasource</Link> first, then <Link to="/projects">a project</Link> that
                    uses it.
                  </>
                ) : (
                  'Ask somebody to share one with you.'
                )}
              </Empty>
            </Panel>
          ) : (
            <Panel title="Projects" flush>
              <CardTable>
                <thead>
                  <tr>
                    <th scope="col">Project</th>
                    <StandingHeads time="Published" />
                  </tr>
                </thead>
                <tbody>
                  {items.map((project) => (
                    <ProjectRow key={project.slug} project={project} />
                  ))}
                </tbody>
              </CardTable>
            </Panel>
          )
        }
      </Show>
      <Show from={failed}>
        {({ items }) => (
          <Panel title="Failed lately" flush={items.length > 0}>
            {items.length === 0 ? <p class="muted">No run has failed.</p> : <FailedRuns runs={items} />}
          </Panel>
        )}
      </Show>
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
      <StandingCells kind="projects" slug={slug} time="created_at" />
    </tr>
  )
}

function FailedRuns({ runs }: { runs: Run[] }) {
  return (
    <CardTable>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">When</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.id}>
            <td>
              <Link to={path`/runs/${run.id}`}>
                {run.kind} of {run.datasource ?? run.project ?? run.algorithm}
              </Link>
            </td>
            <td>
              <Time at={run.created_at} />
            </td>
            <td>{run.error?.detail}</td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}
