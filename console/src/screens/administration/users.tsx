/** People who have signed in or were shared with, and their groups; and what somebody else sees. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useLoad } from '../../api/load'
import { Link, setParameters, useParameter } from '../../router'
import { Dialog } from '../../ui/dialog'
import { ACTIONS } from '../../ui/list'
import { Badge, Button, Empty, Show, TextField } from '../../ui/parts'
import { Time } from '../../ui/values'
import { AdministrationPage } from './page'

type User = Schemas['UserView']
const SHORTEST_SEARCH = 3

export default function Users() {
  const [search] = useParameter('search')
  const setSearch = (value: string) => setParameters({ search: value }, { replace: true })
  const [viewed, setViewed] = useState<User | null>(null)
  const term = search && search.length >= SHORTEST_SEARCH ? search : undefined
  const users = useList((cursor) => ok(api.GET('/v1/users', { params: { query: { search: term, cursor } } })), [term])
  return (
    <AdministrationPage
      title="Users"
      filter={
        <TextField
          label="Search"
          type="search"
          value={search ?? ''}
          onInput={setSearch}
          help="Part of a name or an e-mail address, three characters or more."
        />
      }
      list={users}
      empty={
        <Empty
          title={term ? 'Nobody is found.' : 'Nobody has signed in yet.'}
          action={term ? <Button onClick={() => setSearch('')}>Show everybody</Button> : <Link to="/administration/keys">See the keys</Link>}
        >
          People are listed after they have signed in once. Keys are found by a search for a part of their names.
        </Empty>
      }
      columns={['Name', 'Role', 'Groups', 'Last seen', ACTIONS]}
      row={(user) => <UserRow key={user.principal} user={user} onView={() => setViewed(user)} />}
    >
      {viewed && <ViewAs user={viewed} onClose={() => setViewed(null)} />}
    </AdministrationPage>
  )
}

function UserRow({ user, onView }: { user: User; onView: () => void }) {
  return (
    <tr>
      <td>
        {user.name ?? user.email ?? user.principal}
        <div class="muted">{user.email}</div>
        <div class="muted mono">{user.principal}</div>
      </td>
      <td>{user.role && <Badge>{user.role}</Badge>}</td>
      <td>{user.groups?.join(', ')}</td>
      <td>{user.last_seen_at ? <Time at={user.last_seen_at} /> : <span class="muted">never</span>}</td>
      <td>
        <Button onClick={onView}>What they see</Button>
      </td>
    </tr>
  )
}

/** The lists as another principal gets them: the API answers an admin so, for reading only. */
function ViewAs({ user, onClose }: { user: User; onClose: () => void }) {
  const query = { view_as: user.principal, limit: 100 }
  const seen = useLoad(
    () =>
      Promise.all([
        ok(api.GET('/v1/projects', { params: { query } })),
        ok(api.GET('/v1/datasources', { params: { query } })),
        ok(api.GET('/v1/inputs', { params: { query } })),
      ]),
    [user.principal],
  )
  return (
    <Dialog side title={`What ${user.name ?? user.principal} sees`} onClose={onClose}>
      <Show from={seen}>
        {([projects, datasources, inputs]) =>
          [
            { title: 'Projects', ...projects },
            { title: 'Datasources', ...datasources },
            { title: 'Inputs', ...inputs },
          ].map((list) => (
            <section key={list.title}>
              <h3>{list.title}</h3>
              {list.items.length === 0 && <p class="muted">None.</p>}
              <ul>
                {list.items.map((item) => (
                  <li key={item.slug}>{item.slug}</li>
                ))}
              </ul>
              {list.next && <p class="muted">These are the first {list.items.length}.</p>}
            </section>
          ))
        }
      </Show>
    </Dialog>
  )
}
