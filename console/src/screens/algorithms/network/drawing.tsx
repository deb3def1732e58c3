/** The network as on a map: the load of each link by width and colour, and the paths of a chosen lightpath. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { layout, type Point } from './layout'
import { linkKey, linksOf, loadOf, type Lightpath, type Link, type Network } from './model'
import './network.css'

export interface Selection {
  node: string | null
  link: string | null
  lightpath: string | null
}

const MARGIN = { x: 46, y: 26 }
const STEPS = 5

/** From 0, nearly nothing, to 4, nearly full; null: not known. */
export function loadStep(load: number | null): number | null {
  return load === null ? null : Math.min(STEPS - 1, Math.floor(load * STEPS))
}

/**
 * @param changed links to mark, as `linkKey`, each with a word about it.
 */
export function Drawing(props: {
  network: Network
  selection: Selection
  onSelect: (selection: Selection) => void
  changed?: Map<string, string>
  label?: string
}) {
  const { network, selection, onSelect, changed } = props
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(720)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(240, Math.round(entry!.contentRect.width))))
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  const relative = useMemo(() => layout(network.nodes, network.links), [network])
  const { points, height } = useMemo(() => placed(relative, width), [relative, width])
  const lightpath = network.lightpaths.find((one) => one.id === selection.lightpath)
  const routes = lightpath ? routesOf(lightpath) : null
  const texts = useMemo(() => textsOf(network, points, width), [network, points, width])
  const choose = (part: Partial<Selection>) => onSelect({ node: null, link: null, lightpath: null, ...part })
  const activated = (act: () => void) => ({
    role: 'button' as const,
    tabindex: 0,
    onClick: act,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      act()
    },
  })

  return (
    <div ref={box} class="drawing">
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="group" aria-label={props.label ?? 'The network'}>
        {network.links.map((link) => {
          const [from, to] = [points.get(link.source), points.get(link.destination)]
          if (!from || !to) return null
          const key = linkKey(link.source, link.destination)
          const step = loadStep(loadOf(network, link))
          const state = [selection.link === link.key && 'chosen', routes && 'faded', changed?.has(key) && 'marked'].filter(Boolean).join(' ')
          const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y }
          return (
            <g key={link.key} class={`link ${state}`} aria-label={about(network, link, changed?.get(key))} aria-pressed={selection.link === link.key} {...activated(() => choose({ link: link.key }))}>
              <title>{about(network, link, changed?.get(key))}</title>
              <line {...ends} class="reach" />
              {(selection.link === link.key || changed?.has(key)) && <line {...ends} class="ring" style={{ strokeWidth: widthOf(step) + 7 }} />}
              <line {...ends} class={`load-${step ?? 'none'}`} style={{ strokeWidth: widthOf(step) }} />
            </g>
          )
        })}
        {routes?.map(([kind, links]) =>
          network.links.map((link) => {
            const [from, to] = [points.get(link.source), points.get(link.destination)]
            if (!from || !to || !links.has(linkKey(link.source, link.destination))) return null
            return <line key={kind + link.key} class={`route ${kind}`} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
          }),
        )}
        {directLines(network, selection, lightpath).map((one) => {
          const [from, to] = [points.get(one.source), points.get(one.destination)]
          return from && to && <line key={one.id} class="route direct" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
        })}
        {texts.numbers.map(({ key, x, y, text }) => (
          <text key={key} class="number" x={x} y={y} aria-hidden="true">{text}</text>
        ))}
        {network.nodes.map((node) => {
          const point = points.get(node.name)!
          const ends = lightpath && (lightpath.source === node.name || lightpath.destination === node.name)
          const regenerates = lightpath?.working?.regenerators.includes(node.name) || lightpath?.protection?.regenerators.includes(node.name)
          const shown = texts.named.has(node.name) || ends || selection.node === node.name
          return (
            <g key={node.name} class={`node ${selection.node === node.name || ends ? 'chosen' : ''}`} aria-label={`Node ${node.name}`} aria-pressed={selection.node === node.name} {...activated(() => choose({ node: node.name }))}>
              <title>{node.name}</title>
              <circle cx={point.x} cy={point.y} r={12} class="reach" />
              <circle cx={point.x} cy={point.y} r={ends ? 7 : 5} class={regenerates ? 'regenerator' : ''} />
              {shown && <text x={point.x} y={point.y - 9}>{node.name}</text>}
            </g>
          )
        })}
      </svg>
    </div>
  )
}

function widthOf(step: number | null): number {
  return step === null ? 2 : 2 + step * 1.75
}

