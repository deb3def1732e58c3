/** The fields of an endpoint's document but its SQL, for the dialog that publishes a query and for the endpoint's page. */
import type { ApiError, Schemas } from '../../api/client'
import { numberOf } from '../../api/json'
import { own } from '../../own'
import { Field, SelectField, TextField } from '../../ui/parts'
import { Check } from '../sql/parts'
import { parametersIn } from '../sql/query'

type Parameter = Schemas['EndpointParameter']
type ParameterForm = Record<'default' | 'min' | 'max' | 'values' | 'description', string> & Pick<Parameter, 'type' | 'required'>

/** As the fields have it: texts, of which an empty one stands for null. */
export interface EndpointForm {
  description: string
  cache_seconds: string
  max_age_seconds: string
  /** The name of the parameter, without `$`. */
  as_of: string
  public: boolean
  /** A line for each column: `price: Price in EUR`. */
  columns: string
  parameters: Record<string, ParameterForm>
}

const FIELDS = ['/description', '/cache_seconds', '/max_age_seconds', '/as_of', '/columns']
const PARAMETER_FIELDS = ['', '/type', '/default', '/min', '/max', '/values']
const TYPES: Parameter['type'][] = ['string', 'integer', 'number', 'boolean', 'date', 'datetime']
const NEW_PARAMETER: ParameterForm = { type: 'string', required: false, default: '', min: '', max: '', values: '', description: '' }

/** The form of a document; without one, that of a new endpoint. */
export function endpointForm(document?: Schemas['EndpointView']): EndpointForm {
  const text = (value: unknown) => (value === null || value === undefined ? '' : String(value))
  return {
    description: document?.description ?? '',
    cache_seconds: String(document?.cache_seconds ?? 60),
    max_age_seconds: text(document?.max_age_seconds),
    as_of: document?.as_of?.slice(1) ?? '',
    public: document?.public ?? false,
    columns: Object.entries(document?.columns ?? {})
      .map(([name, heading]) => `${name}: ${heading}`)
      .join('\n'),
    parameters: Object.fromEntries(
      Object.entries(document?.parameters ?? {}).map(([name, one]) => [
        name,
        {
          type: one.type,
          required: one.required ?? false,
          default: text(one.default),
          min: text(one.min),
          max: text(one.max),
          values: (one.values ?? []).join(', '),
          description: one.description ?? '',
        },
      ]),
    ),
  }
}

/** The names of the parameters that the endpoint has: those of its SQL, and the one that chooses the time. */
function parameterNames(form: EndpointForm, sql: string): string[] {
  return [...new Set([...parametersIn(sql), ...(form.as_of ? [form.as_of] : [])])]
}

/** The pointers of the fields that are shown, each with the API's message about it. */
export function shownPointers(form: EndpointForm, sql: string): string[] {
  return [...FIELDS, ...parameterNames(form, sql).flatMap((name) => PARAMETER_FIELDS.map((field) => `/parameters/${name}${field}`))]
}

/** The document that a form stands for. */
export function endpointOf(form: EndpointForm, sql: string): Schemas['Endpoint'] {
  const parameters = parameterNames(form, sql).map((name) => [name, parameterOf(parameterForm(form, name))] as const)
  return {
    sql,
    description: form.description || null,
    cache_seconds: numberOr(form.cache_seconds) as number,
    max_age_seconds: form.max_age_seconds === '' ? null : (numberOr(form.max_age_seconds) as number),
    as_of: form.as_of ? `$${form.as_of}` : null,
    public: form.public,
    columns: columnsOf(form.columns),
    parameters: Object.fromEntries(parameters),
  }
}

function parameterForm(form: EndpointForm, name: string): ParameterForm {
  return own(form.parameters, name) ?? { ...NEW_PARAMETER, type: name === form.as_of ? 'datetime' : 'string' }
}

