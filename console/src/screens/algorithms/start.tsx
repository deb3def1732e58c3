/** The form of a run: inputs and parameters as the algorithm declares them, beginning with the project's settings. */
import { useMemo, useState } from 'preact/hooks'
import { api, ok, ONLY_NEW, type ApiError, type Schemas } from '../../api/client'
import { numberOf, parseJson } from '../../api/json'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, useArrival } from '../../router'
import { useDraft } from '../../ui/conflict'
import { Button, Panel, ProblemNote, Show, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { useUnsaved } from '../../unsaved'
import { choicesOf, InputChoice, type Choices, type Chosen } from './choices'
import { firstEntry, ParameterField } from './fields'
import { parametersOf, same, valueOf, type Json, type Parameter } from './schema'

type AlgorithmView = Schemas['AlgorithmView']
type Settings = Schemas['ProjectAlgorithmView']
/** What of a project's settings the form edits. */
type Stored = Pick<Settings, 'etag' | 'inputs' | 'parameters' | 'seed' | 'on_refresh'>
// How the API marks parameters that are only there to be accepted.
const NO_EFFECT = 'Accepted, without effect'
const NO_SETTINGS: Stored = { etag: '', inputs: {}, parameters: {}, seed: 0, on_refresh: false }
/** Those of the address by which another part of the page is shown. */
const PARAMETERS = ['part', 'run']

interface Props {
  project: string
  algorithm: AlgorithmView
  settings: Settings | null
}

interface Entered {
  entries: Record<string, string>
  chosen: Chosen
  seed: string
  onRefresh: boolean
}

export function StartForm(props: Props) {
  const { project, algorithm, settings } = props
  const choices = useLoad(() => choicesOf(project, algorithm.inputs, settings), [project, algorithm.name, settings?.etag])
  return <Show from={choices}>{(found) => <Form {...props} choices={found} />}</Show>
}

function Form({ project, algorithm, settings, choices }: Props & { choices: Choices }) {
  const may = useMayOn({ project })
  const parameters = useMemo(() => parametersOf(algorithm.parameters), [algorithm])
  const draft = useDraft<Stored, Entered>(settings ?? NO_SETTINGS, (stored) => enteredOf(parameters, stored))
  const { form, setForm } = draft
  const set = (values: Partial<Entered>) => setForm({ ...form, ...values })
  const [comment, setComment] = useState('')
  const [force, setForce] = useState(false)
  useUnsaved(draft.changed || force || comment !== '', PARAMETERS)
  const start = useStart(project, algorithm, () => ({ ...requested(parameters, form), force, comment: comment.trim() || null }))
  const save = useSave(project, algorithm, parameters, draft)
  const error = start.error ?? save.error
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
              choices={{ ...choices, own: { ...choices.own, ...given(draft.base.inputs) } }}
              chosen={form.chosen[name]}
              onChange={(value) => set({ chosen: { ...form.chosen, [name]: value } })}
              wrong={error?.at(`/inputs/${name}`)}
            />
          ))}
        </div>
      </Panel>
      <ParametersPanel parameters={parameters} form={form} onChange={set} error={error} />
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
        <SettingsPanel
          onRefresh={form.onRefresh}
          onChange={(onRefresh) => set({ onRefresh })}
          busy={save.busy}
          onSave={() => {
            start.clear()
            void save.run()
          }}
        />
      )}
    </form>
  )
}

/** Start the run that the form describes, and go to it. */
function useStart(project: string, algorithm: AlgorithmView, body: () => Schemas['AlgorithmStart']) {
  const arrive = useArrival()
  return useAction(async () => {
    const params = { path: { slug: project, name: algorithm.name } }
    const run = await ok(api.POST('/v1/projects/{slug}/algorithms/{name}/runs', { params, body: body() }))
    if (run.finished_at) toast('The same was computed before: this is the earlier run.')
    arrive(path`/projects/${project}/algorithms/${algorithm.name}`, { run: run.id })
  })
}

/** Store what the form says as the project's settings; the form stays as it is. */
function useSave(project: string, algorithm: AlgorithmView, parameters: Parameter[], draft: ReturnType<typeof useDraft<Stored, Entered>>) {
  return useAction(async () => {
    const { base, form } = draft
    const wanted = requested(parameters, form)
    const differing = Object.entries(wanted.parameters).filter(([name, value]) => !same(value, parameters.find((one) => one.name === name)!.default))
    const saved = await ok(
      api.PUT('/v1/projects/{slug}/algorithms/{name}', {
        params: { path: { slug: project, name: algorithm.name } },
        headers: base.etag ? { 'If-Match': base.etag } : ONLY_NEW,
        body: { inputs: { ...base.inputs, ...wanted.inputs }, parameters: Object.fromEntries(differing), seed: wanted.seed, on_refresh: form.onRefresh },
      }),
    )
    draft.saved(saved, form)
    toast('The project’s settings were saved.')
  })
}

function ParametersPanel(props: { parameters: Parameter[]; form: Entered; onChange: (values: Partial<Entered>) => void; error: ApiError | undefined }) {
  const { parameters, form, onChange, error } = props
  const field = (one: Parameter) => (
    <ParameterField
      key={one.name}
      parameter={one}
      entry={form.entries[one.name]!}
      onChange={(entry) => onChange({ entries: { ...form.entries, [one.name]: entry } })}
      wrong={error?.at(`/parameters/${one.name}`)}
    />
  )
  const unused = parameters.filter((one) => one.description.startsWith(NO_EFFECT))
  return (
    <Panel title="Parameters">
      <div class="fields">
        {parameters.filter((one) => !unused.includes(one)).map(field)}
        <TextField label="seed" value={form.seed} onInput={(seed) => onChange({ seed })} help="The seed of all random choices." wrong={error?.at('/seed')} />
      </div>
      {unused.length > 0 && (
        <details>
          <summary>{unused.length} parameters without effect</summary>
          <div class="fields">{unused.map(field)}</div>
        </details>
      )}
    </Panel>
  )
}

function SettingsPanel(props: { onRefresh: boolean; onChange: (onRefresh: boolean) => void; busy: boolean; onSave: () => void }) {
  return (
    <Panel title="Settings of the project">
      <div class="row">
        <label class="check">
          <input type="checkbox" checked={props.onRefresh} onChange={(event) => props.onChange(event.currentTarget.checked)} /> Run it in each refresh
        </label>
        <Button busy={props.busy} onClick={props.onSave}>Save as the project’s settings</Button>
      </div>
      <p class="muted">Runs begin with these inputs and parameters. In a refresh, the project’s SQL reads the result’s tables.</p>
    </Panel>
  )
}

/** What is entered if nothing is changed. */
function enteredOf(parameters: Parameter[], stored: Stored): Entered {
  const saved = (stored.parameters ?? {}) as Record<string, Json>
  return {
    entries: Object.fromEntries(parameters.map((one) => [one.name, firstEntry(one, saved[one.name] ?? one.default)])),
    chosen: {},
    seed: String(stored.seed),
    onRefresh: stored.on_refresh,
  }
}

function requested(parameters: Parameter[], form: Entered) {
  const inputs = Object.fromEntries(Object.entries(form.chosen).filter(([, value]) => value !== undefined)) as Record<string, string | null>
  return { inputs, parameters: valuesOf(parameters, form.entries), seed: seedOf(form.seed) }
}

/** The inputs that settings name. */
function given(inputs: Stored['inputs']): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs ?? {}).filter(([, reference]) => reference !== null)) as Record<string, string>
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
