/** A network and what a result routes over it, as the drawing and the details need it. */
import { api, ok, type Schemas } from '../../../api/client'
import { rowsOf } from '../arrow'

export interface Node {
  name: string
  lat: number | null
  lng: number | null
  roadm: string | null
}

export interface Link {
  /** Of both ends, such as `Ardvale|Ostrane`, in the order of the topology. */
  key: string
  source: string
  destination: string
  length: number
  /** Wavelengths of working and protection paths; null: the result routes nothing. */
  used: number | null
  restoration: number
}

export interface Path {
  path: string[]
  regenerators: string[]
  snr: number[]
  margin: number | null
}

export interface Lightpath {
  id: string
  demand: string | null
  source: string
  destination: string
  capacity: number
  protectionType: string
  restorationType: string
  wavelength: number | null
  status: 'routed' | 'blocked' | 'groomed'
  working: Path | null
  protection: Path | null
  restoration: (Path & { failure: string })[]
  services: { id: string; type: string }[]
}

export interface Network {
  nodes: Node[]
  links: Link[]
  lightpaths: Lightpath[]
  /** How many wavelengths a link has; null: the result has none. */
  wavelengths: number | null
  /** What each node needs, by item. */
  materials: Record<string, Record<string, number>> | null
}

const NETWORKS = ['network_plan', 'rwa', 'grooming']

/** Whether an algorithm's results can be drawn as a network. */
export function isNetwork(algorithm: string | null): boolean {
  return algorithm !== null && NETWORKS.includes(algorithm)
}

interface RawPath {
  path: string[]
  wavelength: number[]
  regenerators: string[]
  snr: number[]
  margin_db: number | null
}

interface RawLightpath {
  id: string
  demand_id: string | null
  source: string
  destination: string
  capacity: number
  protection_type: string
  restoration_type: string
  routing_info?: { working: RawPath; protection?: RawPath; restoration?: { first_failure: string[]; second_failure?: string[]; info: RawPath }[] }
  service_id_list?: { id: string; type: string; normal_service_type?: string | null }[]
}

interface RawRwa {
  lightpaths: Record<string, RawLightpath>
  blocked: { id: string }[]
}

interface RawGrooming {
  traffic: Record<string, { lightpaths: Record<string, RawLightpath> }>
}

interface Document {
  rwa?: RawRwa
  grooming?: RawGrooming
  materials?: { nodes: Record<string, Record<string, number>> }
}

interface LinkRow {
  source: string
  destination: string
  wavelengths_used: number
  restoration_wavelengths: number
}

/** The network of a run: the topology that it took, with what its result says. */
export async function networkOf(run: Schemas['RunView'], document: Record<string, unknown>): Promise<Network> {
  const topology = await topologyOf(run)
  const whole = document as Document
  const rwa = run.algorithm === 'rwa' ? (document as unknown as RawRwa) : whole.rwa
  const grooming = run.algorithm === 'grooming' ? (document as unknown as RawGrooming) : whole.grooming
  const rows = rwa ? new Map((await rowsOf<LinkRow>(run.id, 'links')).map((row) => [linkKey(row.source, row.destination), row])) : null
  return {
    nodes: topology.nodes.map((node) => ({ name: node.name, lat: node.lat ?? null, lng: node.lng ?? null, roadm: node.roadm_type ?? null })),
    links: topology.links.map(({ source, destination, length }) => {
      const row = rows?.get(linkKey(source, destination))
      return { key: `${source}|${destination}`, source, destination, length, used: rows ? (row?.wavelengths_used ?? 0) : null, restoration: row?.restoration_wavelengths ?? 0 }
    }),
    lightpaths: lightpathsOf(rwa, grooming),
    wavelengths: rwa ? Number((run.request?.parameters as { wavelengths?: number }).wavelengths ?? 80) : null,
    materials: whole.materials?.nodes ?? null,
  }
}

interface Topology {
  nodes: { name: string; lat?: number; lng?: number; roadm_type?: string }[]
  links: { source: string; destination: string; length: number }[]
}

async function topologyOf(run: Schemas['RunView']): Promise<Topology> {
  const used = run.request?.inputs.topology
  if (!used?.input) return { nodes: [], links: [] }
  const input = await ok(api.GET('/v1/inputs/{slug}', { params: { path: { slug: used.input }, query: { version: used.version ?? undefined } } }))
  return input.document as unknown as Topology
}

function lightpathsOf(rwa: RawRwa | undefined, grooming: RawGrooming | undefined): Lightpath[] {
  const groomed = Object.assign({}, ...Object.values(grooming?.traffic ?? {}).map((matrix) => matrix.lightpaths)) as Record<string, RawLightpath>
  const blocked = new Set(rwa?.blocked.map((one) => one.id))
  return Object.values({ ...groomed, ...rwa?.lightpaths }).map((raw): Lightpath => {
    const info = raw.routing_info
    return {
      id: raw.id,
      demand: raw.demand_id,
      source: raw.source,
      destination: raw.destination,
      capacity: raw.capacity,
      protectionType: raw.protection_type,
      restorationType: raw.restoration_type,
      wavelength: info?.working.wavelength[0] ?? null,
      status: info ? 'routed' : blocked.has(raw.id) ? 'blocked' : 'groomed',
      working: info ? pathOf(info.working) : null,
      protection: info?.protection ? pathOf(info.protection) : null,
      restoration: (info?.restoration ?? []).map((one) => ({
        ...pathOf(one.info),
        failure: [one.first_failure, one.second_failure].filter(Boolean).map((link) => link!.join(' – ')).join(' and '),
      })),
      services: (groomed[raw.id]?.service_id_list ?? []).map((one) => ({ id: one.id, type: one.type === 'groomout' ? 'groomout' : (one.normal_service_type ?? one.type) })),
    }
  })
}

function pathOf(raw: RawPath): Path {
  return { path: raw.path, regenerators: raw.regenerators, snr: raw.snr, margin: raw.margin_db }
}

/** The same for both directions. */
export function linkKey(one: string, other: string): string {
  return one < other ? `${one}|${other}` : `${other}|${one}`
}

/** The links of a path, each as `linkKey`. */
export function linksOf(path: string[] | undefined): Set<string> {
  return new Set((path ?? []).slice(1).map((node, index) => linkKey(path![index]!, node)))
}

/** The part of a link's wavelengths that is in use, from 0 to 1; null: not known. */
export function loadOf(network: Network, link: Link): number | null {
  return link.used === null || !network.wavelengths ? null : link.used / network.wavelengths
}
