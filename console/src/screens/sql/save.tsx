/** Keep a query as a model, an endpoint or a section of a report. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { all, api, ok, ONLY_NEW, type Schemas } from '../../api/client'
import { useAction, useLoad, type Loaded } from '../../api/load'
import { path, useArrival } from '../../router'
import { Dialog } from '../../ui/dialog'
import { Button, Note, SelectField, Show, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { EndpointFields, endpointForm, endpointOf, shownPointers } from '../endpoints/form'
import { Check, NameField, OtherFaults } from './parts'

export type SaveKind = 'model' | 'endpoint' | 'report'
type SaveProps = { project: string; sql: string; onClose: () => void; onEnter: () => void }

export function SaveDialog({ kind, ...props }: Omit<SaveProps, 'onEnter'> & { kind: SaveKind }) {
  const [entered, setEntered] = useState(false)
  const Content = { model: SaveModel, endpoint: SaveEndpoint, report: SaveReport }[kind]
  return (
    <Dialog title={`Save as ${kind === 'model' ? 'a model' : kind === 'endpoint' ? 'an endpoint' : 'a report'}`} onClose={props.onClose} changed={entered}>
      <Content {...props} onEnter={() => setEntered(true)} />
    </Dialog>
  )
}

/** The documents of a kind that the project has. */
function useExisting<T>(slug: string, page: (options: { params: { path: { slug: string }; query: { cursor?: string; limit: number } } }) => Promise<{ items: T[]; next: string | null }>) {
  return useLoad(() => all((cursor) => page({ params: { path: { slug }, query: { cursor, limit: 200 } } })), [slug])
}

/** What saving replaces is what the form says that it replaces: nothing, or the document as it was loaded. */
function unlessChanged(replaced: { etag: string } | undefined): Record<string, string> {
  return replaced ? { 'If-Match': replaced.etag } : ONLY_NEW
}

function SaveModel({ project, sql, onClose, onEnter }: SaveProps) {
  const arrive = useArrival()
  const existing = useExisting(project, (options) => ok(api.GET('/v1/projects/{slug}/models', options)))
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [materialize, setMaterialize] = useState(true)
  const replaced = existing.data?.find((model) => model.name === name)
  const save = useAction(async () => {
    const params = { path: { slug: project, name } }
    // A model that exists keeps its tests.
    const body = { sql, description: description || (replaced?.description ?? null), tests: replaced?.tests ?? [], materialize }
    await ok(api.PUT('/v1/projects/{slug}/models/{name}', { params, headers: unlessChanged(replaced), body }))
    toast(`The model ${name} is saved. The next refresh computes it.`)
    arrive(path`/projects/${project}/models`, { model: name })
  })
  return (
    <SaveForm save={save} existing={existing} shown={['/sql', '/description']} replaces={replaced && `The model ${name} exists. Saving replaces its SQL.`} onClose={onClose} onEnter={onEnter}>
      <Show from={existing}>{() => null}</Show>
      <NameField name={name} onInput={setName} error={save.error} sql help="The name of its table in SQL, such as revenue_by_region." />
      <TextField label="Description" value={description} onInput={setDescription} wrong={save.error?.at('/description')} help="What a row is, and what the model is for." />
      <Check
        label="Store its rows with each refresh"
        checked={materialize}
        onChange={setMaterialize}
        help="Otherwise it is a view, which is computed when it is read."
      />
      <SqlFault message={save.error?.at('/sql')} />
    </SaveForm>
  )
}

function SaveEndpoint({ project, sql, onClose, onEnter }: SaveProps) {
  const arrive = useArrival()
  const existing = useExisting(project, (options) => ok(api.GET('/v1/projects/{slug}/endpoints', options)))
  const [name, setName] = useState('')
  const [form, setForm] = useState(endpointForm())
  const replaced = existing.data?.find((endpoint) => endpoint.name === name)
  const save = useAction(async () => {
    const params = { path: { slug: project, name } }
    const request = { params, headers: unlessChanged(replaced), body: endpointOf(form, sql) }
    await ok(api.PUT('/v1/projects/{slug}/endpoints/{name}', request))
    toast(`The endpoint ${name} is published.`)
    arrive(path`/projects/${project}/endpoints`, { endpoint: name })
  })
  return (
    <SaveForm
      save={save}
      existing={existing}
      shown={['/sql', ...shownPointers(form, sql)]}
      replaces={replaced && `The endpoint ${name} exists. Saving replaces it, and its callers get the new rows.`}
      onClose={onClose}
      onEnter={onEnter}
    >
      <Show from={existing}>{() => null}</Show>
      <NameField name={name} onInput={setName} error={save.error} help={`Its address ends in /endpoints/${project}/${name || 'name'}.`} />
      <EndpointFields form={form} sql={sql} onChange={setForm} error={save.error} />
      <SqlFault message={save.error?.at('/sql')} />
    </SaveForm>
  )
}

