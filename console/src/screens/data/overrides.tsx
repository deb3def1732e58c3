/** The value that somebody has set by hand in place of those of the sources, and a form to set one. */
import { useState } from 'preact/hooks'
import { all, api, ApiError, ok, type Schemas } from '../../api/client'
import { parseJson, writeJson } from '../../api/json'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { found, onlyAs } from '../../api/overtaken'
import { setParameters, usePlace } from '../../router'
import { Conflict } from '../../ui/conflict'
import { Button, Field, Note, ProblemNote, TextField } from '../../ui/parts'
import { RemoveButton } from '../../ui/remove'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { useUnsaved } from '../../unsaved'
import { RunProgress } from '../datasources/run-progress'
import { overrideText, valueText } from '../projects/merge/overrides'

type ExplainedField = Schemas['RecordExplanation']['fields'][string]
type Override = Schemas['OverrideView']

export function Overrides(props: {
  slug: string
  version: Schemas['VersionDetail']
  field: ExplainedField
  column: string
  keyValues: string[]
  type: string | undefined
  /** A refresh has published another version. */
  onRefreshed: () => void
}) {
  const { slug, field, column, keyValues } = props
  const may = useMayOn({ project: slug })
  const [editing, setEditing] = useState(false)
  const overrides = useLoad(
    () =>
      all((cursor) => ok(api.GET('/v1/projects/{slug}/overrides', { params: { path: { slug }, query: { cursor, limit: 200 } } }))),
    [slug],
  )
  const present = overrides.data?.find((one) => one.field === column && JSON.stringify(one.key) === JSON.stringify(keyValues))
  const request = { params: { path: { slug, field: column }, query: { key: keyValues } } }
  const load = () => found(ok(api.GET('/v1/projects/{slug}/overrides/{field}', request)))
  // The key tells which record it is; what a rule computes from other fields has no value of its own.
  const canBeSet = !['key', 'compute', 'source'].includes(field.rule)
  if (!canBeSet) return null
  const isPending = overrides.data !== undefined && (present !== undefined) !== (field.override !== undefined)
  const isChanged = present && field.override && present.created_at !== field.override.created_at
  return (
    <section class="stack tight overrides">
      {present && (isPending || isChanged) && <PresentOverride override={present} />}
      {(isPending || isChanged) && <Pending slug={slug} removed={!present} mayRun={may('project.run')} onRefreshed={props.onRefreshed} />}
      <ProblemNote error={overrides.error} retry={overrides.reload} />
      {may('project.override') && overrides.data && !editing && (
        <div class="row">
          <Button onClick={() => setEditing(true)}>{present ? 'Set another value by hand' : 'Set the value by hand'}</Button>
          {present && (
            <RemoveButton
              text="Remove the value set by hand"
              question="From the next refresh on, the rules choose the value again."
              seen={present}
              load={load}
              describe={overrideText}
              remove={(etag) => ok(api.DELETE('/v1/projects/{slug}/overrides/{field}', { ...request, headers: onlyAs({ etag }) }))}
              onRemoved={overrides.reload}
              onKept={overrides.reload}
            />
          )}
        </div>
      )}
      {editing && (
        <OverrideForm
          {...props}
          present={present ?? null}
          load={load}
          onSaved={() => {
            setEditing(false)
            overrides.reload()
          }}
          onCancel={() => {
            setEditing(false)
            overrides.reload()
          }}
        />
      )}
    </section>
  )
}

/** A value that was set by hand: by whom, when and why. */
export function PresentOverride({ override }: { override: Omit<Override, 'field' | 'etag'> }) {
  return (
    <Note tone="warn">
      <strong>Set by hand:</strong> <code>{valueText(override)}</code> by <Who id={override.created_by} />, <Time at={override.created_at} />
      <div>{override.reason}</div>
    </Note>
  )
}

