/** Where the nodes of a directed graph without cycles are drawn: in columns, each one right of all that it depends on. */

export interface GraphNode {
  id: string
  /** The ids of the nodes that it depends on. */
  parents: string[]
  /** Whether it belongs into the last column, because nothing depends on it. */
  last?: boolean
}

export interface Placed<T> {
  node: T
  column: number
  /** From the top, in rows; columns with fewer nodes begin lower. */
  row: number
}

export interface Layout<T> {
  placed: Map<string, Placed<T>>
  columns: number
  rows: number
}

/** Place nodes; parents that are not among them are passed over, and so are dependencies in a circle. */
export function layOut<T extends GraphNode>(nodes: T[]): Layout<T> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const depths = new Map<string, number>()
  const depthOf = (id: string): number => {
    const known = depths.get(id)
    if (known !== undefined) return known
    depths.set(id, 0) // for a circle
    const parents = byId.get(id)!.parents.filter((parent) => byId.has(parent))
    const depth = Math.max(-1, ...parents.map(depthOf)) + 1
    depths.set(id, depth)
    return depth
  }
  nodes.forEach((node) => depthOf(node.id))
  const inner = nodes.filter((node) => !node.last).map((node) => depths.get(node.id)!)
  const lastColumn = Math.max(0, ...inner) + 1
  const columns: T[][] = []
  for (const node of nodes) {
    const column = node.last ? lastColumn : depths.get(node.id)!
    ;(columns[column] ??= []).push(node)
  }
  return place(columns.filter(Boolean))
}

function place<T extends GraphNode>(columns: T[][]): Layout<T> {
  const rows = Math.max(0, ...columns.map((column) => column.length))
  const placed = new Map<string, Placed<T>>()
  const put = () =>
    columns.forEach((nodes, column) => {
      const start = (rows - nodes.length) / 2
      nodes.forEach((node, index) => placed.set(node.id, { node, column, row: start + index }))
    })
  put()
  // Each node near to what it is connected with: from the left to the right, back and again, so that fewer lines cross.
  const children = new Map<string, string[]>()
  for (const node of columns.flat()) {
    for (const parent of node.parents) children.set(parent, [...(children.get(parent) ?? []), node.id])
  }
  const sort = (nodes: T[], neighbours: (node: T) => string[]) => {
    const centre = (node: T) => {
      const known = neighbours(node).flatMap((id) => placed.get(id)?.row ?? [])
      return known.length > 0 ? known.reduce((sum, row) => sum + row, 0) / known.length : placed.get(node.id)!.row
    }
    const centres = new Map(nodes.map((node) => [node.id, centre(node)]))
    nodes.sort((a, b) => centres.get(a.id)! - centres.get(b.id)!)
    put()
  }
  for (const nodes of columns) sort(nodes, (node) => node.parents)
  for (const nodes of columns.toReversed()) sort(nodes, (node) => children.get(node.id) ?? [])
  for (const nodes of columns) sort(nodes, (node) => node.parents)
  return { placed, columns: columns.length, rows }
}
