/** What is known of the chosen node, link or lightpath. */
import { numeric, TableHead } from '../../../ui/list'
import { Badge, Button, Empty, Panel, State } from '../../../ui/parts'
import { formatNumber } from '../../../ui/values'
import { Scroll } from '../scroll'
import type { Selection } from './drawing'
import { linkKey, linksOf, loadOf, type Lightpath, type Link, type Network, type Path } from './model'

interface Props {
  network: Network
  selection: Selection
  onSelect: (selection: Selection) => void
}

export function Details(props: Props) {
  const { network, selection } = props
  const lightpath = network.lightpaths.find((one) => one.id === selection.lightpath)
  const link = network.links.find((one) => one.key === selection.link)
  if (lightpath) return <LightpathDetails {...props} lightpath={lightpath} />
  if (link) return <LinkDetails {...props} link={link} />
  if (selection.node) return <NodeDetails {...props} name={selection.node} />
  return (
    <Panel title="Details">
      <Empty title="Nothing is chosen.">Choose a node or a link on the drawing, or anything in the lists below.</Empty>
    </Panel>
  )
}

/** How a lightpath uses a link. */
function useOf(lightpath: Lightpath, key: string): string | null {
  if (linksOf(lightpath.working?.path).has(key)) return 'working'
  if (linksOf(lightpath.protection?.path).has(key)) return 'protection'
  return lightpath.restoration.some((one) => linksOf(one.path).has(key)) ? 'restoration' : null
}

