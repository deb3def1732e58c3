/** A project's lineage as a drawing, from upstream to reports and endpoints; and the same as a list. */
import { useMemo, useState } from 'preact/hooks'
import { href, Link, useParameter } from '../../../router'
import { TableHead } from '../../../ui/list'
import { Badge } from '../../../ui/parts'
import { formatAge, Time } from '../../../ui/values'
import { layOut, type Lane, type Placed } from './layout'
import './lineage.css'
import type { LineageNode } from './nodes'

// Five columns fit beside the navigation of a window of 1280 pixels.
const WIDTH = 172
const GAP = 36
const HEIGHT = 62
const ACROSS = WIDTH + GAP
const DOWN = HEIGHT + 18
const MARGIN = 6

type Place = Placed<LineageNode>
const left = (place: { column: number }) => MARGIN + place.column * ACROSS
const top = (place: Place) => MARGIN + place.row * DOWN

export function Lineage({ nodes }: { nodes: LineageNode[] }) {
  const [shown, setShown] = useParameter('lineage')
  const layout = useMemo(() => layOut(nodes), [nodes])
  const [active, setActive] = useState<string | null>(null)
  const related = useMemo(() => (active === null ? null : relatedTo(active, nodes)), [active, nodes])
  const places = [...layout.placed.values()]
  const width = layout.columns * ACROSS - GAP + 2 * MARGIN
  const height = layout.rows * DOWN - (DOWN - HEIGHT) + 2 * MARGIN
  return (
    <div class="stack">
      <div class="lineage">
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Lineage">
          {places.flatMap((place) =>
            place.node.parents.flatMap((id) => {
              const parent = layout.placed.get(id)
              const dim = related !== null && !(related.has(id) && related.has(place.node.id))
              const lanes = parent ? layout.lanes(id, place.node.id) : []
              return parent ? [<Line key={`${id} ${place.node.id}`} from={parent} lanes={lanes} to={place} dim={dim} />] : []
            }),
          )}
          {places.map((place) => (
            <Node key={place.node.id} place={place} dim={related !== null && !related.has(place.node.id)} onActive={setActive} />
          ))}
        </svg>
      </div>
      <details open={shown === 'list'} onToggle={(event) => setShown(event.currentTarget.open ? 'list' : null)}>
        <summary>The same as a list</summary>
        <NodeList nodes={nodes} />
      </details>
    </div>
  )
}

/** A line between two nodes, which passes the columns between them on lanes, and so behind no other node. */
function Line(props: { from: Place; lanes: Lane[]; to: Place; dim: boolean }) {
  let [x, y] = [left(props.from) + WIDTH, top(props.from) + HEIGHT / 2]
  let way = `M ${x} ${y}`
  const bendTo = (x2: number, y2: number) => {
    const bend = Math.max(GAP, x2 - x) / 2
    way += ` C ${x + bend} ${y}, ${x2 - bend} ${y2}, ${x2} ${y2}`
  }
  for (const lane of props.lanes) {
    const height = MARGIN + lane.centre * DOWN - (DOWN - HEIGHT) / 2
    bendTo(left(lane), height)
    ;[x, y] = [left(lane) + WIDTH, height]
    way += ` H ${x}`
  }
  bendTo(left(props.to), top(props.to) + HEIGHT / 2)
  return <path class={`lineage-line ${props.dim ? 'dim' : ''}`} d={way} aria-hidden="true" />
}

function Node(props: { place: Place; dim: boolean; onActive: (id: string | null) => void }) {
  const { place, onActive } = props
  const { node } = place
  const age = node.at ? formatAge(node.at) : ''
  return (
    <a
      href={href(node.to, node.query)}
      class={`lineage-node ${node.tone} ${props.dim ? 'dim' : ''}`}
      aria-label={`${node.kind} ${node.name}: ${node.state}${age && `, ${age}`}`}
      onMouseEnter={() => onActive(node.id)}
      onMouseLeave={() => onActive(null)}
      onFocus={() => onActive(node.id)}
      onBlur={() => onActive(null)}
    >
      <g transform={`translate(${left(place)} ${top(place)})`}>
        <title>{`${node.name}: ${node.state}${node.at ? `, ${node.at}` : ''}`}</title>
        <rect class="box" width={WIDTH} height={HEIGHT} rx="8" />
        <rect class="edge" width="5" height={HEIGHT} rx="2.5" />
        <text class="kind" x="16" y="17">
          {node.kind}
        </text>
        <text class="name" x="16" y="34">
          {shorten(node.name, 17)}
        </text>
        <text class="state" x="16" y="52">
          {shorten(node.state, 23)}
        </text>
        <text class="age" x={WIDTH - 10} y="17" text-anchor="end">
          {age && shortAge(node.at!)}
        </text>
      </g>
    </a>
  )
}

/** An age in few letters, such as `7 min`; the label has it in full. */
function shortAge(time: string): string {
  const units = { second: 's', minute: 'min', hour: 'h', day: 'd' }
  const age = formatAge(time).replace(/ ago$/, '')
  return age.replace(/(second|minute|hour|day)s?\b/, (_, unit: keyof typeof units) => units[unit])
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/** A node, all that it depends on, and all that depends on it. */
function relatedTo(id: string, nodes: LineageNode[]): Set<string> {
  const parents = new Map(nodes.map((node) => [node.id, node.parents]))
  const children = new Map<string, string[]>()
  for (const node of nodes) for (const parent of node.parents) children.set(parent, [...(children.get(parent) ?? []), node.id])
  const related = new Set<string>([id])
  for (const next of [parents, children]) {
    const waiting = [...(next.get(id) ?? [])]
    while (waiting.length > 0) {
      const one = waiting.pop()!
      if (related.has(one)) continue
      related.add(one)
      waiting.push(...(next.get(one) ?? []))
    }
  }
  return related
}

function NodeList({ nodes }: { nodes: LineageNode[] }) {
  const names = new Map(nodes.map((node) => [node.id, node.name]))
  return (
    <div class="table-box">
      <table class="plain">
        <TableHead columns={['Part', 'Kind', 'State', 'Since', 'Made from']} />
        <tbody>
          {nodes.map((node) => (
            <tr key={node.id}>
              <td>
                <Link to={node.to} query={node.query}>{node.name}</Link>
              </td>
              <td>{node.kind}</td>
              <td>
                <Badge tone={node.tone}>{node.state}</Badge>
              </td>
              <td>
                <Time at={node.at} />
              </td>
              <td>{node.parents.flatMap((id) => names.get(id) ?? []).join(', ') || <span class="muted">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
