/** What a project is called, when it refreshes, and how to disable or delete it. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { Conflict } from '../../ui/conflict'
import { ConfirmButton, FormDialog } from '../../ui/dialog'
import { Field, SelectField, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'

type Project = Schemas['ProjectView']

/** Change some fields of a project, unless somebody else has changed it since. */
export function patchProject(project: Project, body: Partial<Schemas['Project']>): Promise<Project> {
  const params = { path: { slug: project.slug! }, header: { 'If-Match': `"${project.etag}"` } }
  // A JSON merge patch: the API's document does not type it.
  return ok(api.PATCH('/v1/projects/{slug}', { params, body: body as Record<string, never> }))
}

export function DeleteProject({ project, onDeleted }: { project: Project; onDeleted: () => void }) {
  const slug = project.slug!
  return (
    <ConfirmButton
      text="Delete"
      look="danger"
      question={
        <p>
          {project.name} is deleted with its versions, models, reports, endpoints, overrides and links. Its datasources
          stay.
        </p>
      }
      work={async () => {
        await ok(api.DELETE('/v1/projects/{slug}', { params: { path: { slug } } }))
        toast(`The project ${slug} is deleted.`)
        onDeleted()
      }}
    />
  )
}

export function EnableProject({ project, onChanged }: { project: Project; onChanged: () => void }) {
  const enabled = !project.enabled
  return (
    <ConfirmButton
      text={enabled ? 'Enable' : 'Disable'}
      question={
        enabled
          ? 'Its schedule and changes of its datasources start refreshes again.'
          : 'Neither its schedule nor changes of its datasources start refreshes any more. What is published stays readable.'
      }
      work={async () => {
        await patchProject(project, { enabled })
        toast(`The project ${project.slug} is ${enabled ? 'enabled' : 'disabled'}.`)
        onChanged()
      }}
    />
  )
}

export function EditSettings(props: { project: Project; onClose: () => void; onSaved: () => void }) {
  const [project, setProject] = useState(props.project)
  const [name, setName] = useState(project.name)
  const [description, setDescription] = useState(project.description ?? '')
  const [refreshOn, setRefreshOn] = useState<string>(project.refresh_on ?? 'change')
  const [expression, setExpression] = useState(project.schedule?.expression ?? '')
  const [timezone, setTimezone] = useState(project.schedule?.timezone ?? 'UTC')
  const written = JSON.stringify([name, description, refreshOn, expression, timezone])
  const [first] = useState(written)
  const take = (theirs: Project) => {
    setProject(theirs)
    setName(theirs.name)
    setDescription(theirs.description ?? '')
    setRefreshOn(theirs.refresh_on ?? 'change')
    setExpression(theirs.schedule?.expression ?? '')
    setTimezone(theirs.schedule?.timezone ?? 'UTC')
  }
  const save = useAction(async () => {
    await patchProject(project, {
      name,
      description: description || null,
      refresh_on: refreshOn as NonNullable<Project['refresh_on']>,
      schedule: expression ? { expression, timezone: timezone || 'UTC' } : null,
    })
    toast('The settings are saved.')
    props.onSaved()
  })
  const conflict = save.error?.status === 412
  return (
    <FormDialog title={`Settings of ${project.slug}`} submit="Save" action={conflict ? { ...save, error: undefined } : save} onClose={props.onClose} changed={written !== first}>
      <TextField label="Name" value={name} onInput={setName} required wrong={save.error?.at('/name')} />
      <Field label="Description" wrong={save.error?.at('/description')}>
        {(attributes) => (
          <textarea {...attributes} rows={3} value={description} onInput={(event) => setDescription(event.currentTarget.value)} />
        )}
      </Field>
      <SelectField
        label="Refreshes"
        value={refreshOn}
        onChange={setRefreshOn}
        wrong={save.error?.at('/refresh_on')}
        options={[
          { value: 'change', text: 'after each change of a datasource' },
          { value: 'schedule', text: 'by the schedule only' },
          { value: 'manual', text: 'only on request' },
        ]}
      />
      <TextField
        label="Schedule"
        value={expression}
        onInput={setExpression}
        placeholder="rate(10 minutes)"
        wrong={save.error?.at('/schedule') ?? save.error?.at('/schedule/expression')}
        help="rate(N minutes), or cron(minutes hours day-of-month month day-of-week year). Empty: none."
      />
      {conflict && (
        <Conflict
          name={project.slug!}
          load={() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug: project.slug! } } }))}
          text={({ name, description, refresh_on, schedule }) => JSON.stringify({ name, description, refresh_on, schedule }, null, 2)}
          onTake={(theirs) => (save.clear(), take(theirs))}
          onKeep={(theirs) => (save.clear(), setProject(theirs))}
        />
      )}
      <TextField label="Time zone" value={timezone} onInput={setTimezone} wrong={save.error?.at('/schedule/timezone')} />
    </FormDialog>
  )
}
