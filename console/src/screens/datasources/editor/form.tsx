/** The form beside the YAML: it reads its values from the document, and says what to change in it. */
import { useState } from 'preact/hooks'
import type { ApiError } from '../../../api/client'
import { numberOf, writeJson } from '../../../api/json'
import { Button, Field, SelectField } from '../../../ui/parts'
import { groupsOf, type FieldGroup, type FieldSpec } from './fields'
import { pointerOf, valueAt, type Path } from './document'

export type Change = (path: Path, value: unknown) => void
type Props = { document: unknown; error: ApiError | undefined; onChange: Change }

/** @param created whether the datasource exists already, so that its slug cannot change. */
export function DatasourceForm(props: Props & { created: boolean }) {
  const groups = groupsOf(valueAt(props.document, ['kind']), props)
  return (
    <div class="stack">
      {groups.map((group) =>
        group.rare ? <RareGroup key={group.name} group={group} {...props} /> : <Group key={group.name} group={group} {...props} />,
      )}
    </div>
  )
}

function Group({ group, ...props }: Props & { group: FieldGroup }) {
  return (
    <fieldset>
      <legend>{group.name}</legend>
      <Fields group={group} {...props} />
    </fieldset>
  )
}

function RareGroup({ group, ...props }: Props & { group: FieldGroup }) {
  return (
    <details class="more-fields">
      <summary>{group.name}</summary>
      <Fields group={group} {...props} />
    </details>
  )
}

function Fields({ group, ...props }: Props & { group: FieldGroup }) {
  return (
    <div class="form-fields">
      {group.fields
        .filter((spec) => !spec.when || spec.when(props.document))
        .map((spec) => (
          <div key={pointerOf(spec.path)} class={isWide(spec) ? 'wide' : undefined}>
            <FormField spec={spec} {...props} />
          </div>
        ))}
    </div>
  )
}

function isWide(spec: FieldSpec): boolean {
  return ['long', 'code', 'pairs'].includes(spec.kind) || spec.path[1] === 'url' || spec.path[0] === 'name'
}

/** The API's message about a field, or about something within a list or mapping. */
function wrongAt(error: ApiError | undefined, spec: FieldSpec): string | undefined {
  const pointer = pointerOf(spec.kind === 'variant' ? spec.path.slice(0, -1) : spec.path)
  const own = error?.at(pointer) ?? error?.at(pointerOf(spec.path))
  if (own !== undefined || !['names', 'pairs'].includes(spec.kind)) return own
  const inner = error?.problem.errors?.find((fault) => fault.pointer.startsWith(`${pointer}/`))
  return inner && `${inner.pointer.slice(pointer.length + 1)}: ${inner.message}`
}

function FormField({ spec, document, error, onChange }: Props & { spec: FieldSpec }) {
  const value = valueAt(document, spec.path)
  const wrong = wrongAt(error, spec)
  const set = (next: unknown) => onChange(spec.path, next)
  if (spec.kind === 'switch') {
    return (
      <label class="row">
        <input type="checkbox" checked={value !== false} onChange={(event) => set(event.currentTarget.checked ? undefined : false)} />
        {spec.label}
      </label>
    )
  }
  if (spec.kind === 'select' || spec.kind === 'variant') return <Choice spec={spec} value={value} wrong={wrong} onChange={onChange} />
  if (spec.kind === 'pairs') return <Pairs spec={spec} value={value} wrong={wrong} onChange={set} />
  return <Line spec={spec} value={value} wrong={wrong} onChange={set} />
}

function Choice(props: { spec: FieldSpec; value: unknown; wrong?: string; onChange: Change }) {
  const { spec } = props
  const value = props.value === undefined || props.value === null || props.value === 'none' ? '' : String(props.value)
  const known = spec.options!.some((option) => (typeof option === 'string' ? option : option.value) === value)
  const options = known ? spec.options! : [{ value, text: value || 'choose' }, ...spec.options!]
  const choose = (next: string) => {
    if (spec.kind === 'select') props.onChange(spec.path, next || undefined)
    // The fields of another type would be refused.
    else props.onChange(spec.path.slice(0, -1), next ? { type: next } : undefined)
  }
  return <SelectField label={spec.label} value={value} options={options} onChange={choose} help={spec.help} wrong={props.wrong} />
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : writeJson(value)
}

