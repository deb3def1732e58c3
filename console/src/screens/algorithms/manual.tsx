/** A result that a person has made or improved: stored as a run that other runs can take. */
import { useRef, useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { parseJson } from '../../api/json'
import { useAction, useLoad } from '../../api/load'
import { path, useArrival } from '../../router'
import { Button, Field, Note, Panel, ProblemNote, Show, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { useUnsaved } from '../../unsaved'
import { choicesOf, InputChoice, type Chosen } from './choices'

type Document = Record<string, never>
const NO_PARAMETERS = '{}'

export function ManualResult(props: { project: string; algorithm: Schemas['AlgorithmView'] }) {
  const { project, algorithm } = props
  const arrive = useArrival()
  const choices = useLoad(() => choicesOf(project, algorithm.inputs, null), [project, algorithm.name])
  const [chosen, setChosen] = useState<Chosen>({})
  const [text, setText] = useState('')
  const [parameters, setParameters] = useState(NO_PARAMETERS)
  const [comment, setComment] = useState('')
  const [wrong, setWrong] = useState<string>()
  const isChosen = Object.values(chosen).some((value) => value !== undefined)
  useUnsaved(isChosen || text !== '' || parameters !== NO_PARAMETERS || comment !== '', ['part', 'run'])
  const chooser = useRef<HTMLInputElement>(null)
  const store = useAction(async (result: Document, given: Document) => {
    const inputs = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)) as Record<string, string | null>
    const run = await ok(
      api.POST('/v1/projects/{slug}/algorithms/{name}/results', {
        params: { path: { slug: project, name: algorithm.name } },
        body: { result, inputs, parameters: given, comment: comment.trim() || null },
      }),
    )
    toast('The result was stored as a run.')
    arrive(path`/projects/${project}/algorithms/${algorithm.name}`, { run: run.id })
  })
  const submit = () => {
    try {
      const [result, given] = [parseJson(text), parseJson(parameters || '{}')] as [Document, Document]
      setWrong(undefined)
      void store.run(result, given)
    } catch (error) {
      setWrong(`This is not JSON: ${(error as Error).message}`)
    }
  }
  return (
    <form class="stack" onSubmit={(event) => (event.preventDefault(), submit())}>
      <Note>
        A result of another run can be downloaded as JSON, improved, and stored here. It is checked: it must have the form of the algorithm’s results, and fit its inputs.
      </Note>
      <ProblemNote error={store.error} />
      <Panel title="Made from">
        <Show from={choices}>
          {(found) => (
            <div class="fields">
              <TextField label="Parameters, as JSON" value={parameters} onInput={setParameters} help="Those that it was made for; others have their defaults." wrong={store.error?.at('/parameters')} />
              {Object.entries(algorithm.inputs).map(([name, input]) => (
                <InputChoice key={name} name={name} input={input} choices={found} chosen={chosen[name]} onChange={(value) => setChosen({ ...chosen, [name]: value })} wrong={store.error?.at(`/inputs/${name}`)} />
              ))}
            </div>
          )}
        </Show>
      </Panel>
      <Panel title="Result">
        <div class="stack">
          <Field label="JSON document" wrong={wrong}>
            {(attributes) => <textarea {...attributes} class="mono" rows={14} value={text} onInput={(event) => setText(event.currentTarget.value)} required />}
          </Field>
          <input ref={chooser} type="file" accept=".json" class="hidden-text" tabIndex={-1} aria-label="JSON file" onChange={async (event) => setText((await event.currentTarget.files?.[0]?.text()) ?? '')} />
          <div>
            <Button onClick={() => chooser.current!.click()}>Choose a JSON file</Button>
          </div>
        </div>
      </Panel>
      <div class="save-bar">
        <TextField label="Comment" value={comment} onInput={setComment} placeholder="Who made it, and why" wrong={store.error?.at('/comment')} />
        <Button type="submit" look="primary" busy={store.busy}>Store the result</Button>
      </div>
    </form>
  )
}
