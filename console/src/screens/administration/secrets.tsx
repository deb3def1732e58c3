/** Secrets, by their names: the API never shows a value again. */
import { useState } from 'preact/hooks'
import { all, api, ApiError, ok, ONLY_NEW, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useAction } from '../../api/load'
import { Link, path } from '../../router'
import { Conflict } from '../../ui/conflict'
import { ConfirmButton, FormDialog } from '../../ui/dialog'
import { ACTIONS } from '../../ui/list'
import { Button, Empty, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { namesIn } from './names'
import { AdministrationPage } from './page'

type Secret = Schemas['SecretView']

export default function Secrets() {
  const secrets = useList((cursor) => ok(api.GET('/v1/secrets', { params: { query: { cursor } } })), [])
  const [editing, setEditing] = useState<Secret | 'new' | null>(null)
  const done = () => {
    setEditing(null)
    secrets.reload()
  }
  return (
    <AdministrationPage
      title="Secrets"
      actions={
        <Button look="primary" onClick={() => setEditing('new')}>
          Add a secret
        </Button>
      }
      list={secrets}
      empty={
        <Empty
          title="There are no secrets."
          action={<Button onClick={() => setEditing('new')}>Add the first secret</Button>}
        >
          Datasources name a secret wherever a password or a key belongs, so that its value is in no document.
        </Empty>
      }
      columns={['Name', 'Only to hosts', 'Only for projects', 'Used by', 'Set', ACTIONS]}
      row={(secret) => (
        <SecretRow key={secret.name} secret={secret} onEdit={() => setEditing(secret)} onDeleted={secrets.reload} />
      )}
    >
      {editing && <EditSecret present={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onSaved={done} />}
    </AdministrationPage>
  )
}

function SecretRow(props: { secret: Secret; onEdit: () => void; onDeleted: () => void }) {
  const { secret } = props
  const remove = async () => {
    const params = { path: { name: secret.name }, header: { 'If-Match': `"${secret.etag}"` } }
    await ok(api.DELETE('/v1/secrets/{name}', { params }))
    toast(`The secret ${secret.name} is deleted.`)
    props.onDeleted()
  }
  return (
    <tr>
      <td class="mono">{secret.name}</td>
      <td>{secret.hosts?.join(', ') ?? <span class="muted">any</span>}</td>
      <td>{secret.projects?.join(', ') ?? <span class="muted">any</span>}</td>
      <td>
        {secret.used_by.map((slug) => (
          <div key={slug}>
            <Link to={path`/datasources/${slug}`}>{slug}</Link>
          </div>
        ))}
      </td>
      <td>
        <Time at={secret.updated_at} />
        <div class="muted">
          <Who id={secret.created_by} />
        </div>
      </td>
      <td>
        <div class="row">
          <Button onClick={props.onEdit}>Change</Button>
          <ConfirmButton
            text="Delete"
            look="danger"
            question={`Datasources that use ${secret.name} cannot fetch any more until there is one again.`}
            work={remove}
          />
        </div>
      </td>
    </tr>
  )
}

/** What a list is in a text field. */
function textOf(names: string[] | null): string {
  return names?.join(', ') ?? ''
}

async function loadSecret(name: string): Promise<Secret> {
  const secrets = await all((cursor) => ok(api.GET('/v1/secrets', { params: { query: { cursor, limit: 200 } } })))
  const found = secrets.find((one) => one.name === name)
  if (found) return found
  const detail = `The secret ${name} has been deleted.`
  throw new ApiError(404, { type: 'about:blank', title: 'Not found', status: 404, detail })
}

/** The name is a part of the address: of a wrong one, the API could only say that it does not exist. */
function nameFault(name: string): string | undefined {
  if (name === '' || /^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) return undefined
  return 'Use up to 63 letters, digits, -, _ and ., the first a letter or digit.'
}

function EditSecret(props: { present: Secret | null; onClose: () => void; onSaved: () => void }) {
  const [present, setPresent] = useState(props.present)
  const [name, setName] = useState(present?.name ?? '')
  const [value, setValue] = useState('')
  const [hosts, setHosts] = useState(textOf(present?.hosts ?? null))
  const [projects, setProjects] = useState(textOf(present?.projects ?? null))
  const save = useAction(async () => {
    const body = { value, hosts: namesIn(hosts, '/hosts'), projects: namesIn(projects, '/projects') }
    const header = present ? { 'If-Match': `"${present.etag}"` } : undefined
    const headers = present ? {} : ONLY_NEW
    await ok(api.PUT('/v1/secrets/{name}', { params: { path: { name }, header }, headers, body }))
    toast(`The secret ${name} is set.`)
    props.onSaved()
  })
  const refused = save.error?.status === 412
  return (
    <FormDialog title={present ? `Change ${present.name}` : 'Add a secret'} submit="Save" action={refused ? { ...save, error: undefined } : save} onClose={props.onClose}>
      {!present && (
        <TextField
          label="Name"
          value={name}
          onInput={setName}
          required
          wrong={refused ? 'There is a secret of this name already. Change it in the list, or choose another name.' : undefined}
          refused={nameFault(name)}
          help="It never changes."
        />
      )}
      {present && refused && (
        <Conflict
          name={present.name}
          load={() => loadSecret(present.name)}
          text={(theirs) => `Only to these hosts: ${textOf(theirs.hosts) || 'all'}\nOnly for these projects: ${textOf(theirs.projects) || 'all'}`}
          onTake={(theirs) => {
            save.clear()
            setPresent(theirs)
            setHosts(textOf(theirs.hosts))
            setProjects(textOf(theirs.projects))
          }}
          onKeep={(theirs) => (save.clear(), setPresent(theirs))}
        />
      )}
      <TextField label="Value" type="password" value={value} onInput={setValue} required wrong={save.error?.at('/value')} />
      <TextField
        label="Only to these hosts"
        value={hosts}
        onInput={setHosts}
        wrong={save.error?.within('/hosts')}
        help="Separated by commas; empty for all, if only admins’ datasources use it."
      />
      <TextField label="Only for these projects" value={projects} onInput={setProjects} wrong={save.error?.within('/projects')} />
    </FormDialog>
  )
}