/** The text of a value in its field, and the value of a text: undefined if it is empty. */
const FORMS: Record<string, { text: (value: unknown) => string; value: (text: string) => unknown }> = {
  names: {
    text: (value) => (Array.isArray(value) ? value.map(String).join(', ') : shown(value)),
    value: (text) => {
      const names = text.split(',').map((name) => name.trim()).filter(Boolean)
      return names.length > 0 ? names : undefined
    },
  },
  number: {
    text: shown,
    // What is no number stays as it is, so that the API says what is wrong with it.
    value: (text) => (text.trim() === '' ? undefined : (numberOf(text) ?? text)),
  },
  text: { text: shown, value: (text) => (text === '' ? undefined : text) },
}

function Line(props: { spec: FieldSpec; value: unknown; wrong?: string; onChange: (value: unknown) => void }) {
  const { spec } = props
  const form = FORMS[spec.kind] ?? FORMS.text!
  const [draft, setDraft] = useState('')
  // While the draft means the same as the document, what was typed stays: a comma before the next name, for one.
  const same = writeJson(form.value(draft)) === writeJson(props.value ?? undefined)
  const text = same ? draft : form.text(props.value)
  const input = (next: string) => {
    setDraft(next)
    props.onChange(form.value(next))
  }
  return (
    <Field label={spec.label} help={spec.help} wrong={props.wrong}>
      {(attributes) =>
        spec.kind === 'long' || spec.kind === 'code' ? (
          <textarea
            {...attributes}
            rows={spec.kind === 'code' ? 5 : 2}
            class={spec.kind === 'code' ? 'mono' : undefined}
            spellcheck={spec.kind === 'long'}
            value={text}
            onInput={(event) => input(event.currentTarget.value)}
          />
        ) : (
          <input
            {...attributes}
            inputMode={spec.kind === 'number' ? 'numeric' : undefined}
            value={text}
            required={spec.required}
            placeholder={spec.placeholder}
            autoComplete="off"
            spellcheck={false}
            onInput={(event) => input(event.currentTarget.value)}
          />
        )
      }
    </Field>
  )
}

/** A mapping from names to texts: a line for each entry, and one for the next. */
function Pairs(props: { spec: FieldSpec; value: unknown; wrong?: string; onChange: (value: unknown) => void }) {
  const { spec } = props
  const entries = typeof props.value === 'object' && props.value !== null ? Object.entries(props.value) : []
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const [open, setOpen] = useState(false)
  const store = (next: [string, unknown][]) => props.onChange(next.length > 0 ? Object.fromEntries(next) : undefined)
  const add = () => {
    if (name.trim() === '') return
    store([...entries.filter(([present]) => present !== name.trim()), [name.trim(), value]])
    setName('')
    setValue('')
  }
  // Enter adds the entry; it must not send the form.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    add()
  }
  // What was typed counts without the button, too.
  const leave = (event: FocusEvent & { currentTarget: HTMLElement }) => {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) add()
  }
  const shownEntries = open ? entries : entries.slice(0, 6)
  return (
    <div class="field" role="group" aria-label={spec.label}>
      <strong>{spec.label}</strong>
      {shownEntries.map(([present, text]) => (
        <div class="pair" key={present}>
          <code title={present}>{present}</code>
          <input
            aria-label={`${spec.label}: ${present}`}
            value={shown(text)}
            onInput={(event) =>
              store(entries.map(([key, old]): [string, unknown] => [key, key === present ? event.currentTarget.value : old]))
            }
          />
          <Button look="quiet" aria-label={`Remove ${present}`} onClick={() => store(entries.filter(([key]) => key !== present))}>
            ✕
          </Button>
        </div>
      ))}
      {entries.length > shownEntries.length && (
        <div>
          <Button look="quiet" onClick={() => setOpen(true)}>
            Show {entries.length - shownEntries.length} more
          </Button>
        </div>
      )}
      <div class="pair" onFocusOut={leave}>
        <input aria-label={`${spec.label}: new name`} placeholder="name" value={name} onInput={(event) => setName(event.currentTarget.value)} onKeyDown={onKeyDown} />
        <input aria-label={`${spec.label}: new value`} placeholder="value" value={value} onInput={(event) => setValue(event.currentTarget.value)} onKeyDown={onKeyDown} />
        <Button look="quiet" aria-label={`Add to ${spec.label}`} disabled={name.trim() === ''} onClick={add}>
          +
        </Button>
      </div>
      {props.wrong && <div class="wrong">{props.wrong}</div>}
      {spec.help && <div class="help">{spec.help}</div>}
    </div>
  )
}
