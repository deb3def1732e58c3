/** One algorithm: its inputs, parameters and results, what they mean, and where it runs. */
import { useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { Link, navigate, path } from '../../router'
import { Gone, isGone } from '../../ui/gone'
import { CardTable, TableHead } from '../../ui/list'
import { Badge, Button, Empty, Page, Panel, SelectField, Show, State, Words } from '../../ui/parts'
import { Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import { entryOf, parametersOf, type Parameter } from './schema'
import './algorithms.css'

export default function Algorithm({ parameters }: ScreenProps) {
  const name = parameters.name!
  const algorithm = useLoad(() => ok(api.GET('/v1/algorithms/{name}', { params: { path: { name } } })), [name])
  if (isGone(algorithm)) return <Gone what="algorithm" id={name} list={{ to: '/algorithms', text: 'Algorithms' }} />
  return (
    <Page title={algorithm.data?.title ?? name} crumbs={[{ to: '/algorithms', text: 'Algorithms' }]}>
      <Show from={algorithm}>
        {(data) => (
          <>
            <p>
              <Words text={data.description} />
            </p>
            <div class="columns">
              <StartIn name={name} />
              <RecentRuns name={name} />
            </div>
            <InputTable inputs={data.inputs} />
            <ParameterTable parameters={parametersOf(data.parameters)} />
            <Panel title="Tables of a result" flush>
              <CardTable>
                <TableHead columns={['Table', 'In SQL', 'Rows']} />
                <tbody>
                  {Object.entries(data.tables).map(([table, about]) => (
                    <tr key={table}>
                      <td><code>{table}</code></td>
                      <td><code>{table === 'main' ? name : `${name}_${table}`}</code></td>
                      <td><Words text={about} /></td>
                    </tr>
                  ))}
                </tbody>
              </CardTable>
            </Panel>
            <Panel title="What decides the bytes of a result">
              <dl>
                <dt>Code</dt>
                <dd class="mono">{data.code}</dd>
                {Object.entries(data.packages).map(([item, version]) => (
                  <>
                    <dt key={item}>{item}</dt>
                    <dd class="mono">{version}</dd>
                  </>
                ))}
              </dl>
            </Panel>
          </>
        )}
      </Show>
    </Page>
  )
}

function StartIn({ name }: { name: string }) {
  const projects = useLoad(() => all((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor, limit: 100 } } }))), [])
  const [chosen, setChosen] = useState<string | null>(null)
  return (
    <Panel title="Run it in a project">
      <Show from={projects}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="There are no projects yet.">
              Runs belong to a project. <Link to="/projects">Create one</Link> first.
            </Empty>
          ) : (
            <form
              class="row bottom"
              onSubmit={(event) => {
                event.preventDefault()
                navigate(path`/projects/${chosen ?? items[0]!.slug!}/algorithms/${name}`)
              }}
            >
              <SelectField
                label="Project"
                value={chosen ?? items[0]!.slug!}
                options={items.map((item) => ({ value: item.slug!, text: item.name }))}
                onChange={setChosen}
              />
              <Button type="submit" look="primary">Open</Button>
            </form>
          )
        }
      </Show>
    </Panel>
  )
}

function RecentRuns({ name }: { name: string }) {
  const runs = useLoad(() => ok(api.GET('/v1/runs', { params: { query: { algorithm: name, limit: 5 } } })), [name], () => 10_000)
  return (
    <Panel title="Latest runs" flush={Boolean(runs.data?.items.length)}>
      <Show from={runs}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="muted">It has not run yet.</p>
          ) : (
            <CardTable>
              <tbody>
                {items.map((run) => (
                  <tr key={run.id}>
                    <td>
                      <Link to={path`/projects/${run.project!}/algorithms/${name}`} query={{ run: run.id }}>
                        <Time at={run.created_at} />
                      </Link>
                    </td>
                    <td>{run.project}</td>
                    <td><State value={run.status} /></td>
                  </tr>
                ))}
              </tbody>
            </CardTable>
          )
        }
      </Show>
    </Panel>
  )
}

function InputTable({ inputs }: { inputs: Schemas['AlgorithmView']['inputs'] }) {
  return (
    <Panel title="Inputs" flush>
      <CardTable>
        <TableHead columns={['Input', 'May be', 'Meaning']} />
        <tbody>
          {Object.entries(inputs).map(([name, input]) => (
            <tr key={name}>
              <td><code>{name}</code></td>
              <td>
                {input.kinds.join(', ')}{' '}
                {input.replaces ? <Badge>replaces {input.replaces.join(', ')}</Badge> : !input.required && <Badge>optional</Badge>}
              </td>
              <td><Words text={input.description} /></td>
            </tr>
          ))}
        </tbody>
      </CardTable>
    </Panel>
  )
}

function ParameterTable({ parameters }: { parameters: Parameter[] }) {
  return (
    <Panel title="Parameters" flush>
      <CardTable>
        <TableHead columns={['Parameter', 'Values', 'Default', 'Meaning']} />
        <tbody>
          {parameters.map((one) => (
            <tr key={one.name}>
              <td><code>{one.name}</code></td>
              <td class="values">{one.choices ? one.choices.map(String).join(', ') : [one.type, one.limits].filter(Boolean).join(', ')}</td>
              <td class="mono">{one.required ? <Badge tone="warn">required</Badge> : entryOf(one.default) || <span class="muted">none</span>}</td>
              <td><Words text={one.description} /></td>
            </tr>
          ))}
        </tbody>
      </CardTable>
    </Panel>
  )
}
