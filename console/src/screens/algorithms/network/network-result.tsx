/** The network of a result: the drawing, lists of the same for keyboards and screen readers, and details of what is chosen. */
import { useState } from 'preact/hooks'
import type { Schemas } from '../../../api/client'
import { useLoad } from '../../../api/load'
import { setParameters, usePlace } from '../../../router'
import { numeric, TableHead } from '../../../ui/list'
import { Button, Empty, Panel, Show, State } from '../../../ui/parts'
import { formatNumber } from '../../../ui/values'
import { Scroll } from '../scroll'
import { Details } from './details'
import { Drawing, Legend, type Selection } from './drawing'
import { loadOf, networkOf, type Network } from './model'

export function NetworkResult({ run, document }: { run: Schemas['RunView']; document: Record<string, unknown> }) {
  const network = useLoad(() => networkOf(run, document), [run.id])
  return <Show from={network}>{(data) => <LoadedNetwork network={data} />}</Show>
}

function LoadedNetwork({ network }: { network: Network }) {
  const { query } = usePlace()
  const selection: Selection = { node: query.get('node'), link: query.get('link'), lightpath: query.get('lightpath') }
  const select = (chosen: Selection) => setParameters({ ...chosen })
  const chosen = selection.node ?? selection.link ?? selection.lightpath
  if (network.nodes.length === 0) {
    return <Panel><Empty title="The run has no topology to draw.">The tables have its result.</Empty></Panel>
  }
  return (
    <>
      <div class="network-columns">
        <Panel title="Network" actions={chosen && <Button look="quiet" onClick={() => select({ node: null, link: null, lightpath: null })}>Choose nothing</Button>}>
          <Legend network={network} route={selection.lightpath !== null} />
          <Drawing network={network} selection={selection} onSelect={select} />
        </Panel>
        <Details network={network} selection={selection} onSelect={select} />
      </div>
      <Lists network={network} selection={selection} onSelect={select} />
    </>
  )
}

type ListName = 'links' | 'nodes' | 'lightpaths' | 'materials'

/** Everything on the drawing as tables. */
function Lists(props: { network: Network; selection: Selection; onSelect: (selection: Selection) => void }) {
  const { network } = props
  const { query } = usePlace()
  const list = (query.get('list') ?? 'links') as ListName
  const names: ListName[] = ['links', 'nodes', 'lightpaths', ...(network.materials ? (['materials'] as const) : [])]
  return (
    <Panel
      flush
      title="Lists"
      actions={
        <div class="row" role="group" aria-label="List">
          {names.map((name) => (
            <Button key={name} look={name === list ? 'primary' : undefined} aria-pressed={name === list} onClick={() => setParameters({ list: name })}>
              {name === 'materials' ? 'bill of materials' : name}
            </Button>
          ))}
        </div>
      }
    >
      <Scroll label="List" tall>
        {list === 'links' && <LinkList {...props} />}
        {list === 'nodes' && <NodeList {...props} />}
        {list === 'lightpaths' && <LightpathList {...props} />}
        {list === 'materials' && network.materials && <Materials materials={network.materials} />}
      </Scroll>
    </Panel>
  )
}

type ListProps = { network: Network; selection: Selection; onSelect: (selection: Selection) => void }
const NOTHING: Selection = { node: null, link: null, lightpath: null }

function LinkList({ network, onSelect }: ListProps) {
  const links = [...network.links].sort((one, other) => (other.used ?? 0) - (one.used ?? 0))
  return (
    <table class="plain">
      <TableHead columns={['Link', numeric('Length in km'), numeric('Wavelengths'), numeric('Load'), numeric('Reserved for restoration')]} />
      <tbody>
        {links.map((link) => {
          const load = loadOf(network, link)
          return (
            <tr key={link.key}>
              <td><Button look="quiet" onClick={() => onSelect({ ...NOTHING, link: link.key })}>{link.source} – {link.destination}</Button></td>
              <td class="number">{formatNumber(link.length)}</td>
              <td class="number">{formatNumber(link.used)}</td>
              <td class="number">{load === null ? '–' : `${Math.round(load * 100)} %`}</td>
              <td class="number">{formatNumber(link.restoration)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

function NodeList({ network, onSelect }: ListProps) {
  return (
    <table class="plain">
      <TableHead columns={['Node', 'ROADM type', numeric('Links'), numeric('Lightpaths'), numeric('Gb/s')]} />
      <tbody>
        {network.nodes.map((node) => {
          const own = network.lightpaths.filter((one) => one.source === node.name || one.destination === node.name)
          return (
            <tr key={node.name}>
              <td><Button look="quiet" onClick={() => onSelect({ ...NOTHING, node: node.name })}>{node.name}</Button></td>
              <td>{node.roadm}</td>
              <td class="number">{network.links.filter((link) => link.source === node.name || link.destination === node.name).length}</td>
              <td class="number">{formatNumber(own.length)}</td>
              <td class="number">{formatNumber(own.reduce((sum, one) => sum + one.capacity, 0))}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

const FIRST_ROWS = 50

function LightpathList({ network, onSelect }: ListProps) {
  const [all, setAll] = useState(false)
  const shown = all ? network.lightpaths : network.lightpaths.slice(0, FIRST_ROWS)
  if (network.lightpaths.length === 0) return <Empty title="There are no lightpaths.">A lower threshold lets smaller demands have some.</Empty>
  return (
    <>
      <table class="plain">
        <TableHead columns={['Lightpath', 'Ends', numeric('Demand'), numeric('Gb/s'), numeric('Wavelength'), 'State', 'Working path']} />
        <tbody>
          {shown.map((one) => (
            <tr key={one.id}>
              <td><Button look="quiet" onClick={() => onSelect({ ...NOTHING, lightpath: one.id })}>{one.id}</Button></td>
              <td>{one.source} – {one.destination}</td>
              <td class="number">{one.demand}</td>
              <td class="number">{formatNumber(one.capacity)}</td>
              <td class="number">{formatNumber(one.wavelength)}</td>
              <td><State value={one.status} /></td>
              <td>{one.working?.path.join(' – ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < network.lightpaths.length && (
        <div class="row more"><Button onClick={() => setAll(true)}>Show all {formatNumber(network.lightpaths.length)}</Button></div>
      )}
    </>
  )
}

function Materials({ materials }: { materials: Record<string, Record<string, number>> }) {
  const nodes = Object.keys(materials)
  const items = Object.keys(materials[nodes[0]!] ?? {}).filter((item) => nodes.some((node) => materials[node]![item]))
  const total = (item: string) => nodes.reduce((sum, node) => sum + (materials[node]![item] ?? 0), 0)
  return (
    <table class="plain materials">
      <thead>
        <tr>
          <th scope="col">Item</th>
          <th scope="col" class="number">Network</th>
          {nodes.map((node) => <th scope="col" class="number" key={node}>{node}</th>)}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item}>
            <th scope="row">{item}</th>
            <td class="number"><strong>{formatNumber(total(item))}</strong></td>
            {nodes.map((node) => <td class="number" key={node}>{materials[node]![item] || ''}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
