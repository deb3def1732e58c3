/** The datasources of a project: their ranks, their names in SQL, and whether the data is complete without them. */
import { useState } from 'preact/hooks'
import { all, api, ok, ONLY_NEW, type Schemas } from '../../../api/client'
import { useAction, useLoad, type Loaded } from '../../../api/load'
import { Link, path } from '../../../router'
import { ConfirmButton, Dialog, FormDialog } from '../../../ui/dialog'
import { ACTIONS, CardTable, numeric, TableHead } from '../../../ui/list'
import { Button, Empty, Panel, ProblemNote, SelectField, Show, TextField } from '../../../ui/parts'
import { toast } from '../../../ui/toasts'
import { tableName } from '../lineage/nodes'

type Assignment = Schemas['AssignmentView']

export function Sources(props: {
  slug: string
  assignments: Loaded<Assignment[]>
  mayAssign: boolean
  /** Called after a change, which the preview depends on. */
  onChanged: () => void
}) {
  const { slug, assignments, mayAssign } = props
  const [editing, setEditing] = useState<Assignment | 'new' | null>(null)
  const items = assignments.data?.toSorted((a, b) => a.priority - b.priority || a.datasource.localeCompare(b.datasource))
  return (
    <Panel title="Datasources" flush actions={mayAssign && <Button onClick={() => setEditing('new')}>Assign a datasource</Button>}>
      <Show from={assignments}>
        {() =>
          items!.length === 0 ? (
            <Empty title="No datasource is assigned.">The merge reads those that are; the lowest priority number ranks best.</Empty>
          ) : (
            <CardTable class="wide">
              <TableHead columns={['Datasource', 'Name in SQL', numeric('Priority'), 'Needed', ACTIONS]} />
              <tbody>
                {items!.map((assignment) => (
                  <SourceRow
                    key={assignment.datasource}
                    assignment={assignment}
                    mayAssign={mayAssign}
                    onEdit={() => setEditing(assignment)}
                    onChanged={props.onChanged}
                  />
                ))}
              </tbody>
            </CardTable>
          )
        }
      </Show>
      {editing && (
        <EditSource
          slug={slug}
          present={editing === 'new' ? null : editing}
          assigned={items ?? []}
          onClose={() => setEditing(null)}
          onSaved={() => {
            setEditing(null)
            props.onChanged()
          }}
        />
      )}
    </Panel>
  )
}

function SourceRow(props: { assignment: Assignment; mayAssign: boolean; onEdit: () => void; onChanged: () => void }) {
  const { assignment } = props
  const { project, datasource } = assignment
  const remove = async () => {
    const params = { path: { slug: project, datasource }, header: { 'If-Match': `"${assignment.etag}"` } }
    await ok(api.DELETE('/v1/projects/{slug}/datasources/{datasource}', { params }))
    toast(`${datasource} is removed from the project.`)
    props.onChanged()
  }
  return (
    <tr>
      <td>
        <Link to={path`/datasources/${datasource}`}>{datasource}</Link>
      </td>
      <td class="mono">{tableName(assignment)}</td>
      <td class="number">{assignment.priority}</td>
      <td>{assignment.optional ? 'optional' : 'required'}</td>
      <td>
        {props.mayAssign && (
          <div class="row actions">
            <Button onClick={props.onEdit}>Edit</Button>
            <ConfirmButton
              text="Remove"
              look="danger"
              question={`The next merges are without ${datasource}. The datasource itself and its data stay.`}
              work={remove}
            />
          </div>
        )}
      </td>
    </tr>
  )
}

function EditSource(props: {
  slug: string
  present: Assignment | null
  assigned: Assignment[]
  onClose: () => void
  onSaved: () => void
}) {
  const { present, assigned } = props
  const last = Math.max(0, ...assigned.map((one) => one.priority))
  const [chosen, setChosen] = useState(present?.datasource ?? '')
  const [priority, setPriority] = useState(String(present?.priority ?? last + 10))
  const [alias, setAlias] = useState(present?.alias ?? '')
  const [optional, setOptional] = useState(present?.optional ?? false)
  const datasources = useLoad(
    present ? null : () => all((cursor) => ok(api.GET('/v1/datasources', { params: { query: { cursor, limit: 200 } } }))),
    [],
  )
  const free = (datasources.data ?? []).filter((one) => !assigned.some(({ datasource }) => datasource === one.slug))
  const datasource = chosen || free[0]?.slug || ''
  const save = useAction(async () => {
    const header = present ? { 'If-Match': `"${present.etag}"` } : undefined
    const params = { path: { slug: props.slug, datasource }, header }
    const body = { priority: Number(priority), alias: alias || null, optional }
    const headers = present ? {} : ONLY_NEW
    await ok(api.PUT('/v1/projects/{slug}/datasources/{datasource}', { params, headers, body }))
    toast(`${datasource} is ${present ? 'changed' : 'assigned'}.`)
    props.onSaved()
  })
  if (!present && datasources.data && free.length === 0) {
    return (
      <Dialog title="Assign a datasource" onClose={props.onClose}>
        <Empty title="All datasources are assigned." action={<Link to="/datasources/new">Create a datasource</Link>} />
      </Dialog>
    )
  }
  return (
    <FormDialog
      title={present ? `Edit ${present.datasource}` : 'Assign a datasource'}
      submit={present ? 'Save' : 'Assign'}
      action={save}
      onClose={props.onClose}
      disabled={!datasource}
    >
      <ProblemNote error={datasources.error} retry={datasources.reload} />
      {!present && (
        <SelectField
          label="Datasource"
          value={datasource}
          onChange={setChosen}
          options={free.map((one) => ({ value: one.slug!, text: one.name }))}
        />
      )}
      <TextField
        label="Priority"
        type="number"
        value={priority}
        onInput={setPriority}
        required
        wrong={save.error?.at('/priority')}
        help="The lower number ranks better; equal ones are ordered by slug."
      />
      <TextField
        label="Name in SQL"
        value={alias}
        onInput={setAlias}
        placeholder={tableName({ alias: null, datasource })}
        wrong={save.error?.at('/alias')}
      />
      <label class="row">
        <input type="checkbox" checked={optional} onChange={(event) => setOptional(event.currentTarget.checked)} />
        Optional: the merged data counts as complete without it
      </label>
    </FormDialog>
  )
}
