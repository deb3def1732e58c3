/** The form of a run: inputs and parameters as the algorithm declares them, beginning with the project's settings. */
import { useMemo, useState } from 'preact/hooks'
import { api, ok, ONLY_NEW, type Schemas } from '../../api/client'
import { numberOf, parseJson } from '../../api/json'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, useArrival } from '../../router'
import { Button, Panel, ProblemNote, Show, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { choicesOf, InputChoice, type Choices, type Chosen } from './choices'
import { firstEntry, ParameterField } from './fields'
import { parametersOf, same, valueOf, type Json, type Parameter } from './schema'

type AlgorithmView = Schemas['AlgorithmView']
type Settings = Schemas['ProjectAlgorithmView'] | null
// How the API marks parameters that are only there to be accepted.
const NO_EFFECT = 'Accepted, without effect'

interface Props {
  project: string
  algorithm: AlgorithmView
  settings: Settings
  onSaved: () => void
}

export function StartForm(props: Props) {
  const { project, algorithm, settings } = props
  const choices = useLoad(() => choicesOf(project, algorithm.inputs, settings), [project, algorithm.name, settings?.etag])
  return <Show from={choices}>{(found) => <Form {...props} choices={found} />}</Show>
}

function Form({ project, algorithm, settings, choices, onSaved }: Props & { choices: Choices }) {
  const arrive = useArrival()
  const may = useMayOn({ project })
  const parameters = useMemo(() => parametersOf(algorithm.parameters), [algorithm])
  const saved = (settings?.parameters ?? {}) as Record<string, Json>
  const first = () => Object.fromEntries(parameters.map((one) => [one.name, firstEntry(one, saved[one.name] ?? one.default)]))
  const [entries, setEntries] = useState<Record<string, string>>(first)
  const [chosen, setChosen] = useState<Chosen>({})
  const [seed, setSeed] = useState(String(settings?.seed ?? 0))
  const [comment, setComment] = useState('')
  const [force, setForce] = useState(false)
  const [onRefresh, setOnRefresh] = useState(settings?.on_refresh ?? false)

  const params = { path: { slug: project, name: algorithm.name } }
  const values = () => valuesOf(parameters, entries)
  const references = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)) as Record<string, string | null>
  const start = useAction(async () => {
    const run = await ok(
      api.POST('/v1/projects/{slug}/algorithms/{name}/runs', {
        params,
        body: { inputs: references, parameters: values(), seed: seedOf(seed), force, comment: comment.trim() || null },
      }),
    )
    if (run.finished_at) toast('The same was computed before: this is the earlier run.')
    arrive(path`/projects/${project}/algorithms/${algorithm.name}`, { run: run.id })
  })
  const save = useAction(async () => {
    const differing = Object.entries(values()).filter(([name, value]) => !same(value, parameters.find((one) => one.name === name)!.default))
    await ok(
      api.PUT('/v1/projects/{slug}/algorithms/{name}', {
        params,
        headers: settings ? { 'If-Match': settings.etag } : ONLY_NEW,
        body: { inputs: { ...settings?.inputs, ...references }, parameters: Object.fromEntries(differing), seed: seedOf(seed), on_refresh: onRefresh },
      }),
    )
    toast('The project’s settings were saved.')
    onSaved()
  })
  const error = start.error ?? save.error
  const field = (one: Parameter) => (
    <ParameterField
      key={one.name}
      parameter={one}
      entry={entries[one.name]!}
      onChange={(entry) => setEntries({ ...entries, [one.name]: entry })}
      wrong={error?.at(`/parameters/${one.name}`)}
    />
  )
  const [used, unused] = [parameters.filter((one) => !one.description.startsWith(NO_EFFECT)), parameters.filter((one) => one.description.startsWith(NO_EFFECT))]
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        save.clear()
        void start.run()
      }}
    >
      <ProblemNote error={error} />
      <Panel title="Inputs">
        <div class="fields">
          {Object.entries(algorithm.inputs).map(([name, input]) => (
            <InputChoice
              key={name}
              name={name}
              input={input}
              choices={choices}
              chosen={chosen[name]}
              onChange={(value) => setChosen({ ...chosen, [name]: value })}
              wrong={error?.at(`/inputs/${name}`)}
            />
          ))}
        </div>
      </Panel>
      <Panel title="Parameters">
        <div class="fields">
          {used.map(field)}
          <TextField label="seed" value={seed} onInput={setSeed} help="The seed of all random choices." wrong={error?.at('/seed')} />
        </div>
        {unused.length > 0 && (
          <details>
            <summary>{unused.length} parameters without effect</summary>
            <div class="fields">{unused.map(field)}</div>
          </details>
        )}
      </Panel>
      {may('project.run') && (
        <div class="save-bar">
          <TextField label="Comment on the run" value={comment} onInput={setComment} placeholder="What it is for" wrong={error?.at('/comment')} />
          <label class="check">
            <input type="checkbox" checked={force} onChange={(event) => setForce(event.currentTarget.checked)} /> Compute again
          </label>
          <Button type="submit" look="primary" busy={start.busy}>Start the run</Button>
        </div>
      )}
      {may('project.update') && (
        <Panel title="Settings of the project">
          <div class="row">
            <label class="check">
              <input type="checkbox" checked={onRefresh} onChange={(event) => setOnRefresh(event.currentTarget.checked)} /> Run it in each refresh
            </label>
            <Button
              busy={save.busy}
              onClick={() => {
                start.clear()
                void save.run()
              }}
            >
              Save as the project’s settings
            </Button>
          </div>
          <p class="muted">Runs begin with these inputs and parameters. In a refresh, the project’s SQL reads the result’s tables.</p>
        </Panel>
      )}
    </form>
  )
}

/** What is no number stays as it is, so that the API says what is wrong with it. */
function seedOf(entry: string): number {
  return entry.trim() === '' ? 0 : ((numberOf(entry) ?? entry) as number)
}

/** What the entries say, without parameters that have neither an entry nor a default. */
function valuesOf(parameters: Parameter[], entries: Record<string, string>): Record<string, Json> {
  const values: Record<string, Json> = {}
  for (const one of parameters) {
    const entry = entries[one.name]!
    const isJson = one.type === 'boolean' || (one.type === 'array' && one.choices)
    const choice = one.choices?.find((value) => String(value) === entry)
    const value = isJson ? (parseJson(entry) as Json) : choice !== undefined ? choice : valueOf(one, entry)
    if (value !== undefined && !(value === '' && one.required)) values[one.name] = value
  }
  return values
}
