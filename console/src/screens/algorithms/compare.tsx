/** Two runs of an algorithm side by side: what was asked, the numbers, the network, and every difference. */
import { api, ok, type Schemas } from '../../api/client'
import { writeJson } from '../../api/json'
import { useLoad } from '../../api/load'
import { Link, path, setParameters, usePlace } from '../../router'
import { numeric, TableHead } from '../../ui/list'
import { Badge, Button, Empty, Note, Page, Panel, Show } from '../../ui/parts'
import { formatNumber, Time } from '../../ui/values'
import { Changes } from '../inputs/versions'
import { Drawing, Legend, type Selection } from './network/drawing'
import { isNetwork, linkKey, networkOf, type Network } from './network/model'
import { Scroll } from './scroll'
import { formatAny, numbersOf, resultOf } from './result'
import './algorithms.css'

type Run = Schemas['RunView']
type Document = Record<string, unknown>

interface Side {
  run: Run
  document: Document
  network: Network | null
}

async function sideOf(id: string): Promise<Side> {
  const run = await ok(api.GET('/v1/runs/{run_id}', { params: { path: { run_id: id } } }))
  const document = await resultOf(id)
  return { run, document, network: isNetwork(run.algorithm) ? await networkOf(run, document) : null }
}

export default function Compare() {
  const { query } = usePlace()
  const [left, right] = [query.get('left'), query.get('right')]
  if (!left || !right) {
    return (
      <Page title="Compare two runs">
        <Panel>
          <Empty title="Two runs are needed.">
            Choose them among the runs of an algorithm in a project. <Link to="/algorithms">See the algorithms</Link>.
          </Empty>
        </Panel>
      </Page>
    )
  }
  return <Compared key={`${left} ${right}`} left={left} right={right} />
}

function Compared({ left, right }: { left: string; right: string }) {
  const comparison = useLoad(() => ok(api.GET('/v1/runs/compare', { params: { query: { a: left, b: right } } })), [left, right])
  const sides = useLoad(() => Promise.all([sideOf(left), sideOf(right)]), [left, right])
  const algorithm = comparison.data?.algorithm
  const project = sides.data?.[0].run.project
  return (
    <Page
      title="Compare two runs"
      crumbs={algorithm && project ? [{ to: path`/projects/${project}`, text: project }, { to: path`/projects/${project}/algorithms/${algorithm}`, text: algorithm }] : undefined}
      actions={<Button onClick={() => setParameters({ left: right, right: left })}>Swap</Button>}
    >
      <Show from={comparison}>
        {(data) => (
          <>
            <Verdict comparison={data} />
            <Show from={sides}>
              {(both) => (
                <>
                  <Numbers sides={both} />
                  {both[0].network && both[1].network && <Networks sides={both} networks={[both[0].network, both[1].network]} />}
                </>
              )}
            </Show>
            <Panel title="Differences of the request" flush>
              {data.request.length === 0 ? <Empty title="Inputs, parameters, seed and code are the same." /> : <Changes items={data.request} names={['Left', 'Right']} />}
            </Panel>
            <Panel title={`Differences of the results${data.changes ? `: ${formatNumber(data.changes)}` : ''}`} flush>
              {data.truncated && <p class="below-table muted">The first {data.result.length} are listed.</p>}
              {data.result.length === 0 ? <Empty title="The results are the same." /> : <Scroll label="Differences of the results" tall><Changes items={data.result} names={['Left', 'Right']} /></Scroll>}
            </Panel>
          </>
        )}
      </Show>
    </Page>
  )
}

function Verdict({ comparison }: { comparison: Schemas['RunComparison'] }) {
  if (comparison.same_result) return <Note>The results are the same{comparison.same_request ? ', and so is everything that decides them' : ', although the requests differ'}.</Note>
  return comparison.same_request ? <Note tone="warn">The results differ although everything that decides them is the same.</Note> : null
}

