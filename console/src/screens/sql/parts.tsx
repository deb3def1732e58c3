/** Parts that the screens of a project's SQL share. */
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { api, ok, type ApiError, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { Button, Note, ProblemNote, State, TextField } from '../../ui/parts'
import './sql.css'

/**
 * The name of a new document, which is part of the address and not of the body.
 *
 * @param sql whether it is a name in SQL, where - is minus.
 */
export function NameField(props: { name: string; onInput: (name: string) => void; error: ApiError | undefined; help: string; sql?: boolean }) {
  const fault = isTaken(props.error)
    ? 'There is one of this name already.'
    : props.error?.problem.errors?.find(isAboutName)?.message
  // Such a name would be another address, of which the API could only say that it does not exist.
  const refused = (props.sql ? /[^a-z0-9_]/ : /[^a-z0-9_-]/).test(props.name) ? `Use small letters, digits${props.sql ? '' : ', -'} and _ only.` : undefined
  return <TextField label="Name" value={props.name} onInput={props.onInput} required autoFocus refused={refused} wrong={fault} help={props.help} />
}

/** A name that was to be new. */
export function isTaken(error: ApiError | undefined): boolean {
  return error?.status === 412
}

function isAboutName({ pointer, message }: { pointer: string; message: string }): boolean {
  return pointer === '' && message.startsWith('The name ')
}

/** A problem of which some part is not shown at a field. */
export function OtherFaults({ error, shown }: { error: ApiError | undefined; shown: string[] }) {
  const faults = error?.problem.errors ?? []
  const all = isTaken(error) || (faults.length > 0 && faults.every((fault) => shown.includes(fault.pointer) || isAboutName(fault)))
  return all ? null : <ProblemNote error={error} />
}

export function Check(props: { label: ComponentChildren; checked: boolean; onChange: (checked: boolean) => void; help?: ComponentChildren }) {
  const id = useId()
  return (
    <div class="field">
      <div class="check">
        <input
          id={id}
          type="checkbox"
          checked={props.checked}
          aria-describedby={props.help ? `${id}-about` : undefined}
          onChange={(event) => props.onChange(event.currentTarget.checked)}
        />
        <label for={id}>{props.label}</label>
      </div>
      {props.help && (
        <div id={`${id}-about`} class="help">
          {props.help}
        </div>
      )}
    </div>
  )
}

/** A text to take elsewhere, with a button that copies it. */
export function Copy({ label, text, onCopied }: { label: string; text: string; onCopied?: () => void }) {
  const [copied, setCopied] = useState(false)
  const id = useId()
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      onCopied?.()
      setTimeout(() => setCopied(false), 2000)
    } catch {
      // Without a secure connection there is no clipboard: the text is selected, to be copied by hand.
      getSelection()?.selectAllChildren(document.getElementById(id)!)
    }
  }
  return (
    <div class="field">
      <strong>{label}</strong>
      <div class="copy">
        <pre id={id} tabIndex={0} aria-label={label}>
          {text}
        </pre>
        <Button onClick={copy} aria-label={`Copy: ${label}`}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
    </div>
  )
}

type Run = Schemas['RunView']
const POLL_MS = 600

export interface Started {
  start: () => void
  busy: boolean
  run: Run | undefined
  error: ApiError | undefined
}

/** A run that somebody starts here, followed until it ends. */
export function useRun(begin: () => Promise<Run>, onEnd: (run: Run) => void): Started {
  const [id, setId] = useState<string | null>(null)
  const action = useAction(async () => setId((await begin()).id))
  const run = useLoad(
    id === null ? null : () => ok(api.GET('/v1/runs/{run_id}', { params: { path: { run_id: id } } })),
    [id],
    (run) => {
      if (!run.finished_at) return POLL_MS
      onEnd(run)
      return 0
    },
  )
  const going = id !== null && !run.error && !run.data?.finished_at
  return { start: () => void action.run(), busy: action.busy || going, run: run.data, error: action.error ?? run.error }
}

/** How a run that was started here stands. */
export function RunNote({ started }: { started: Started }) {
  const { run, error, busy } = started
  if (error) return <ProblemNote error={error} />
  if (!run) return busy ? <div class="loading" role="status">Starting the run …</div> : null
  const { progress } = run
  return (
    <Note tone={run.status === 'failed' ? 'bad' : run.warnings.length > 0 ? 'warn' : 'info'}>
      <div class="row" role="status">
        <Link to={path`/runs/${run.id}`}>The run</Link> <State value={run.status} />
        {!run.finished_at && progress && <span>{progress.stage}</span>}
        {run.error && <span>{run.error.detail}</span>}
      </div>
      {!run.finished_at && <progress aria-label="Progress of the run" value={progress?.current ?? undefined} max={progress?.total ?? undefined} />}
      {run.warnings.length > 0 && (
        <ul>
          {run.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
    </Note>
  )
}
