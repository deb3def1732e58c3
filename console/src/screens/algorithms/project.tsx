/** An algorithm in a project: its runs, a new one, and their results. */
import { useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { Link, navigate, path, setParameters, usePlace } from '../../router'
import { Gone, isGone } from '../../ui/gone'
import { CardTable, numeric, ShowList, TableHead } from '../../ui/list'
import { Badge, Button, Empty, Page, Panel, Show, State } from '../../ui/parts'
import { formatSeconds, secondsBetween, Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import { ManualResult } from './manual'
import { RunPage } from './run'
import { entryOf, parametersOf, same, type Json } from './schema'
import { StartForm } from './start'
import './algorithms.css'

type AlgorithmView = Schemas['AlgorithmView']

export default function ProjectAlgorithm({ parameters }: ScreenProps) {
  const [slug, name] = [parameters.slug!, parameters.name!]
  const { query } = usePlace()
  const part = query.get('part') ?? ''
  const run = query.get('run')
  const here = path`/projects/${slug}/algorithms/${name}`
  const algorithm = useLoad(() => ok(api.GET('/v1/algorithms/{name}', { params: { path: { name } } })), [name])
  // A list, since the settings of one algorithm are 404 until there are some.
  const ownSettings = async () => {
    const list = await all((cursor) => ok(api.GET('/v1/projects/{slug}/algorithms', { params: { path: { slug }, query: { cursor, limit: 100 } } })))
    return { own: list.find((item) => item.name === name) ?? null }
  }
  const settings = useLoad(!run && part === 'start' ? ownSettings : null, [slug, name, part])
  const may = useMayOn({ project: slug })
  const tabs = [
    ['', 'Runs'],
    ...(may('project.run') ? [['start', 'New run']] : []),
    ...(may('project.run') ? [['manual', 'Result made by hand']] : []),
  ] as [string, string][]
  if (isGone(algorithm)) return <Gone what="algorithm" id={name} list={{ to: '/algorithms', text: 'Algorithms' }} />
  return (
    <Page
      title={algorithm.data?.title ?? name}
      crumbs={[
        { to: path`/projects/${slug}`, text: slug },
        { to: path`/algorithms/${name}`, text: name },
        ...(run ? [{ to: here, text: 'runs' }] : []),
      ]}
    >
      {!run && (
        <nav class="tabs" aria-label="Parts">
          {tabs.map(([value, text]) => (
            <Link key={value} to={here} query={{ part: value }} aria-current={part === value ? 'page' : undefined}>
              {text}
            </Link>
          ))}
        </nav>
      )}
      <Show from={algorithm}>
        {(data) => (
          <>
            {run && <RunPage id={run} algorithm={data} project={slug} />}
            {!run && part === '' && <Runs slug={slug} algorithm={data} mayRun={may('project.run')} />}
            {!run && part === 'start' && (
              <Show from={settings}>
                {({ own }) => <StartForm project={slug} algorithm={data} settings={own} />}
              </Show>
            )}
            {!run && part === 'manual' && <ManualResult project={slug} algorithm={data} />}
          </>
        )}
      </Show>
    </Page>
  )
}

const REFRESH_MS = 3000

function Runs({ slug, algorithm, mayRun }: { slug: string; algorithm: AlgorithmView; mayRun: boolean }) {
  const { name } = algorithm
  const here = path`/projects/${slug}/algorithms/${name}`
  const list = useList((cursor) => ok(api.GET('/v1/runs', { params: { query: { project: slug, algorithm: name, cursor, limit: 25 } } })), [slug, name])
  useLoad(
    async () => list.items?.some((run) => !run.finished_at) && list.reload(),
    [list.items],
    () => (list.items?.some((run) => !run.finished_at) ? REFRESH_MS : 0),
  )
  const [chosen, setChosen] = useState<string[]>([])
  const toggle = (id: string) => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-2))
  const [left, right] = [...chosen].sort()
  return (
    <Panel
      title="Runs"
      flush
      actions={
        <>
          <span class="muted">{chosen.length < 2 ? 'Choose two runs to compare them.' : ''}</span>
          <Button disabled={chosen.length < 2} onClick={() => navigate('/runs/compare', { left, right })}>Compare</Button>
          {mayRun && <Button look="primary" onClick={() => setParameters({ part: 'start' })}>New run</Button>}
        </>
      }
    >
      <ShowList
        from={list}
        empty={
          <Empty title="It has not run in this project yet." action={mayRun && <Link class="button primary" to={here} query={{ part: 'start' }}>Start the first run</Link>} />
        }
      >
        {(items) => (
          <CardTable>
            <TableHead columns={[{ text: 'Compare', look: 'hidden' }, 'Run', 'State', 'Parameters besides the defaults', 'Inputs', numeric('Took'), 'Comment']} />
            <tbody>
              {items.map((run) => (
                <tr key={run.id}>
                  <td>
                    <input type="checkbox" aria-label={`Compare the run ${run.id}`} checked={chosen.includes(run.id)} disabled={run.status !== 'succeeded'} onChange={() => toggle(run.id)} />
                  </td>
                  <td><Link to={here} query={{ run: run.id }}><Time at={run.created_at} /></Link></td>
                  <td>
                    <State value={run.status} /> {run.kind === 'manual' && <Badge>by hand</Badge>}
                  </td>
                  <td class="mono"><Chosen run={run} algorithm={algorithm} /></td>
                  <td class="mono">{Object.values(run.request?.inputs ?? {}).map((input) => input.reference).join(', ')}</td>
                  <td class="number">{formatSeconds(secondsBetween(run.started_at, run.finished_at))}</td>
                  <td>{run.request?.comment}</td>
                </tr>
              ))}
            </tbody>
          </CardTable>
        )}
      </ShowList>
    </Panel>
  )
}

/** What a list or object without a declared default is. */
function emptyOf(value: Json | undefined): Json {
  return Array.isArray(value) ? [] : {}
}

/** The parameters of a run that differ from the defaults. */
export function Chosen({ run, algorithm }: { run: Schemas['RunView']; algorithm: AlgorithmView }) {
  const given = (run.request?.parameters ?? {}) as Record<string, Json>
  const differing = parametersOf(algorithm.parameters).filter(({ name, default: usual }) => Object.hasOwn(given, name) && !same(given[name], usual === undefined ? emptyOf(given[name]) : usual))
  if (differing.length === 0) return <span class="muted">none</span>
  return <>{differing.map(({ name }) => `${name} ${entryOf(given[name]) || 'none'}`).join(', ')}</>
}
