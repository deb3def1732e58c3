/** The kinds of inputs, and how the documents of each are edited as tables. */
import { numberOf, writeJson } from '../../api/json'

export type Document = Record<string, unknown>
export type Item = Record<string, unknown>

/** A column of an editable table: how a cell's text comes from an item, and how it changes the item. */
export interface Column {
  name: string
  title: string
  /** Numbers are aligned to the right. */
  numeric?: boolean
  /** The values to choose among. */
  options?: string[]
  /** The cell names a node: other tables of the document have the names. */
  node?: boolean
  /** Ids are given by the console. */
  fixed?: boolean
  read: (item: Item) => string
  write: (item: Item, text: string) => Item
}

/** A list of the document as a table. */
export interface Table {
  name: string
  title: string
  /** What a row is, for its buttons, such as `node`. */
  noun: string
  columns: Column[]
  items: (document: Document) => Item[]
  replace: (document: Document, items: Item[]) => Document
  blank: (items: Item[]) => Item
  /** The row and the column of a pointer below the document; null if it leads elsewhere. */
  locate: (document: Document, parts: string[]) => { row: number; column: string | null } | null
}

export interface Kind {
  name: string
  title: string
  about: string
  workbook: boolean
  empty: Document
  tables: Table[]
}

export const SERVICES = ['E1', 'STM1 Electrical', 'STM1 Optical', 'STM4', 'STM16', 'STM64', 'FE', 'GE', '10GE', '100GE']

function text(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : writeJson(value)
}

/** A number, if the text is one; else the text, which the API refuses in its own words. */
function entryOf(entered: string): unknown {
  return entered.trim() === '' ? null : (numberOf(entered) ?? entered)
}

function field(name: string, title: string, more: Partial<Column> = {}): Column {
  return {
    name,
    title,
    read: (item) => text(item[name]),
    write: (item, entered) => ({ ...item, [name]: more.numeric ? entryOf(entered) : entered }),
    ...more,
  }
}

/** A list of objects in the document, by the name of its field. */
function list(name: string, title: string, noun: string, columns: Column[], blank: () => Item): Table {
  return {
    name,
    title,
    noun,
    columns,
    items: (document) => (Array.isArray(document[name]) ? (document[name] as Item[]) : []),
    replace: (document, items) => ({ ...document, [name]: items }),
    blank,
    locate: (_, [first, row, column]) => (first === name && row !== undefined ? { row: Number(row), column: column ?? null } : null),
  }
}

/** An object of objects in the document, each with its key as `id`. */
function keyed(
  name: string,
  title: string,
  noun: string,
  columns: Column[],
  blank: () => Item,
  columnOf: (item: Item, parts: string[]) => string | null,
): Table {
  const items = (document: Document) => Object.values((document[name] ?? {}) as Record<string, Item>)
  return {
    name,
    title,
    noun,
    columns,
    items,
    replace: (document, changed) => ({ ...document, [name]: Object.fromEntries(changed.map((item) => [text(item.id), item])) }),
    blank: (present) => ({ id: nextId(present.map((item) => text(item.id))), ...blank() }),
    locate: (document, [first, key, ...rest]) => {
      if (first !== name || key === undefined) return null
      const row = Object.keys((document[name] ?? {}) as object).indexOf(key)
      return row < 0 ? null : { row, column: columnOf(items(document)[row]!, rest) }
    },
  }
}

/** The number after the highest one among the ids. */
function nextId(ids: Iterable<string>): string {
  let last = 0n
  for (const id of ids) {
    const number = BigInt(/\d+$/.exec(id)?.[0] ?? 0)
    if (number > last) last = number
  }
  return String(last + 1n)
}

interface Service extends Item {
  type: string
  quantity: unknown
  service_id_list?: string[]
}

function services(demand: Item): Service[] {
  return Array.isArray(demand.services) ? (demand.services as Service[]) : []
}

/** The number of services of one type of a demand; their ids are kept, and new ones follow from the demand's id. */
function quantity(type: string): Column {
  return {
    name: type,
    title: type,
    numeric: true,
    read: (demand) => {
      const own = services(demand).filter((service) => service.type === type)
      if (own.length < 2) return text(own[0]?.quantity)
      return text(own.reduce((sum, service) => sum + Number(service.quantity), 0))
    },
    write: (demand, entered) => {
      const all = services(demand)
      const count = entryOf(entered)
      const first = all.findIndex((service) => service.type === type)
      if (count === null || count === 0) return { ...demand, services: all.filter((service) => service.type !== type) }
      const own = all.filter((service) => service.type === type)
      const ids = own.flatMap((service) => service.service_id_list ?? [])
      const changed = { ...own[0], type, quantity: count, service_id_list: resized(ids, count, `${text(demand.id)}-${type}`) }
      const rest = all.filter((service) => service.type !== type)
      if (first < 0) rest.push(changed)
      else rest.splice(Math.min(first, rest.length), 0, changed)
      return { ...demand, services: rest }
    },
  }
}

