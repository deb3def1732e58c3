/** The form beside the YAML: each control shows and changes one value of the document. */
import type { ApiError } from '../../../api/client'
import { Field, SelectField } from '../../../ui/parts'
import { valueAt } from './document'
import { KINDS, type FormField } from './fields'

export function DocumentForm(props: {
  value: Record<string, unknown>
  error: ApiError | undefined
  onChange: (field: FormField, value: unknown) => void
}) {
  const kind = KINDS[String(props.value.kind)]
  if (!kind) return <p class="muted">The document’s `kind` must be one of {Object.keys(KINDS).join(', ')}.</p>
  return (
    <div class="stack">
      {kind.groups.map((group) => (
        <fieldset key={group.title} class="stack">
          <legend>{group.title}</legend>
          {group.fields.map((field) => (
            <Control
              key={field.path.join('/')}
              field={field}
              value={valueAt(props.value, field.path)}
              wrong={props.error?.at(`/${field.path.join('/')}`)}
              onChange={(value) => props.onChange(field, value)}
            />
          ))}
        </fieldset>
      ))}
    </div>
  )
}

function Control(props: { field: FormField; value: unknown; wrong: string | undefined; onChange: (value: unknown) => void }) {
  const { field, value, wrong, onChange } = props
  const text = Array.isArray(value) ? value.join(', ') : value === undefined || value === null ? '' : String(value)
  if (field.options) {
    return <SelectField label={field.label} help={field.help} wrong={wrong} value={text} options={field.options} onChange={(chosen) => onChange(chosen || undefined)} />
  }
  if (field.as === 'long') {
    return (
      <Field label={field.label} help={field.help} wrong={wrong}>
        {(attributes) => (
          <textarea {...attributes} class="mono" rows={5} value={text} onChange={(event) => onChange(event.currentTarget.value || undefined)} />
        )}
      </Field>
    )
  }
  return (
    <Field label={field.label} help={field.help} wrong={wrong}>
      {(attributes) => (
        // On change, not on input: a list or a number is not whole while it is typed.
        <input
          {...attributes}
          value={text}
          required={field.required}
          inputMode={field.as === 'number' ? 'numeric' : undefined}
          spellcheck={false}
          autoComplete="off"
          onChange={(event) => onChange(valueOf(field, event.currentTarget.value))}
        />
      )}
    </Field>
  )
}

function valueOf(field: FormField, text: string): unknown {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  if (field.as === 'list') return trimmed.split(/\s*,\s*/).filter(Boolean)
  if (field.as === 'number' && !Number.isNaN(Number(trimmed))) return Number(trimmed)
  return trimmed
}