function about(network: Network, link: Link, change: string | undefined): string {
  const load = loadOf(network, link)
  const used = load === null ? `${link.length} km` : `${link.used} of ${network.wavelengths} wavelengths, load ${Math.round(load * 100)} %`
  return [`Link ${link.source} – ${link.destination}: ${used}`, change].filter(Boolean).join('; ')
}

function routesOf(lightpath: Lightpath): [string, Set<string>][] {
  return [
    ['restoration', new Set(lightpath.restoration.flatMap((one) => [...linksOf(one.path)]))],
    ['protection', linksOf(lightpath.protection?.path)],
    ['working', linksOf(lightpath.working?.path)],
  ]
}

/** Lightpaths without a route, as straight lines: the chosen one, or those of the chosen node. */
function directLines(network: Network, selection: Selection, lightpath: Lightpath | undefined): Lightpath[] {
  if (lightpath) return lightpath.working ? [] : [lightpath]
  if (!selection.node) return []
  return network.lightpaths.filter((one) => !one.working && (one.source === selection.node || one.destination === selection.node))
}

/** Points in pixels, and the height of the drawing. */
function placed(relative: Map<string, Point>, width: number): { points: Map<string, Point>; height: number } {
  const all = [...relative.values()]
  const [right, bottom] = [Math.max(0.01, ...all.map((point) => point.x)), Math.max(0.01, ...all.map((point) => point.y))]
  const inner = width - 2 * MARGIN.x
  const height = Math.round(Math.min(Math.max((inner * bottom) / right, 160), 560) + 2 * MARGIN.y)
  const scale = Math.min(inner / right, (height - 2 * MARGIN.y) / bottom)
  const [left, top] = [(width - right * scale) / 2, (height - bottom * scale) / 2]
  return { points: new Map([...relative].map(([name, { x, y }]) => [name, { x: left + x * scale, y: top + y * scale }])), height }
}

interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** The names and numbers that have room: the names of nodes with most links first. The lists have all of them. */
function textsOf(network: Network, points: Map<string, Point>, width: number) {
  const taken: Box[] = network.nodes.map((node) => around(points.get(node.name)!, 5, 5))
  const take = (box: Box): boolean => {
    const free = taken.every((other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom)
    if (free && box.left >= 0 && box.right <= width) taken.push(box)
    return free
  }
  const degree = (name: string) => network.links.filter((link) => link.source === name || link.destination === name).length
  const named = new Set<string>()
  for (const node of [...network.nodes].sort((one, other) => degree(other.name) - degree(one.name))) {
    const point = points.get(node.name)!
    if (take(around({ x: point.x, y: point.y - 14 }, node.name.length * 3.3, 6))) named.add(node.name)
  }
  const numbers = network.links.flatMap((link) => {
    const [from, to] = [points.get(link.source), points.get(link.destination)]
    if (!from || !to || link.used === null) return []
    const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
    return take(around(middle, 8, 6)) ? [{ key: link.key, x: middle.x, y: middle.y, text: String(link.used) }] : []
  })
  return { named, numbers }
}

function around(point: Point, x: number, y: number): Box {
  return { left: point.x - x, right: point.x + x, top: point.y - y, bottom: point.y + y }
}

/** What widths, colours and dashes mean. */
export function Legend({ network, route }: { network: Network; route: boolean }) {
  if (route) {
    return (
      <ul class="legend plain">
        {['working', 'protection', 'restoration'].map((kind) => (
          <li key={kind}><Sample kind={`route ${kind}`} width={4} /> {kind} path</li>
        ))}
        <li><span class="dot regenerator" /> regenerator</li>
      </ul>
    )
  }
  if (network.wavelengths === null) {
    return (
      <ul class="legend plain">
        <li><Sample kind="load-none" width={2} /> link</li>
        <li><Sample kind="route direct" width={3} /> lightpath of the chosen node, not routed yet</li>
      </ul>
    )
  }
  const each = network.wavelengths / STEPS
  return (
    <ul class="legend plain">
      <li class="muted">Wavelengths in use</li>
      {Array.from({ length: STEPS }, (_, step) => (
        <li key={step}>
          <Sample kind={`load-${step}`} width={widthOf(step)} /> {Math.ceil(step * each)}–{step === STEPS - 1 ? network.wavelengths : Math.ceil((step + 1) * each) - 1}
        </li>
      ))}
    </ul>
  )
}

function Sample({ kind, width }: { kind: string; width: number }) {
  return (
    <svg width="30" height="12" aria-hidden="true">
      <line x1="2" y1="6" x2="28" y2="6" class={kind} style={{ strokeWidth: width }} />
    </svg>
  )
}