/** What is set counts from the next refresh on, which can be started and followed here. */
function Pending(props: { slug: string; removed: boolean; mayRun: boolean; onRefreshed: () => void }) {
  const { slug, removed } = props
  const [run, setRun] = useState<Schemas['RunView'] | null>(null)
  const refresh = useAction(async () => {
    setRun(await ok(api.POST('/v1/projects/{slug}/runs', { params: { path: { slug } }, body: { ingest: 'none', dry_run: false } })))
  })
  const { query } = usePlace()
  const chosen = ['version', 'as_of'].some((name) => query.has(name))
  const ended = (run: Schemas['RunView']) => {
    setRun(run)
    if (!chosen && run.status === 'succeeded') props.onRefreshed()
  }
  return (
    <Note>
      <div class="row spread">
        {removed ? 'The value set by hand was removed. ' : ''}This version does not show it yet: the next refresh does.
        {props.mayRun && (!run || run.status === 'failed' || run.status === 'cancelled') && (
          <Button busy={refresh.busy} onClick={() => refresh.run()}>
            Refresh now
          </Button>
        )}
        {chosen && run?.status === 'succeeded' && (
          <Button onClick={() => setParameters({ version: null, as_of: null })}>Show the published version</Button>
        )}
      </div>
      {run && <RunProgress key={run.id} id={run.id} onEnd={ended} />}
      <ProblemNote error={refresh.error} />
    </Note>
  )
}

function OverrideForm(props: {
  slug: string
  column: string
  keyValues: string[]
  type: string | undefined
  field: ExplainedField
  /** What is set as the user has seen it; null: nothing. */
  present: Override | null
  load: () => Promise<Override | null>
  onSaved: () => void
  onCancel: () => void
}) {
  const { slug, column, keyValues, type, field } = props
  const [base, setBase] = useState(props.present)
  const first = field.value === null ? '' : typeof field.value === 'string' ? field.value : writeJson(field.value)
  const [text, setText] = useState(first)
  const [isNull, setNull] = useState(false)
  const [reason, setReason] = useState('')
  // The panel is open as long as the address names its cell.
  useUnsaved(text !== first || isNull || reason !== '', ['column'])
  const save = useAction(async () => {
    const value = isNull ? null : valueOf(text, type)
    await ok(
      api.PUT('/v1/projects/{slug}/overrides/{field}', {
        params: { path: { slug, field: column }, query: { key: keyValues } },
        headers: onlyAs(base),
        body: { value, reason },
      }),
    )
  })
  const conflict = save.error?.status === 412
  return (
    <form
      class="stack override-form"
      onSubmit={async (event) => {
        event.preventDefault()
        if (await save.run()) props.onSaved()
      }}
    >
      <Field label="Value" help={type && `The column’s type is ${type}.`} wrong={save.error?.at('/value')}>
        {(attributes) => (
          <div class="row">
            <input {...attributes} value={isNull ? '' : text} disabled={isNull} autoFocus autoComplete="off" onInput={(event) => setText(event.currentTarget.value)} />
            <label class="row">
              <input type="checkbox" checked={isNull} onChange={() => setNull(!isNull)} /> null
            </label>
          </div>
        )}
      </Field>
      <TextField
        label="Reason"
        value={reason}
        required
        onInput={setReason}
        wrong={save.error?.at('/reason')}
        help="Everybody who opens this explanation reads it."
      />
      {conflict ? (
        <Conflict
          name={`the value of ${column} that is set by hand`}
          load={props.load}
          text={(theirs) => (theirs ? overrideText(theirs) : 'None is set any more.')}
          onTake={props.onCancel}
          onKeep={(theirs) => {
            save.clear()
            setBase(theirs)
          }}
        />
      ) : (
        <ProblemNote error={save.error} />
      )}
      <div class="row">
        <Button look="primary" type="submit" busy={save.busy}>
          Set
        </Button>
        <Button onClick={props.onCancel}>Cancel</Button>
      </div>
    </form>
  )
}

/** A text as a value of a type; what does not fit is sent as it is, for the API to say why. */
function valueOf(text: string, type: string | undefined): Schemas['JsonValue'] {
  if (type === 'json') {
    try {
      return parseJson(text) as Schemas['JsonValue']
    } catch {
      const detail = 'This is not valid JSON.'
      throw new ApiError(422, { type: 'about:blank', title: 'The value does not fit', status: 422, detail, errors: [{ pointer: '/value', message: detail }] })
    }
  }
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  const isNumber = type === 'bigint' || type === 'double'
  // Digits that a double would lose stay as text.
  return isNumber && text.trim() !== '' && String(Number(text)) === text.trim() ? Number(text) : text
}
