/** The algorithms that a project has settings for, and the way to run another one. */
import { all, api, ok, type Schemas } from '../../api/client'
import { writeJson } from '../../api/json'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { found, onlyAs } from '../../api/overtaken'
import { Link, path } from '../../router'
import { CardTable } from '../../ui/list'
import { Badge, Empty, Panel, Show } from '../../ui/parts'
import { RemoveButton } from '../../ui/remove'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { ProjectPage } from '../projects/tabs'
import type { ScreenProps } from '../registry'

type Settings = Schemas['ProjectAlgorithmView']

export default function ProjectAlgorithms({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const mayRemove = useMayOn({ project: slug })('project.update')
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
                    {mayRemove && (
                      <th scope="col">
                        <span class="hidden-text">Actions</span>
                      </th>
                    )}
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
                      {mayRemove && (
                        <td>
                          <RemoveSettings slug={slug} settings={item} onChanged={set.reload} />
                        </td>
                      )}
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

function RemoveSettings(props: { slug: string; settings: Settings; onChanged: () => void }) {
  const { slug, settings } = props
  const { name } = settings
  const params = { path: { slug, name } }
  return (
    <RemoveButton
      text="Remove settings"
      question={
        settings.on_refresh
          ? `Refreshes do not run ${name} any more, and SQL reads no tables of it. Its runs and their results stay.`
          : `A run of ${name} takes only what it is told. Its runs and their results stay.`
      }
      seen={settings}
      load={() => found(ok(api.GET('/v1/projects/{slug}/algorithms/{name}', { params })))}
      describe={settingsText}
      remove={(etag) => ok(api.DELETE('/v1/projects/{slug}/algorithms/{name}', { params, headers: onlyAs({ etag }) }))}
      onRemoved={() => {
        toast(`The settings of ${name} are removed.`)
        props.onChanged()
      }}
      onKept={props.onChanged}
    />
  )
}

function settingsText({ inputs, parameters, seed, on_refresh }: Settings): string {
  return writeJson({ inputs, parameters, seed, on_refresh }, 2)
}
