/** A person or a key by name; the id, by which the API knows them, is the tooltip. */
import { all, api, ok } from '../api/client'
import { useLoad } from '../api/load'
import { useMay, useMe } from '../api/me'
import { currentSession, type Session } from '../api/session'

type Names = Map<string, string>
const KNOWN_FOR_MS = 60_000

let asked: { session: Session | null; at: number; names: Promise<Names> } | null = null

/** The names of all keys and people, which only admins may list; asked for at most once a minute. */
function knownNames(): Promise<Names> {
  const session = currentSession()
  if (asked?.session !== session || Date.now() - asked.at > KNOWN_FOR_MS) asked = { session, at: Date.now(), names: loadNames() }
  return asked.names
}

async function loadNames(): Promise<Names> {
  const [keys, users] = await Promise.all([
    all((cursor) => ok(api.GET('/v1/keys', { params: { query: { cursor, limit: 200 } } }))),
    all((cursor) => ok(api.GET('/v1/users', { params: { query: { cursor, limit: 200 } } }))),
  ])
  return new Map([
    ...keys.map((key) => [plain(`key/${key.id}`), key.name] as const),
    ...users.flatMap((user) => (user.name ?? user.email ? [[plain(user.principal), (user.name ?? user.email)!] as const] : [])),
  ])
}

/** The API writes `key/{id}` and the bare subject where somebody acted, and `key:{id}` and `user:{subject}` for members. */
function plain(id: string): string {
  return id.replace(/^key:/, 'key/').replace(/^user:/, '')
}

export function Who({ id }: { id: string }) {
  const me = useMe()
  const mayList = useMay('key.manage')
  const names = useLoad(mayList ? knownNames : null, [id])
  const name = names.data?.get(plain(id)) ?? (plain(id) === me.id ? 'you' : undefined)
  return name === undefined ? <span class="mono">{id}</span> : <span title={id}>{name}</span>
}
