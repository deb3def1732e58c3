/** The algorithms that a project has settings for, and the way to run another one. */
import { all, api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { CardTable } from '../../ui/list'
import { Badge, Empty, Panel, Show } from '../../ui/parts'
import { Time } from '../../ui/values'
import { ProjectPage } from '../projects/tabs'
import type { ScreenProps } from '../registry'

export default function ProjectAlgorithms({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const set = useLoad(
    () =>
      all((cursor) =>
        ok(api.GET('/v1/projects/{slug}/algorithms', { params: { path: { slug }, query: { cursor, limit: 100 } } })),
      ),
    [slug],
  )
  const known = useLoad(() => all((cursor) => ok(api.GET('/v1/algorithms', { params: { query: { cursor, limit: 100 } } }))), [])
  return (
    <ProjectPage slug={slug} from={set} title={`Algorithms of ${slug}`}>
      <Panel title="With settings of this project" flush>
        <Show from={set}>
          {(items) =>
            items.length === 0 ? (
              <Empty title="None has settings yet.">Settings are what a run takes if it is not told otherwise, and what a refresh runs.</Empty>
            ) : (
              <CardTable>
                <thead>
                  <tr>
                    <th scope="col">Algorithm</th>
                    <th scope="col">Runs</th>
                    <th scope="col">Changed</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((item) => (
                    <tr key={item.name}>
                      <td>
                        <Link to={path`/projects/${slug}/algorithms/${item.name}`}>{item.name}</Link>
                      </td>
                      <td>{item.on_refresh ? <Badge tone="busy">with each refresh</Badge> : <span class="muted">on request</span>}</td>
                      <td>
                        <Time at={item.updated_at} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </CardTable>
            )
          }
        </Show>
      </Panel>
      <Panel title="All algorithms" flush>
        <Show from={known}>
          {(items) => (
            <CardTable>
              <tbody>
                {items.map((item) => (
                  <tr key={item.name}>
                    <td>
                      <Link to={path`/projects/${slug}/algorithms/${item.name}`}>{item.title}</Link>
                    </td>
                    <td class="muted">{item.description.split('\n')[0]}</td>
                  </tr>
                ))}
              </tbody>
            </CardTable>
          )}
        </Show>
      </Panel>
    </ProjectPage>
  )
}
