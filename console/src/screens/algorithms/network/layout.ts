/** Where nodes are drawn: by their coordinates, or by a small simulation that always ends the same. */
import type { Link, Node } from './model'

export interface Point {
  x: number
  y: number
}

/** Points between 0 and 1 in the wider direction, by the name of the node. */
export function layout(nodes: Node[], links: Link[]): Map<string, Point> {
  return fitted(hasPlaces(nodes) ? projected(nodes) : simulated(nodes, links))
}

/** Whether the coordinates tell the nodes apart. */
function hasPlaces(nodes: Node[]): boolean {
  if (nodes.some((node) => node.lat === null || node.lng === null)) return false
  return new Set(nodes.map((node) => `${node.lat} ${node.lng}`)).size > nodes.length / 2
}

/** Degrees of longitude are shorter away from the equator. */
function projected(nodes: Node[]): Map<string, Point> {
  const middle = nodes.reduce((sum, node) => sum + node.lat!, 0) / Math.max(1, nodes.length)
  const narrow = Math.cos((middle * Math.PI) / 180)
  return new Map(nodes.map((node) => [node.name, { x: node.lng! * narrow, y: -node.lat! }]))
}

const STEPS = 300

/** Nodes push each other away and links pull; it begins on a circle by name, without chance. */
function simulated(nodes: Node[], links: Link[]): Map<string, Point> {
  const names = nodes.map((node) => node.name).sort()
  const points = new Map(names.map((name, index) => {
    const angle = (2 * Math.PI * index) / names.length
    return [name, { x: 0.5 + 0.4 * Math.cos(angle), y: 0.5 + 0.4 * Math.sin(angle) }]
  }))
  const ideal = 0.9 / Math.sqrt(Math.max(1, names.length))
  for (let step = 0; step < STEPS; step++) {
    const moves = new Map(names.map((name) => [name, { x: 0, y: 0 }]))
    const push = (one: string, other: string, force: (distance: number) => number) => {
      const [a, b] = [points.get(one), points.get(other)]
      if (!a || !b) return
      const [dx, dy] = [a.x - b.x, a.y - b.y]
      const distance = Math.max(0.001, Math.hypot(dx, dy))
      const strength = force(distance) / distance
      for (const [name, sign] of [[one, 1], [other, -1]] as const) {
        const move = moves.get(name)!
        move.x += sign * dx * strength
        move.y += sign * dy * strength
      }
    }
    for (const [index, one] of names.entries()) for (const other of names.slice(index + 1)) push(one, other, (distance) => ideal ** 2 / distance)
    for (const link of links) push(link.source, link.destination, (distance) => -(distance ** 2) / ideal)
    const most = 0.1 * (1 - step / STEPS)
    for (const [name, move] of moves) {
      const length = Math.max(0.001, Math.hypot(move.x, move.y))
      const point = points.get(name)!
      point.x += (move.x / length) * Math.min(length, most)
      point.y += (move.y / length) * Math.min(length, most)
    }
  }
  return points
}

/** Moved to begin at 0, with the longer side 1. */
function fitted(points: Map<string, Point>): Map<string, Point> {
  const all = [...points.values()]
  if (all.length === 0) return points
  const [left, top] = [Math.min(...all.map((point) => point.x)), Math.min(...all.map((point) => point.y))]
  const size = Math.max(Math.max(...all.map((point) => point.x)) - left, Math.max(...all.map((point) => point.y)) - top) || 1
  return new Map([...points].map(([name, point]) => [name, { x: (point.x - left) / size, y: (point.y - top) / size }]))
}
