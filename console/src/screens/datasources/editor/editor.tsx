/** The document of a datasource as a form and as YAML side by side, with what the API says about it. */
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { api, ok, type ApiError } from '../../../api/client'
import { useParameter } from '../../../router'
import { Editor } from '../../../ui/editor'
import { Button, Note, Panel, ProblemNote } from '../../../ui/parts'
import '../datasources.css'
import type { Kind } from '../kinds'
import { unchecked } from '../requests'
import { DatasourceForm } from './form'
import { FaultLinks } from './fault-links'
import { TrialButtons, TrialResult, useTrials } from './trial'
import { faultsOf, parse, stillTrue, valueAt, withValue, type Path } from './document'

const UPSTREAM: Kind[] = ['http', 'sql', 'mongo', 'stream']
type View = 'both' | 'form' | 'yaml'

/** The document that the API is asked about; the API says what is wrong with it. */
function body(text: string): never {
  return unchecked(parse(text).value ?? {})
}

/**
 * @param created whether the datasource exists already.
 * @param save what the main button does, and the API's problem with it.
 * @param more buttons beside it.
 */
export function DocumentEditor(props: {
  text: string
  onText: (text: string) => void
  created: boolean
  save: { text: string; busy: boolean; error: ApiError | undefined; run: (document: Record<string, unknown>) => void; clear: () => void }
  more?: ComponentChildren
}) {
  const { text, save } = props
  const parsed = useMemo(() => parse(text), [text])
  const [asked, setAsked] = useState('')
  const trial = useTrials({
    check: () => ok(api.POST('/v1/datasources/check', { body: body(text) })),
    preview: () => ok(api.POST('/v1/datasources/preview', { body: body(text) })),
  })
  const problem = save.error ?? trial.error
  // It is about the text that the API was asked about; what has been mended since is not said again.
  const error = useMemo(() => stillTrue(problem, asked, text), [problem, asked, text])
  const faults = useMemo(() => (parsed.faults.length > 0 ? parsed.faults : faultsOf(text, error)), [parsed, text, error])
  const kind = valueAt(parsed.value, ['kind']) as Kind
  const change = (path: Path, value: unknown) => props.onText(withValue(text, path, value))
  const ask = (start: () => void) => () => {
    setAsked(text)
    save.clear()
    start()
  }
  const readable = parsed.value !== undefined
  const outcome = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // It comes below a form that may be long.
    if (problem || trial.result) outcome.current!.scrollIntoView({ block: 'nearest' })
  }, [problem, trial.result])
  const buttons = { ...trial.buttons, check: ask(trial.buttons.check), preview: ask(trial.buttons.preview) }
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setAsked(text)
        trial.clear()
        if (parsed.value) save.run(parsed.value)
      }}
    >
      <SideBySide text={text} onText={props.onText} faults={faults}>
        {readable ? (
          <DatasourceForm document={parsed.value} error={error} onChange={change} created={props.created} />
        ) : (
          <Note tone="warn">The YAML cannot be read, so there is no form: {parsed.faults[0]!.message}</Note>
        )}
      </SideBySide>
      <div class="stack outcome" ref={outcome}>
        {error?.problem.errors?.length !== 0 && <ProblemNote error={error} />}
        <TrialResult trial={trial} problem={false} />
      </div>
      <div class="row save-bar">
        <Button look="primary" type="submit" busy={save.busy} disabled={!readable}>
          {save.text}
        </Button>
        {readable && UPSTREAM.includes(kind) && <TrialButtons buttons={buttons} />}
        {props.more}
        <FaultLinks of={error} />
      </div>
    </form>
  )
}

const VIEWS: { view: View; text: string }[] = [
  { view: 'both', text: 'Both' },
  { view: 'form', text: 'Form' },
  { view: 'yaml', text: 'YAML' },
]

function SideBySide(props: {
  text: string
  onText: (text: string) => void
  faults: { line: number; message: string }[]
  children: ComponentChildren
}) {
  const [chosen, choose] = useParameter('view')
  const view = (chosen ?? 'both') as View
  return (
    <>
      <div class="row" role="group" aria-label="Shown">
        {VIEWS.map((one) => (
          <Button key={one.view} aria-pressed={view === one.view} onClick={() => choose(one.view === 'both' ? null : one.view)}>
            {one.text}
          </Button>
        ))}
      </div>
      <div class={`side-by-side ${view}`}>
        {view !== 'yaml' && <div>{props.children}</div>}
        {view !== 'form' && (
          <Panel title="YAML">
            <div class="stack">
              <Editor label="YAML" language="yaml" value={props.text} onChange={props.onText} faults={props.faults} />
              {props.faults.length > 0 && (
                <ul class="plain line-faults" aria-label="Faults">
                  {props.faults.map((fault) => (
                    <li key={`${fault.line}${fault.message}`}>
                      <strong>Line {fault.line}:</strong> {fault.message}
                    </li>
                  ))}
                </ul>
              )}
            </div>
          </Panel>
        )}
      </div>
    </>
  )
}
