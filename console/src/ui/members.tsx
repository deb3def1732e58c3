/** With whom a project, a datasource or an input is shared, as what; sharing it, and ending a share. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../api/client'
import { useList } from '../api/list'
import { useAction, useLoad } from '../api/load'
import { useMayOn } from '../api/me'
import { ConfirmButton, FormDialog } from './dialog'
import { CardTable, ShowList } from './list'
import { Badge, Button, Empty, Panel, ProblemNote, SelectField, TextField } from './parts'
import { toast } from './toasts'
import { Time } from './values'
import { Who } from './who'

export type SharedKind = 'projects' | 'datasources' | 'inputs'
type Role = Schemas['MemberView']['role']

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
                      <EndShare kind={kind} slug={slug} principal={member.principal} onDone={done} />
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

function EndShare(props: { kind: SharedKind; slug: string; principal: string; onDone: () => void }) {
  const { kind, slug, principal } = props
  const end = async () => {
    await ok(api.DELETE(`/v1/${kind}/{slug}/members/{principal}`, { params: { path: { slug, principal } } }))
    toast(`It is no longer shared with ${principal}.`)
    props.onDone()
  }
  return (
    <ConfirmButton
      text="End the share"
      look="danger"
      question={`${principal} loses access from the next request on.`}
      work={end}
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
  const share = useAction(async () => {
    const params = { path: { slug, principal: principal.trim() } }
    await ok(api.PUT(`/v1/${kind}/{slug}/members/{principal}`, { params, body: { role } }))
    toast(`It is shared with ${principal}.`)
    props.onDone()
  })
  return (
    <FormDialog title={`Share ${slug}`} submit="Share" action={share} onClose={props.onClose}>
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
        help="Or a group of the issuer, such as group:planners."
      />
      <SelectField label="As" value={role} options={ROLES} onChange={(value) => setRole(value as Role)} />
    </FormDialog>
  )
}
