/** API keys: who has one, what it may do, when it was used; creating, rotating and revoking them. */
import { useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useAction, useLoad } from '../../api/load'
import { ChooseSeveral } from '../../ui/choose'
import { ConfirmButton, FormDialog } from '../../ui/dialog'
import { ACTIONS } from '../../ui/list'
import { Badge, Button, Empty, SelectField, TextField } from '../../ui/parts'
import { TimeField } from '../../ui/time'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { AdministrationPage } from './page'
import { ShownOnce } from './shown-once'

type Key = Schemas['KeyView']
type Role = Key['role']

const ROLES: { value: Role; text: string }[] = [
  { value: 'viewer', text: 'viewer: reads' },
  { value: 'editor', text: 'editor: also writes and runs' },
  { value: 'admin', text: 'admin: also manages keys, secrets and people' },
]

export default function Keys() {
  const keys = useList((cursor) => ok(api.GET('/v1/keys', { params: { query: { cursor } } })), [])
  const [creating, setCreating] = useState(false)
  const [shown, setShown] = useState<string | null>(null)
  const done = (key: string | undefined) => {
    setCreating(false)
    if (key) setShown(key)
    // The first answer was lost, and the API never shows a key again.
    else toast('It is done, but the answer with the key was lost. Rotate the key to get another one.')
    keys.reload()
  }
  return (
    <AdministrationPage
      title="API keys"
      actions={
        <Button look="primary" onClick={() => setCreating(true)}>
          Create a key
        </Button>
      }
      list={keys}
      empty={<Empty title="There are no keys.">A key lets a program call the API.</Empty>}
      columns={['Name', 'Role', 'Projects', 'Last used', 'Expires', 'Created', ACTIONS]}
      row={(key) => <KeyRow key={key.id} item={key} onSecret={done} />}
    >
      {creating && <CreateKey onClose={() => setCreating(false)} onCreated={done} />}
      {shown && (
        <ShownOnce title="The key" secret={shown} onClose={() => setShown(null)}>
          Keep it where its program reads it.
        </ShownOnce>
      )}
    </AdministrationPage>
  )
}

function KeyRow({ item, onSecret }: { item: Key; onSecret: (key: string | undefined) => void }) {
  const params = { path: { key_id: item.id } }
  const revoke = async () => {
    await ok(api.DELETE('/v1/keys/{key_id}', { params }))
    toast(`The key ${item.name} is revoked.`)
    onSecret(undefined)
  }
  return (
    <tr>
      <td>
        {item.name}
        <div class="muted mono">{item.id}</div>
      </td>
      <td>
        <Badge>{item.role}</Badge>
      </td>
      <td>{item.projects === null ? 'all' : item.projects.join(', ') || 'its own only'}</td>
      <td>{item.last_used_at ? <Time at={item.last_used_at} /> : <span class="muted">never</span>}</td>
      <td>
        {item.expires_at ? <Time at={item.expires_at} /> : <span class="muted">never</span>}
        {item.old_expires_at && (
          <div class="muted">
            its old secret <Time at={item.old_expires_at} />
          </div>
        )}
      </td>
      <td>
        <Time at={item.created_at} />
        <div class="muted">
          <Who id={item.created_by} />
        </div>
      </td>
      <td>
        <div class="row">
          <RotateButton item={item} onSecret={onSecret} />
          <ConfirmButton
            text="Revoke"
            look="danger"
            question={`Programs that use the key ${item.name} are refused from now on. This cannot be undone.`}
            work={revoke}
          />
        </div>
      </td>
    </tr>
  )
}

function RotateButton({ item, onSecret }: { item: Key; onSecret: (key: string | undefined) => void }) {
  const [open, setOpen] = useState(false)
  const [hours, setHours] = useState('24')
  const rotate = useAction(async () => {
    const body = { keep_old_seconds: Math.round(Number(hours) * 3600) }
    const answer = await ok(api.POST('/v1/keys/{key_id}/rotate', { params: { path: { key_id: item.id } }, body }))
    setOpen(false)
    onSecret(answer.key)
  })
  return (
    <>
      <Button onClick={() => setOpen(true)}>Rotate</Button>
      {open && (
        <FormDialog title={`Rotate ${item.name}`} submit="Rotate" action={rotate} onClose={() => setOpen(false)}>
          <TextField
            label="Hours for which the present secret stays valid, too"
            type="number"
            value={hours}
            onInput={setHours}
            required
            wrong={rotate.error?.at('/keep_old_seconds')}
            help="0 refuses it at once."
          />
        </FormDialog>
      )}
    </>
  )
}

function CreateKey(props: { onClose: () => void; onCreated: (key: string | undefined) => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [projects, setProjects] = useState<string[] | null>(null)
  const [expires, setExpires] = useState('')
  const isLimited = projects !== null
  const present = useLoad(
    isLimited ? () => all((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor, limit: 200 } } }))) : null,
    [isLimited],
  )
  const create = useAction(async () => {
    const answer = await ok(
      api.POST('/v1/keys', {
        body: {
          name,
          role,
          projects,
          expires_at: expires || null,
        },
      }),
    )
    props.onCreated(answer.key)
  })
  return (
    <FormDialog title="Create a key" submit="Create" action={create} onClose={props.onClose}>
      <TextField
        label="Name"
        value={name}
        onInput={setName}
        required
        wrong={create.error?.at('/name')}
        help="Who or what uses it, so that it can be recognised later."
      />
      <SelectField label="Role" value={role} options={ROLES} onChange={(value) => setRole(value as Role)} />
      <SelectField
        label="For"
        value={projects ? 'some' : 'all'}
        options={[
          { value: 'all', text: 'all projects' },
          { value: 'some', text: 'these projects only' },
        ]}
        onChange={(value) => setProjects(value === 'all' ? null : [])}
        wrong={create.error?.within('/projects')}
      />
      {projects && (
        <ChooseSeveral legend="Projects" from={present} chosen={projects} onChange={setProjects} text={({ slug }) => slug}>
          <p class="muted">Without any, it sees what it creates, and what is shared with it.</p>
        </ChooseSeveral>
      )}
      <TimeField label="Expires" value={expires} onChange={setExpires} wrong={create.error?.at('/expires_at')} />
    </FormDialog>
  )
}