const SECTIONS = ['table', 'line', 'bar', 'scatter', 'histogram'] as const

function SaveReport({ project, sql, onClose, onEnter }: SaveProps) {
  const arrive = useArrival()
  const existing = useExisting(project, (options) => ok(api.GET('/v1/projects/{slug}/reports', options)))
  const [chosen, setChosen] = useState('')
  const [name, setName] = useState('')
  const [title, setTitle] = useState('')
  const [section, setSection] = useState<{ type: (typeof SECTIONS)[number]; title: string }>({ type: 'table', title: '' })
  const added = existing.data?.find((report) => report.name === (chosen || name))
  const save = useAction(async () => {
    const made = { type: section.type, title: section.title || null, sql } as Schemas['Report']['sections'][number]
    const body = {
      title: added?.title ?? title,
      description: added?.description ?? null,
      sections: [...(added?.sections ?? []), made],
    }
    const params = { path: { slug: project, name: chosen || name } }
    await ok(api.PUT('/v1/projects/{slug}/reports/{name}', { params, headers: unlessChanged(added), body }))
    toast(`The report ${chosen || name} is saved. Run it to render it.`)
    arrive(path`/projects/${project}/reports/${chosen || name}`)
  })
  // The query is the last section.
  const at = `/sections/${added?.sections.length ?? 0}`
  return (
    <SaveForm
      save={save}
      existing={existing}
      shown={['/title', `${at}/sql`, `${at}/title`]}
      replaces={chosen === '' && added ? `The report ${name} exists. Saving adds a section to it.` : undefined}
      onClose={onClose}
      onEnter={onEnter}
    >
      <Show from={existing}>
        {(reports) =>
          reports.length > 0 && (
            <SelectField
              label="Report"
              value={chosen}
              options={[{ value: '', text: 'A new report' }, ...reports.map((report) => ({ value: report.name, text: `Add to: ${report.title}` }))]}
              onChange={setChosen}
            />
          )
        }
      </Show>
      {chosen === '' && (
        <div class="form-row">
          <NameField name={name} onInput={setName} error={save.error} help="Its name in addresses, such as weekly." />
          <TextField label="Title" value={title} onInput={setTitle} required={!added} wrong={save.error?.at('/title')} help="The heading of the page." />
        </div>
      )}
      <div class="form-row">
        <SelectField
          label="Show the rows as"
          value={section.type}
          options={[...SECTIONS]}
          onChange={(type) => setSection({ ...section, type: type as (typeof SECTIONS)[number] })}
          help={section.type === 'table' ? undefined : 'Across: the first column. Up: all other numbers.'}
        />
        <TextField label="Title of the section" value={section.title} onInput={(text) => setSection({ ...section, title: text })} wrong={save.error?.at(`${at}/title`)} />
      </div>
      <SqlFault message={save.error?.at(`${at}/sql`)} />
    </SaveForm>
  )
}

function SqlFault({ message }: { message: string | undefined }) {
  return message ? (
    <Note tone="bad">
      <strong>SQL:</strong> {message}
    </Note>
  ) : null
}

function SaveForm(props: {
  save: ReturnType<typeof useAction<[]>>
  /** Without it, nobody could know what saving replaces. */
  existing: Loaded<unknown>
  /** The pointers whose faults the form shows at a field. */
  shown: string[]
  replaces?: string
  onClose: () => void
  /** Called when anything is entered. */
  onEnter: () => void
  children: ComponentChildren
}) {
  const { save, existing } = props
  const overtaken = save.error?.status === 412
  useEffect(() => {
    if (overtaken) existing.reload()
  }, [save.error])
  return (
    <form
      class="stack"
      onInput={props.onEnter}
      onSubmit={(event) => {
        event.preventDefault()
        void save.run()
      }}
    >
      {props.children}
      {props.replaces && <Note tone="warn">{props.replaces}</Note>}
      {overtaken ? (
        <Note tone="bad">Somebody else has saved this name meanwhile. Nothing of yours was saved.</Note>
      ) : (
        <OtherFaults error={save.error} shown={props.shown} />
      )}
      <div class="row">
        <Button look="primary" type="submit" busy={save.busy} disabled={!existing.data || existing.loading}>
          Save
        </Button>
        <Button onClick={props.onClose}>Cancel</Button>
      </div>
    </form>
  )
}