function LinkDetails({ network, link, onSelect }: Props & { link: Link }) {
  const key = linkKey(link.source, link.destination)
  const uses = network.lightpaths.flatMap((lightpath) => {
    const use = useOf(lightpath, key)
    return use ? [{ lightpath, use }] : []
  })
  uses.sort((one, other) => (one.lightpath.wavelength ?? 0) - (other.lightpath.wavelength ?? 0))
  const load = loadOf(network, link)
  return (
    <Panel title={`${link.source} – ${link.destination}`}>
      <div class="stack">
        <dl>
          <dt>Length</dt>
          <dd>{formatNumber(link.length)} km</dd>
          {load !== null && (
            <>
              <dt>Load</dt>
              <dd>{link.used} of {network.wavelengths} wavelengths, {Math.round(load * 100)} %</dd>
              <dt>Restoration</dt>
              <dd>{link.restoration} more, if something fails</dd>
            </>
          )}
        </dl>
        {network.wavelengths !== null && <Strip count={network.wavelengths} uses={uses} />}
        {uses.length > 0 && (
          <Scroll label="Lightpaths over the link">
            <table class="plain">
              <TableHead columns={[numeric('λ'), 'Lightpath', 'Use', 'Ends']} />
              <tbody>
                {uses.map(({ lightpath, use }) => (
                  <tr key={lightpath.id}>
                    <td class="number">{lightpath.wavelength}</td>
                    <td><Choose lightpath={lightpath} onSelect={onSelect} /></td>
                    <td><span class={`use ${use}`}>{use}</span></td>
                    <td>{lightpath.source} – {lightpath.destination}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </div>
    </Panel>
  )
}

/** The wavelengths of a link as a strip, each in the colour of its use. The table beside it says the same. */
function Strip({ count, uses }: { count: number; uses: { lightpath: Lightpath; use: string }[] }) {
  const byWavelength = new Map<number, string>()
  // Working and protection paths own theirs; restoration paths share what is left.
  for (const { lightpath, use } of [...uses].sort((one) => (one.use === 'restoration' ? -1 : 1))) byWavelength.set(lightpath.wavelength ?? -1, use)
  return (
    <div>
      <div class="strip" aria-hidden="true">
        {Array.from({ length: count }, (_, number) => (
          <span key={number} class={byWavelength.get(number) ?? ''} title={`Wavelength ${number}: ${byWavelength.get(number) ?? 'free'}`} />
        ))}
      </div>
      <div class="row muted small">
        <span class="use working">working</span> <span class="use protection">protection</span> <span class="use restoration">restoration</span> wavelengths 0 to {count - 1}
      </div>
    </div>
  )
}

function Choose({ lightpath, onSelect }: { lightpath: Lightpath; onSelect: Props['onSelect'] }) {
  return <Button look="quiet" onClick={() => onSelect({ node: null, link: null, lightpath: lightpath.id })}>{lightpath.id}</Button>
}

function NodeDetails({ network, name, onSelect }: Props & { name: string }) {
  const node = network.nodes.find((one) => one.name === name)
  const links = network.links.filter((link) => link.source === name || link.destination === name)
  const own = network.lightpaths.filter((one) => one.source === name || one.destination === name)
  const demands = [...new Set(own.map((one) => one.demand).filter(Boolean))]
  const materials = Object.entries(network.materials?.[name] ?? {}).filter(([, count]) => count > 0)
  return (
    <Panel title={name}>
      <div class="stack">
        <dl>
          <dt>ROADM type</dt>
          <dd>{node?.roadm ?? '–'}</dd>
          <dt>Links</dt>
          <dd>
            {links.map((link) => (
              <Button key={link.key} look="quiet" onClick={() => onSelect({ node: null, link: link.key, lightpath: null })}>
                {link.source === name ? link.destination : link.source}
              </Button>
            ))}
          </dd>
          <dt>Demands</dt>
          <dd>{demands.length ? demands.join(', ') : 'none with a lightpath'}</dd>
          {materials.length > 0 && (
            <>
              <dt>Devices</dt>
              <dd>{materials.map(([item, count]) => `${count} ${item}`).join(', ')}</dd>
            </>
          )}
        </dl>
        <Scroll label="Lightpaths of the node">
          <table class="plain">
            <TableHead columns={['Lightpath', 'To', numeric('Gb/s'), numeric('λ')]} />
            <tbody>
              {own.map((one) => (
                <tr key={one.id}>
                  <td><Choose lightpath={one} onSelect={onSelect} /></td>
                  <td>{one.source === name ? one.destination : one.source}</td>
                  <td class="number">{formatNumber(one.capacity)}</td>
                  <td class="number">{formatNumber(one.wavelength)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </div>
    </Panel>
  )
}

function LightpathDetails({ lightpath, network, onSelect }: Props & { lightpath: Lightpath }) {
  const types = new Map<string, number>()
  for (const { type } of lightpath.services) types.set(type, (types.get(type) ?? 0) + 1)
  const length = (path: string[]) => {
    const links = linksOf(path)
    return network.links.filter((link) => links.has(linkKey(link.source, link.destination))).reduce((sum, link) => sum + link.length, 0)
  }
  return (
    <Panel title={<>Lightpath {lightpath.id} {lightpath.status !== 'routed' && <State value={lightpath.status} />}</>}>
      <div class="stack">
        <dl>
          <dt>Ends</dt>
          <dd>
            {[lightpath.source, lightpath.destination].map((name) => (
              <Button key={name} look="quiet" onClick={() => onSelect({ node: name, link: null, lightpath: null })}>{name}</Button>
            ))}
          </dd>
          <dt>Demand</dt>
          <dd>{lightpath.demand ?? '–'}</dd>
          <dt>Capacity</dt>
          <dd>{formatNumber(lightpath.capacity)} Gb/s</dd>
          <dt>Carries</dt>
          <dd>{[...types].map(([type, count]) => `${count} ${type}`).join(', ') || '–'}</dd>
          <dt>Wavelength</dt>
          <dd>{formatNumber(lightpath.wavelength)}</dd>
          <dt>Protection</dt>
          <dd>{lightpath.protectionType}</dd>
          <dt>Restoration</dt>
          <dd>{lightpath.restorationType}</dd>
        </dl>
        {lightpath.working && <PathDetails name="working" path={lightpath.working} km={length(lightpath.working.path)} />}
        {lightpath.protection && <PathDetails name="protection" path={lightpath.protection} km={length(lightpath.protection.path)} />}
        {lightpath.restoration.map((one) => (
          <PathDetails key={one.failure} name="restoration" after={one.failure} path={one} km={length(one.path)} />
        ))}
      </div>
    </Panel>
  )
}

function PathDetails({ name, path, km, after }: { name: string; path: Path; km: number; after?: string }) {
  return (
    <section class="path-details">
      <h3>
        <span class={`use ${name}`}>{name}</span> {after && <span class="muted">if {after} fails</span>}
      </h3>
      <p>{path.path.map((node, index) => <span key={node}>{index > 0 && ' – '}{path.regenerators.includes(node) ? <Badge tone="warn" title="Regenerator">{node}</Badge> : node}</span>)}</p>
      <p class="muted">
        {formatNumber(Number(km.toPrecision(12)))} km; SNR {path.snr.map(formatNumber).join(', ')} dB
        {path.margin !== null && <>; margin <span class={path.margin < 0 ? 'bad-number' : ''}>{formatNumber(path.margin)} dB</span></>}
      </p>
    </section>
  )
}
