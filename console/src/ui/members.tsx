/** With whom a project, a datasource or an input is shared, as what; sharing it, and ending a share. */
import { useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../api/client'
import { useList } from '../api/list'
import { useAction, useLoad } from '../api/load'
import { useMayOn } from '../api/me'
import { onlyAs } from '../api/overtaken'
import { Conflict } from './conflict'
import { FormDialog } from './dialog'
import { CardTable, ShowList } from './list'
import { Badge, Button, Empty, Panel, ProblemNote, SelectField, TextField } from './parts'
import { RemoveButton } from './remove'
import { toast } from './toasts'
import { Time } from './values'
import { Who } from './who'

export type SharedKind = 'projects' | 'datasources' | 'inputs'
type Member = Schemas['MemberView']
type Role = Member['role']

const ROLES: { value: Role; text: string }[] = [
  { value: 'viewer', text: 'viewer: sees it' },
  { value: 'designer', text: 'designer: also edits its inputs' },
  { value: 'editor', text: 'editor: also changes and runs it' },
  { value: 'owner', text: 'owner: also shares and deletes it' },
]
const SHORTEST_SEARCH = 3
const SINGULAR = { projects: 'project', datasources: 'datasource', inputs: 'input' } as const

/** A panel with the members of one resource. */
export function Members({ kind, slug }: { kind: SharedKind; slug: string }) {
  const mayManage = useMayOn({ [SINGULAR[kind]]: slug })('member.manage')
  const members = useList(
    (cursor) => ok(api.GET(`/v1/${kind}/{slug}/members`, { params: { path: { slug }, query: { cursor } } })),
    [kind, slug],
  )
  const [adding, setAdding] = useState(false)
  const done = () => {
    setAdding(false)
    members.reload()
  }
  return (
    <Panel
      title="Members"
      flush
      actions={
        mayManage && (
          <Button look="primary" onClick={() => setAdding(true)}>
            Share
          </Button>
        )
      }
    >
      <ShowList
        from={members}
        empty={
          <Empty
            title="It is shared with nobody."
            action={mayManage && <Button onClick={() => setAdding(true)}>Share it with somebody</Button>}
          >
            Its creator, admins and keys for the whole workspace see it.
            {!mayManage && ' Its owners can share it with others.'}
          </Empty>
        }
      >
        {(items) => (
          <CardTable>
            <thead>
              <tr>
                <th scope="col">Who</th>
                <th scope="col">Role</th>
                <th scope="col">Since</th>
                {mayManage && (
                  <th scope="col">
                    <span class="hidden-text">Actions</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {items.map((member) => (
                <tr key={member.principal}>
                  <td>
                    <Who id={member.principal} />
                  </td>
                  <td>
                    <Badge>{member.role}</Badge>
                  </td>
                  <td>
                    <Time at={member.created_at} />
                    <div class="muted">
                      <Who id={member.created_by} />
                    </div>
                  </td>
                  {mayManage && (
                    <td>
                      <EndShare kind={kind} slug={slug} member={member} onDone={done} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </CardTable>
        )}
      </ShowList>
      {adding && <AddMember kind={kind} slug={slug} onClose={() => setAdding(false)} onDone={done} />}
    </Panel>
  )
}

/** All members; the API has no address for a single one. */
function allMembers(kind: SharedKind, slug: string): Promise<Member[]> {
  return all((cursor) => ok(api.GET(`/v1/${kind}/{slug}/members`, { params: { path: { slug }, query: { cursor, limit: 200 } } })))
}

async function findMember(kind: SharedKind, slug: string, principal: string): Promise<Member | null> {
  return (await allMembers(kind, slug)).find((member) => member.principal === principal) ?? null
}

function EndShare(props: { kind: SharedKind; slug: string; member: Member; onDone: () => void }) {
  const { kind, slug, member } = props
  const { principal } = member
  const params = { path: { slug, principal } }
  return (
    <RemoveButton
      text="End the share"
      question={`${principal} loses access from the next request on.`}
      seen={member}
      load={() => findMember(kind, slug, principal)}
      describe={({ role }) => `${principal} as ${role}`}
      remove={(etag) => ok(api.DELETE(`/v1/${kind}/{slug}/members/{principal}`, { params, headers: onlyAs({ etag }) }))}
      onRemoved={() => {
        toast(`It is no longer shared with ${principal}.`)
        props.onDone()
      }}
      onKept={props.onDone}
    />
  )
}

function AddMember(props: { kind: SharedKind; slug: string; onClose: () => void; onDone: () => void }) {
  const { kind, slug } = props
  const [search, setSearch] = useState('')
  const [principal, setPrincipal] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const term = search.trim().length >= SHORTEST_SEARCH ? search.trim() : null
  const found = useLoad(
    term === null ? null : () => ok(api.GET('/v1/users', { params: { query: { search: term, limit: 10 } } })),
    [term],
  )
  const who = principal.trim()
  const members = useLoad(() => allMembers(kind, slug), [kind, slug])
  // After a conflict, what is saved now and is to be replaced.
  const [kept, setKept] = useState<{ who: string; member: Member | null } | null>(null)
  const present = kept?.who === who ? kept.member : members.data?.find((member) => member.principal === who)
  const share = useAction(async () => {
    const params = { path: { slug, principal: who } }
    await ok(api.PUT(`/v1/${kind}/{slug}/members/{principal}`, { params, headers: onlyAs(present), body: { role } }))
    toast(`It is shared with ${who}.`)
    props.onDone()
  })
  const conflict = share.error?.status === 412
  return (
    <FormDialog title={`Share ${slug}`} submit="Share" action={conflict ? { ...share, error: undefined } : share} onClose={props.onClose}>
      <TextField
        label="Find somebody"
        type="search"
        value={search}
        onInput={setSearch}
        help="Part of a name or an e-mail address, three characters or more."
      />
      {found.data && (
        <div class="row" role="group" aria-label="Found">
          {found.data.items.length === 0 && <span class="muted">Nobody is found.</span>}
          {found.data.items.map((user) => (
            <Button
              key={user.principal}
              aria-pressed={principal === user.principal}
              onClick={() => setPrincipal(user.principal)}
            >
              {user.name ?? user.email ?? user.principal}
            </Button>
          ))}
        </div>
      )}
      <ProblemNote error={found.error} />
      <TextField
        label="Who"
        value={principal}
        onInput={setPrincipal}
        required
        refused={principal && !/^(user|group|key):./.test(principal.trim()) ? 'Begin with user:, group: or key:, or find somebody above.' : undefined}
        placeholder="user:…, group:… or key:…"
        help={
          present
            ? `It is shared with them as ${present.role} already, which this changes.`
            : 'Or a group of the issuer, such as group:planners.'
        }
      />
      <SelectField label="As" value={role} options={ROLES} onChange={(value) => setRole(value as Role)} />
      {conflict && (
        <Conflict
          name={`the share with ${who}`}
          load={() => findMember(kind, slug, who)}
          text={(theirs) => (theirs ? `${who} as ${theirs.role}` : `It is shared with ${who} no more.`)}
          onTake={props.onDone}
          onKeep={(member) => {
            share.clear()
            setKept({ who, member })
          }}
        />
      )}
    </FormDialog>
  )
}
