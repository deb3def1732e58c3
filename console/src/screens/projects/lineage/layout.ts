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

/** Where lines of one node pass between the nodes of a column that they do not end in. */
export interface Lane {
  column: number
  /** The middle of the lane, in rows. */
  centre: number
}

export interface Layout<T> {
  placed: Map<string, Placed<T>>
  columns: number
  rows: number
  /** The lanes of the line from a node to one that depends on it. */
  lanes: (parent: string, child: string) => Lane[]
}

/** What takes place in a column: a node, or a lane. */
interface Item<T> {
  id: string
  node: T | null
  column: number
  row: number
  /** What it is connected with in the columns beside it. */
  before: Item<T>[]
  after: Item<T>[]
}

const LANE = 0.3
const sizeOf = (item: Item<unknown>) => (item.node ? 1 : LANE)
const centreOf = (item: Item<unknown>) => item.row + sizeOf(item) / 2

/** Place nodes; parents that are not among them are passed over, and so are dependencies in a circle. */
export function layOut<T extends GraphNode>(nodes: T[]): Layout<T> {
  const numbers = columnsOf(nodes)
  const columns: Item<T>[][] = [...new Set(numbers.values())].map(() => [])
  const items = new Map<string, Item<T>>()
  const put = (id: string, node: T | null, column: number) => {
    const item: Item<T> = { id, node, column, row: 0, before: [], after: [] }
    items.set(id, item)
    columns[column]!.push(item)
    return item
  }
  for (const node of nodes) put(node.id, node, numbers.get(node.id)!)
  // All lines of a node share its lane of a column.
  const way = (parent: Item<T>, child: Item<T>) => {
    const between = Array.from({ length: Math.max(0, child.column - parent.column - 1) }, (_, index) => parent.column + 1 + index)
    return between.map((column) => items.get(`${parent.id}\n${column}`) ?? put(`${parent.id}\n${column}`, null, column))
  }
  for (const node of nodes) {
    for (const parent of node.parents.flatMap((id) => items.get(id) ?? [])) {
      const child = items.get(node.id)!
      const steps = [parent, ...way(parent, child), child]
      for (const [index, item] of steps.slice(1).entries()) connect(steps[index]!, item)
    }
  }
  const rows = arrange(columns)
  const placed = [...items.values()].flatMap(({ id, node, column, row }) => (node ? [[id, { node, column, row }] as const] : []))
  const lanes = (parent: string, child: string) =>
    way(items.get(parent)!, items.get(child)!).map((item) => ({ column: item.column, centre: centreOf(item) }))
  return { placed: new Map(placed), columns: columns.length, rows, lanes }
}

function connect<T>(before: Item<T>, after: Item<T>): void {
  if (before.after.includes(after)) return
  before.after.push(after)
  after.before.push(before)
}

/** The column of each node, from 0 without gaps. */
function columnsOf(nodes: GraphNode[]): Map<string, number> {
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
  const last = Math.max(0, ...nodes.filter((node) => !node.last).map((node) => depths.get(node.id)!)) + 1
  const columns = new Map(nodes.map((node) => [node.id, node.last ? last : depths.get(node.id)!]))
  const used = [...new Set(columns.values())].sort((a, b) => a - b)
  return new Map([...columns].map(([id, column]) => [id, used.indexOf(column)]))
}

/** Choose the rows: each item near to what it is connected with, so that fewer lines cross. */
function arrange<T>(columns: Item<T>[][]): number {
  const heights = columns.map((items) => items.reduce((sum, item) => sum + sizeOf(item), 0))
  const rows = Math.max(0, ...heights)
  const put = () =>
    columns.forEach((items, column) => {
      let row = (rows - heights[column]!) / 2
      for (const item of items) {
        item.row = row
        row += sizeOf(item)
      }
    })
  const sort = (items: Item<T>[], neighbours: (item: Item<T>) => Item<T>[]) => {
    const wish = (item: Item<T>) => {
      const its = neighbours(item)
      return its.length > 0 ? its.reduce((sum, one) => sum + centreOf(one), 0) / its.length : centreOf(item)
    }
    const wishes = new Map(items.map((item) => [item, wish(item)]))
    items.sort((a, b) => wishes.get(a)! - wishes.get(b)!)
    put()
  }
  put()
  // From the left to the right, back and again.
  for (const items of columns) sort(items, (item) => item.before)
  for (const items of columns.toReversed()) sort(items, (item) => item.after)
  for (const items of columns) sort(items, (item) => item.before)
  return rows
}
