/** The conditions that rows must meet: a form to add one, and each as a chip that removes it. */
import { useState } from 'preact/hooks'
import type { ApiError } from '../../api/client'
import { Button, Field, SelectField } from '../../ui/parts'
import { changeQuery, formatCondition, needsValue, OPERATORS, parseCondition, type Condition } from './query'

type Column = { name: string; type: string }

export function Filters(props: { columns: Column[]; where: string[]; error: ApiError | undefined }) {
  const { columns, where } = props
  const [edited, setEdited] = useState<{ index: number; condition: Condition; sent?: boolean } | null>(null)
  const names = columns.map((column) => column.name)
  const wrong = props.error?.at('?where')
  // What was sent stays in the form if the API refuses it.
  const isOpen = edited !== null && (!edited.sent || wrong !== undefined)
  const remove = (index: number) => {
    setEdited(null)
    changeQuery({ where: where.filter((_, at) => at !== index) })
  }
  const save = (condition: Condition) => {
    const text = formatCondition(condition)
    const index = edited!.index
    changeQuery({ where: index < where.length ? where.map((one, at) => (at === index ? text : one)) : [...where, text] })
    setEdited({ index, condition, sent: true })
  }
  const begin = () => setEdited({ index: where.length, condition: { column: names[0] ?? '', operator: 'eq', value: '' } })
  return (
    <div class="stack filters">
      <div class="row" role="group" aria-label="Filter">
        {where.map((text, index) => {
          const condition = parseCondition(text, names)
          return (
            <span class="chip" key={text}>
              <button
                type="button"
                title="Change this condition"
                onClick={() => condition && setEdited({ index, condition })}
                disabled={!condition}
              >
                {condition ? <ConditionText condition={condition} /> : text}
              </button>
              <button type="button" aria-label={`Remove the condition ${text}`} onClick={() => remove(index)}>
                ✕
              </button>
            </span>
          )
        })}
        {!isOpen && (
          <Button onClick={begin} disabled={columns.length === 0 && where.length === 0}>
            Add a filter
          </Button>
        )}
        {where.length > 1 && (
          <Button
            look="quiet"
            onClick={() => {
              setEdited(null)
              changeQuery({ where: [] })
            }}
          >
            Remove all
          </Button>
        )}
      </div>
      {isOpen && (
        <ConditionForm
          key={edited.index}
          columns={columns}
          start={edited.condition}
          wrong={edited.sent ? wrong : undefined}
          onSave={save}
          onCancel={() => setEdited(null)}
        />
      )}
    </div>
  )
}

function ConditionText({ condition }: { condition: Condition }) {
  const sign = OPERATORS.find((operator) => operator.name === condition.operator)?.sign ?? condition.operator
  return (
    <>
      {condition.column} <span class="muted">{sign}</span> {needsValue(condition.operator) && <strong>{condition.value || '“”'}</strong>}
    </>
  )
}

const EXAMPLES: Record<string, string> = { timestamp: '2026-01-31T12:00:00Z', date: '2026-01-31', boolean: 'true' }

function ConditionForm(props: {
  columns: Column[]
  start: Condition
  wrong: string | undefined
  onSave: (condition: Condition) => void
  onCancel: () => void
}) {
  const [condition, setCondition] = useState(props.start)
  const { column, operator, value } = condition
  const set = (change: Partial<Condition>) => setCondition({ ...condition, ...change })
  const type = props.columns.find((one) => one.name === column)?.type ?? ''
  return (
    <form
      class="row condition-form"
      onSubmit={(event) => {
        event.preventDefault()
        props.onSave(condition)
      }}
      onKeyDown={(event) => event.key === 'Escape' && props.onCancel()}
    >
      <SelectField label="Column" value={column} options={props.columns.map((one) => one.name)} onChange={(name) => set({ column: name })} />
      <SelectField
        label="Condition"
        value={operator}
        options={OPERATORS.map((one) => ({ value: one.name, text: one.text }))}
        onChange={(name) => set({ operator: name })}
      />
      {needsValue(operator) && (
        <Field label="Value" wrong={props.wrong} help={operator === 'contains' && /[%_]/.test(value) && 'Here, too, % is any text and _ any character.'}>
          {(attributes) => (
            <input
              {...attributes}
              value={value}
              autoFocus
              autoComplete="off"
              spellcheck={false}
              placeholder={EXAMPLES[type] ?? ''}
              onInput={(event) => set({ value: event.currentTarget.value })}
            />
          )}
        </Field>
      )}
      <div class="row">
        <Button look="primary" type="submit">
          Apply
        </Button>
        <Button onClick={props.onCancel}>Cancel</Button>
      </div>
    </form>
  )
}
