/** A new project: its name, the key that identifies a record, and the first datasources. */
import { useRef, useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { path, Link, useArrival } from '../../router'
import { FormDialog } from '../../ui/dialog'
import { Show, TextField } from '../../ui/parts'
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
      <ChooseDatasources chosen={chosen} onChange={setChosen} />
    </FormDialog>
  )
}

function ChooseDatasources(props: { chosen: string[]; onChange: (chosen: string[]) => void }) {
  const { chosen, onChange } = props
  const [search, setSearch] = useState('')
  const datasources = useLoad(
    () => all((cursor) => ok(api.GET('/v1/datasources', { params: { query: { cursor, limit: 200 } } }))),
    [],
  )
  return (
    <Show from={datasources}>
      {(items) => (
        <fieldset>
          <legend>Datasources, the first one ranked best</legend>
          {items.length === 0 && (
            <p class="muted">
              There are none yet. <Link to="/datasources/new">Create one</Link>, or assign them later.
            </p>
          )}
          {items.length > 12 && <TextField label="Search" type="search" value={search} onInput={setSearch} />}
          <ul class="plain choices">
            {items
              .filter((item) => chosen.includes(item.slug!) || item.slug!.includes(search) || item.name.includes(search))
              .slice(0, 100)
              .map((item) => (
                <Choice key={item.slug} datasource={item} rank={chosen.indexOf(item.slug!)} chosen={chosen} onChange={onChange} />
              ))}
          </ul>
        </fieldset>
      )}
    </Show>
  )
}

function Choice(props: {
  datasource: { slug?: string; name: string; kind: string }
  rank: number
  chosen: string[]
  onChange: (chosen: string[]) => void
}) {
  const { datasource, rank, chosen } = props
  const slug = datasource.slug!
  return (
    <li>
      <label class="row">
        <input
          type="checkbox"
          checked={rank >= 0}
          onChange={() => props.onChange(rank >= 0 ? chosen.filter((one) => one !== slug) : [...chosen, slug])}
        />
        {datasource.name} <span class="muted">{datasource.kind}</span>
        {rank >= 0 && <span class="muted">rank {rank + 1}</span>}
      </label>
    </li>
  )
}
