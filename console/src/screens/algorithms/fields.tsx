/** The fields of a form that is generated from an algorithm's parameters. */
import { parseJson, writeJson } from '../../api/json'
import { Field, SelectField, TextField, Words } from '../../ui/parts'
import { entryOf, type Json, type Parameter } from './schema'

interface FieldProps {
  parameter: Parameter
  /** As it was entered; a list of choices and a yes or no as JSON. */
  entry: string
  onChange: (entry: string) => void
  wrong?: string
}

/** How a value begins in the form. */
export function firstEntry(parameter: Parameter, value: Json | undefined): string {
  if (parameter.type === 'boolean' || (parameter.type === 'array' && parameter.choices)) return writeJson(value ?? (parameter.type === 'array' ? [] : false))
  return entryOf(value)
}

export function ParameterField(props: FieldProps) {
  const { parameter, entry, onChange, wrong } = props
  const help = <Help parameter={parameter} />
  if (parameter.type === 'boolean') return <YesNo {...props} />
  if (parameter.choices && parameter.type === 'array') return <SeveralOf {...props} />
  if (parameter.choices) {
    const options = parameter.choices.map((choice) => ({ value: entryOf(choice), text: entryOf(choice) }))
    if (parameter.nullable || parameter.default === undefined) options.unshift({ value: '', text: 'none' })
    return <SelectField label={parameter.name} value={entry} options={options} onChange={onChange} help={help} wrong={wrong} />
  }
  if (parameter.type === 'object') {
    return (
      <Field label={parameter.name} help={<>{help} One <code>name: value</code> a line.</>} wrong={wrong}>
        {(attributes) => <textarea {...attributes} class="mono" rows={2} value={entry} onInput={(event) => onChange(event.currentTarget.value)} />}
      </Field>
    )
  }
  return (
    <TextField
      label={parameter.name}
      value={entry}
      onInput={onChange}
      help={parameter.type === 'array' ? <>{help} With commas between.</> : help}
      wrong={wrong}
      required={parameter.required}
      placeholder={parameter.nullable ? 'none' : undefined}
    />
  )
}

function Help({ parameter }: { parameter: Parameter }) {
  const facts = [parameter.limits, parameter.required ? '' : `default ${entryOf(parameter.default) || 'none'}`].filter(Boolean).join('; ')
  return (
    <>
      <Words text={parameter.description} /> {facts && <span class="facts">({facts})</span>}
    </>
  )
}

function YesNo({ parameter, entry, onChange, wrong }: FieldProps) {
  return (
    <div class="field">
      <label class="check">
        <input type="checkbox" checked={entry === 'true'} onChange={(event) => onChange(String(event.currentTarget.checked))} /> {parameter.name}
      </label>
      {wrong && <div class="wrong">{wrong}</div>}
      <div class="help"><Help parameter={parameter} /></div>
    </div>
  )
}

function SeveralOf({ parameter, entry, onChange, wrong }: FieldProps) {
  const chosen = parseJson(entry || '[]') as Json[]
  return (
    <fieldset class="several">
      <legend>{parameter.name}</legend>
      <div class="row">
        {parameter.choices!.map((choice) => (
          <label class="check" key={String(choice)}>
            <input
              type="checkbox"
              checked={chosen.includes(choice)}
              onChange={(event) => onChange(writeJson(event.currentTarget.checked ? [...chosen, choice] : chosen.filter((one) => one !== choice)))}
            />{' '}
            {String(choice)}
          </label>
        ))}
      </div>
      {wrong && <div class="wrong">{wrong}</div>}
      <div class="help"><Help parameter={parameter} /></div>
    </fieldset>
  )
}
