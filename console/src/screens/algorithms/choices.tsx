/** What a run may take as one of its inputs: documents, results of other runs, datasets and models of the project. */
import { all, api, ok, type Schemas } from '../../api/client'
import { SelectField, Words } from '../../ui/parts'
import { formatAge } from '../../ui/values'
import { tableName } from '../projects/lineage/nodes'

interface Choice {
  reference: string
  text: string
  /** The versions that may be chosen, the newest first. */
  versions: number[]
}

export interface Choices {
  byInput: Record<string, Choice[]>
  /** The reference that a run takes if the request has none, by input. */
  own: Record<string, string>
}

type Inputs = Schemas['AlgorithmView']['inputs']

/** The choices for each input of an algorithm in a project. */
export async function choicesOf(project: string, inputs: Inputs, settings: Schemas['ProjectAlgorithmView'] | null): Promise<Choices> {
  const kinds = [...new Set(Object.values(inputs).flatMap((input) => input.kinds))]
  const [pins, found] = await Promise.all([
    all((cursor) => ok(api.GET('/v1/projects/{slug}/inputs', { params: { path: { slug: project }, query: { cursor, limit: 100 } } }))),
    Promise.all(kinds.map((kind) => choicesOfKind(project, kind))),
  ])
  const byKind = Object.fromEntries(kinds.map((kind, index) => [kind, found[index]!]))
  const entries = Object.entries(inputs)
  const own = entries.flatMap(([name, input]) => {
    const pinned = pins.filter((pin) => input.kinds.includes(pin.kind))
    const reference = settings?.inputs?.[name] ?? (pinned.length === 1 ? pinned[0]!.input : null)
    return reference ? [[name, reference]] : []
  })
  return {
    byInput: Object.fromEntries(entries.map(([name, input]) => [name, input.kinds.flatMap((kind) => byKind[kind]!)])),
    own: Object.fromEntries(own) as Record<string, string>,
  }
}

async function choicesOfKind(project: string, kind: string): Promise<Choice[]> {
  if (kind.startsWith('run:')) return runs(project, kind.slice('run:'.length))
  if (kind === 'table') return tables(project)
  const items = await all((cursor) => ok(api.GET('/v1/inputs', { params: { query: { cursor, limit: 100, kind: kind as 'topology' } } })))
  return items.map((item) => ({
    reference: item.slug,
    text: item.slug,
    versions: Array.from({ length: item.version }, (_, index) => item.version - index),
  }))
}

async function runs(project: string, algorithm: string): Promise<Choice[]> {
  const { items } = await ok(api.GET('/v1/runs', { params: { query: { project, algorithm, status: 'succeeded', limit: 50 } } }))
  return items.map((run) => {
    const note = run.request?.comment ? `, ${run.request.comment}` : ''
    return { reference: `run:${run.id}`, text: `${run.kind === 'manual' ? 'By hand' : 'Run'} ${formatAge(run.created_at)}${note}`, versions: [] }
  })
}

async function tables(project: string): Promise<Choice[]> {
  const path = { slug: project }
  const [sources, models] = await Promise.all([
    all((cursor) => ok(api.GET('/v1/projects/{slug}/datasources', { params: { path, query: { cursor, limit: 100 } } }))),
    all((cursor) => ok(api.GET('/v1/projects/{slug}/models', { params: { path, query: { cursor, limit: 100 } } }))),
  ])
  return [
    { reference: 'dataset:merged', text: 'The merged table', versions: [] },
    ...sources.map((source) => ({ reference: `dataset:${tableName(source)}`, text: `Datasource ${source.datasource}`, versions: [] })),
    ...models.map((model) => ({ reference: `model:${model.name}`, text: `Model ${model.name}`, versions: [] })),
  ]
}

/** What was chosen for an input: undefined takes the project's own, null leaves it out. */
export type Chosen = Record<string, string | null | undefined>

const LEFT_OUT = '-'

export function InputChoice(props: {
  name: string
  input: Inputs[string]
  choices: Choices
  chosen: string | null | undefined
  onChange: (chosen: string | null | undefined) => void
  wrong?: string
}) {
  const { name, input, choices, chosen, onChange } = props
  const own = choices.own[name]
  const [reference = '', version = ''] = (chosen ?? '').split('@')
  const options = choices.byInput[name]!.map((choice) => ({ value: choice.reference, text: choice.text }))
  if (reference && !options.some((option) => option.value === reference)) options.push({ value: reference, text: reference })
  options.unshift({ value: '', text: own ? `the project’s: ${own}` : input.required ? 'choose one' : 'none' })
  if (!input.required && own) options.push({ value: LEFT_OUT, text: 'none' })
  const versions = choices.byInput[name]!.find((choice) => choice.reference === reference)?.versions ?? []
  return (
    <div class="input-choice">
      <SelectField
        label={name}
        value={chosen === null ? LEFT_OUT : reference}
        options={options}
        onChange={(value) => onChange(value === LEFT_OUT ? null : value || undefined)}
        wrong={props.wrong}
        help={
          <>
            <Words text={input.description} />
            {input.replaces && ` In place of ${input.replaces.join(' and ')}.`}
          </>
        }
      />
      {versions.length > 0 && (
        <SelectField
          label={`Version of ${name}`}
          value={version}
          options={[{ value: '', text: 'pinned or latest' }, ...versions.map(String)]}
          onChange={(value) => onChange(value ? `${reference}@${value}` : reference)}
        />
      )}
    </div>
  )
}