function parameterOf(form: ParameterForm): Parameter {
  const isNumber = form.type === 'integer' || form.type === 'number'
  const value = (text: string) => {
    if (text === '') return null
    if (form.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
    return isNumber ? numberOr(text) : text
  }
  const values = form.values.split(',').map((one) => one.trim()).filter(Boolean)
  return {
    type: form.type,
    required: form.required,
    default: value(form.default),
    min: value(form.min) as string | number | null,
    max: value(form.max) as string | number | null,
    values: values.length > 0 ? values.map((one) => value(one) as string | number) : null,
    description: form.description || null,
  }
}

/** A number; what is none stays text, so that the API says what is wrong with it. */
function numberOr(text: string): number | string {
  return numberOf(text) ?? text
}

function columnsOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim())
  return Object.fromEntries(
    lines.map((line) => {
      const [name, ...heading] = line.split(':')
      return [name!.trim(), heading.join(':').trim() || name!.trim()]
    }),
  )
}

type FieldsProps = { form: EndpointForm; sql: string; onChange: (form: EndpointForm) => void; error: ApiError | undefined; readOnly?: boolean }

/** The fields; `error` is the API's problem with the document. */
export function EndpointFields({ form, sql, onChange, error, readOnly }: FieldsProps) {
  const set = (values: Partial<EndpointForm>) => onChange({ ...form, ...values })
  const names = parameterNames(form, sql)
  return (
    <fieldset class="stack bare" disabled={readOnly}>
      <TextField label="Description" value={form.description} onInput={(description) => set({ description })} wrong={error?.at('/description')} help="What it returns, for its callers." />
      {names.map((name) => (
        <ParameterFields
          key={name}
          name={name}
          form={parameterForm(form, name)}
          onChange={(parameter) => set({ parameters: { ...form.parameters, [name]: parameter } })}
          error={error}
        />
      ))}
      {names.length === 0 && <p class="muted">It has no parameters. Write $name in the SQL to let callers choose a value.</p>}
      <div class="form-row">
        <TextField label="Cached for (seconds)" type="number" value={form.cache_seconds} onInput={(cache_seconds) => set({ cache_seconds })} wrong={error?.at('/cache_seconds')} help="As long as no new version is published." />
        <TextField label="Promised age (seconds)" type="number" value={form.max_age_seconds} placeholder="no promise" onInput={(max_age_seconds) => set({ max_age_seconds })} wrong={error?.at('/max_age_seconds')} help="A read of older data refreshes the project first." />
        <TextField label="Parameter for the time" value={form.as_of} placeholder="none" onInput={(as_of) => set({ as_of })} wrong={error?.at('/as_of')} help="With its value, callers read what was published then." />
      </div>
      <Check label="Public" checked={form.public} onChange={(value) => set({ public: value })} help="Everybody can call it without a key." />
      <Field label="Columns of CSV and XLSX" wrong={error?.at('/columns')} help="A line for each: column: Heading. Empty: all columns, by their names.">
        {(attributes) => (
          <textarea {...attributes} class="mono" rows={2} value={form.columns} onInput={(event) => set({ columns: event.currentTarget.value })} />
        )}
      </Field>
    </fieldset>
  )
}

function ParameterFields(props: { name: string; form: ParameterForm; onChange: (form: ParameterForm) => void; error: ApiError | undefined }) {
  const { name, form, error } = props
  const set = (values: Partial<ParameterForm>) => props.onChange({ ...form, ...values })
  const at = (field: string) => error?.at(`/parameters/${name}${field}`)
  const hasRange = form.type !== 'boolean' && form.type !== 'string'
  return (
    <fieldset>
      <legend>
        <code>${name}</code>
      </legend>
      <div class="stack">
        {at('') && <div class="wrong-part">{at('')}</div>}
        <div class="form-row">
          <SelectField label="Type" value={form.type} options={TYPES} onChange={(type) => set({ type: type as Parameter['type'] })} wrong={at('/type')} />
          <TextField label="Default" value={form.default} placeholder="null" onInput={(text) => set({ default: text })} wrong={at('/default')} />
          {hasRange && <TextField label="Lowest" value={form.min} onInput={(min) => set({ min })} wrong={at('/min')} />}
          {hasRange && <TextField label="Highest" value={form.max} onInput={(max) => set({ max })} wrong={at('/max')} />}
          {form.type === 'string' && (
            <TextField label="Allowed values" value={form.values} placeholder="all" onInput={(values) => set({ values })} wrong={at('/values')} help="Separated by commas." />
          )}
        </div>
        <Check label="Required" checked={form.required} onChange={(required) => set({ required })} />
      </div>
    </fieldset>
  )
}