function Numbers({ sides }: { sides: [Side, Side] }) {
  const [left, right] = sides.map((side) => new Map(numbersOf(side.document))) as [Map<string, unknown>, Map<string, unknown>]
  const names = [...new Set([...left.keys(), ...right.keys()])]
  return (
    <Panel title="Numbers" flush>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col"><span class="hidden-text">Number</span></th>
            {sides.map(({ run }, index) => (
              <th scope="col" class="number" key={index}>
                <Link to={path`/projects/${run.project!}/algorithms/${run.algorithm!}`} query={{ run: run.id }}>{index ? 'Right' : 'Left'}</Link>
                <div class="about-run"><Time at={run.created_at} />{run.request?.comment && <>, {run.request.comment}</>}</div>
              </th>
            ))}
            <th scope="col" class="number">Difference</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const [one, other] = [left.get(name), right.get(name)]
            const differs = writeJson(one) !== writeJson(other)
            return (
              <tr key={name} class={differs ? 'differs' : ''}>
                <th scope="row">{name.replaceAll('_', ' ')}</th>
                <td class="number">{formatAny(one)}</td>
                <td class="number">{formatAny(other)}</td>
                <td class="number">{differs ? <Badge tone="warn">{difference(one, other)}</Badge> : <span class="muted">same</span>}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Panel>
  )
}

function difference(one: unknown, other: unknown): string {
  if (typeof one !== 'number' || typeof other !== 'number') return 'changed'
  // With no more decimals than the two have: what a subtraction of doubles adds is noise.
  const change = Number((other - one).toFixed(Math.min(100, Math.max(decimalsOf(one), decimalsOf(other)))))
  return `${change > 0 ? '+' : '−'}${formatNumber(Math.abs(change))}`
}

function decimalsOf(value: number): number {
  const [, fraction = '', exponent = '0'] = /^[^.e]*(?:\.(\d+))?(?:e(.+))?$/.exec(String(value)) ?? []
  return Math.max(0, fraction.length - Number(exponent))
}

/** Both drawings; links that carry another number of wavelengths are marked. */
function Networks({ sides, networks }: { sides: [Side, Side]; networks: [Network, Network] }) {
  const { query } = usePlace()
  const selection: Selection = { node: query.get('node'), link: query.get('link'), lightpath: null }
  const select = (chosen: Selection) => setParameters({ node: chosen.node, link: chosen.link })
  const used = networks.map((network) => new Map(network.links.map((link) => [linkKey(link.source, link.destination), link.used]))) as [Map<string, number | null>, Map<string, number | null>]
  const keys = [...new Set([...used[0].keys(), ...used[1].keys()])]
  const changed = keys.filter((key) => used[0].get(key) !== used[1].get(key))
  const said = (side: 0 | 1) => new Map(changed.map((key) => [key, `${side ? 'left' : 'right'}: ${used[1 - side]!.get(key) ?? 'none'}`]))
  return (
    <>
      <Panel title="Networks">
        <p class="muted">{changed.length === 0 ? 'All links carry the same.' : `${changed.length} of ${keys.length} links carry another number of wavelengths; they are marked.`}</p>
        <Legend network={networks[0]} route={false} />
        <div class="sides">
          {([0, 1] as const).map((side) => (
            <section key={side} aria-label={side ? 'Right network' : 'Left network'}>
              <h3>{side ? 'Right' : 'Left'}{sides[side].run.request?.comment && <span class="muted">: {sides[side].run.request!.comment}</span>}</h3>
              <Drawing network={networks[side]} selection={selection} onSelect={select} changed={said(side)} label={side ? 'The right network' : 'The left network'} />
            </section>
          ))}
        </div>
      </Panel>
      {changed.length > 0 && (
        <Panel title="Links that differ" flush>
          <Scroll label="Links that differ">
            <table class="plain">
              <TableHead columns={['Link', numeric('Left'), numeric('Right'), numeric('Difference')]} />
              <tbody>
                {changed
                  .map((key) => ({ key, left: used[0].get(key), right: used[1].get(key) }))
                  .sort((one, other) => Math.abs((other.right ?? 0) - (other.left ?? 0)) - Math.abs((one.right ?? 0) - (one.left ?? 0)))
                  .map(({ key, left, right }) => (
                    <tr key={key} class={selection.link && linkKey(...(selection.link.split('|') as [string, string])) === key ? 'differs' : ''}>
                      <td>{key.replace('|', ' – ')}</td>
                      <td class="number">{formatNumber(left)}</td>
                      <td class="number">{formatNumber(right)}</td>
                      <td class="number"><Badge tone="warn">{difference(left ?? 0, right ?? 0)}</Badge></td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </Scroll>
        </Panel>
      )}
    </>
  )
}