function resized(ids: string[], count: unknown, prefix: string): string[] {
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > 100_000) return []
  const sized = ids.slice(0, count)
  const taken = new Set(sized)
  for (let number = 1; sized.length < count; number++) {
    const id = `${prefix}-${number}`
    if (!taken.has(id)) sized.push(id)
  }
  return sized
}

function names(name: string, title: string): Column {
  const inside = (item: Item) => (item.data ?? {}) as Item
  return {
    name,
    title,
    read: (item) => (Array.isArray(inside(item)[name]) ? (inside(item)[name] as unknown[]).join(', ') : text(inside(item)[name])),
    write: (item, entered) => ({
      ...item,
      data: { ...inside(item), [name]: entered.split(',').map((one) => one.trim()).filter(Boolean) },
    }),
  }
}

function inData(name: string, title: string, options?: string[]): Column {
  const inside = (item: Item) => (item.data ?? {}) as Item
  return {
    name,
    title,
    options,
    read: (item) => text(inside(item)[name]),
    write: (item, entered) => ({ ...item, data: { ...inside(item), [name]: entered || null } }),
  }
}

const NODE_NAMES = { node: true }

export const KINDS: Kind[] = [
  {
    name: 'topology',
    title: 'Topology',
    about: 'The nodes of a network, and the links between them.',
    workbook: true,
    empty: { nodes: [], links: [] },
    tables: [
      list(
        'nodes',
        'Nodes',
        'node',
        [
          field('name', 'Node'),
          field('lat', 'Latitude', { numeric: true }),
          field('lng', 'Longitude', { numeric: true }),
          field('roadm_type', 'ROADM type', { options: ['CDC', 'Directionless'] }),
        ],
        () => ({ name: '', lat: null, lng: null, roadm_type: 'CDC' }),
      ),
      list(
        'links',
        'Links',
        'link',
        [
          field('source', 'Source', NODE_NAMES),
          field('destination', 'Destination', NODE_NAMES),
          field('length', 'Length in km', { numeric: true }),
          field('fiber_type', 'Fibre type'),
        ],
        () => ({ source: '', destination: '', length: null, fiber_type: 'sm' }),
      ),
    ],
  },
  {
    name: 'traffic_matrix',
    title: 'Traffic matrix',
    about: 'The services that pairs of nodes demand.',
    workbook: true,
    empty: { demands: {} },
    tables: [
      keyed(
        'demands',
        'Demands',
        'demand',
        [
          field('id', 'Id', { fixed: true }),
          field('source', 'Source', NODE_NAMES),
          field('destination', 'Destination', NODE_NAMES),
          field('protection_type', 'Protection', { options: ['1+1_NodeDisjoint', 'NoProtection'] }),
          field('restoration_type', 'Restoration', { options: ['None', 'JointSame', 'AdvJointSame'] }),
          ...SERVICES.map(quantity),
        ],
        () => ({ source: '', destination: '', protection_type: 'NoProtection', restoration_type: 'None', services: [] }),
        (demand, [name, index]) => (name === 'services' ? (services(demand)[Number(index)]?.type ?? null) : (name ?? null)),
      ),
    ],
  },
  {
    name: 'clusters',
    title: 'Clusters',
    about: 'Groups of nodes, each with a gateway for its traffic to other groups.',
    workbook: false,
    empty: { clusters: {} },
    tables: [
      keyed(
        'clusters',
        'Clusters',
        'cluster',
        [
          field('id', 'Id', { fixed: true }),
          field('name', 'Name'),
          names('gateways', 'Gateways, with commas'),
          names('subnodes', 'Other nodes, with commas'),
          inData('type', 'Type', ['100GE', '200GE']),
          inData('color', 'Colour'),
        ],
        () => ({ name: '', data: { gateways: [], subnodes: [], color: '#1658c4', type: '100GE' } }),
        (_, [name, inner]) => (name === 'data' ? (inner ?? null) : (name ?? null)),
      ),
    ],
  },
  {
    name: 'document',
    title: 'Document',
    about: 'Any JSON object.',
    workbook: false,
    empty: {},
    tables: [],
  },
]

export function kindOf(name: string): Kind {
  return KINDS.find((kind) => kind.name === name) ?? { ...KINDS.at(-1)!, name, title: name }
}

/** The names that a document gives to its nodes. */
export function nodeNames(document: Document): string[] {
  return Array.isArray(document.nodes) ? (document.nodes as Item[]).map((node) => text(node.name)).filter(Boolean) : []
}
