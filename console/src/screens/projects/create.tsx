/** A new project: its name, the key that identifies a record, and the first datasources. */
import { useRef, useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { path, Link, useArrival } from '../../router'
import { ChooseSeveral } from '../../ui/choose'
import { FormDialog } from '../../ui/dialog'
import { TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import './projects.css'

/** Names between commas, without spaces around. */
export function namesOf(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter(Boolean)
}

export function CreateProject({ onClose }: { onClose: () => void }) {
  const arrive = useArrival()
  const [name, setName] = useState('')
  const [key, setKey] = useState('')
  const [chosen, setChosen] = useState<string[]>([])
  const datasources = useLoad(
    () => all((cursor) => ok(api.GET('/v1/datasources', { params: { query: { cursor, limit: 200 } } }))),
    [],
  )
  // If a datasource cannot be assigned, the next attempt goes on with the project that there already is.
  const created = useRef<string | null>(null)
  const create = useAction(async () => {
    if (created.current === null) {
      const names = namesOf(key)
      const merge = names.length > 0 ? { strategy: 'join', key: names } : { strategy: 'union' }
      const body = { name, merge } as Schemas['Project']
      created.current = (await ok(api.POST('/v1/projects', { body }))).slug!
    }
    const slug = created.current
    for (const [index, datasource] of chosen.entries()) {
      const params = { path: { slug, datasource } }
      const body = { priority: (index + 1) * 10, alias: null, optional: false }
      await ok(api.PUT('/v1/projects/{slug}/datasources/{datasource}', { params, body }))
    }
    toast(`The project ${slug} is created.`)
    arrive(path`/projects/${slug}`)
  })
  const keyError = create.error?.problem.errors?.find((error) => error.pointer.startsWith('/merge'))?.message
  return (
    <FormDialog title="Create a project" submit="Create" action={create} onClose={onClose}>
      <TextField
        label="Name"
        value={name}
        onInput={setName}
        required
        autoFocus
        wrong={create.error?.at('/name') ?? create.error?.at('/slug')}
      />
      <TextField
        label="Key columns"
        value={key}
        onInput={setKey}
        placeholder="symbol, name"
        wrong={keyError}
        help="The columns that identify a record in every datasource, separated by commas. Empty: the rows of all datasources, one below the other."
      />
      <ChooseSeveral
        legend="Datasources, the first one ranked best"
        from={datasources}
        chosen={chosen}
        onChange={setChosen}
        text={({ slug, name, kind }) => (
          <>
            {name} <span class="muted">{kind}</span>
            {chosen.includes(slug!) && <span class="muted">rank {chosen.indexOf(slug!) + 1}</span>}
          </>
        )}
        empty={
          <p class="muted">
            There are none yet. <Link to="/datasources/new">Create one</Link>, or assign them later.
          </p>
        }
      />
    </FormDialog>
  )
}
