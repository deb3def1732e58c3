/** How records become one: the strategy, the key and its normalizers, and a rule for each field. */
import { useState } from 'preact/hooks'
import type { ApiError } from '../../../api/client'
import { own } from '../../../own'
import { Button, Panel, SelectField } from '../../../ui/parts'
import { namesOf } from '../create'
import { isOfDocuments, messageAt, pointerPart, scalarOf, scalarText, withStrategy, type FieldRule, type Merge, type Strategy } from './document'
import { CommitField, CommitInput } from './parts'

const STRATEGIES: { value: Strategy; text: string }[] = [
  { value: 'join', text: 'join: one row for each key, by rules' },
  { value: 'union', text: 'union: the rows of all, one below the other' },
  { value: 'recursive', text: 'recursive: one document, merged at every level' },
  { value: 'concatenation', text: 'concatenation: the documents by rank' },
]
const JOINS = [
  { value: 'full', text: 'full: records of any datasource' },
  { value: 'left', text: 'left: records of the primary datasource' },
  { value: 'inner', text: 'inner: records that all datasources have' },
]
const DEFAULT_RULES = ['priority', 'first_non_null', 'longest', 'majority', 'min', 'max', 'all']
const RULES = [
  ...['priority', 'first_non_null', 'newest', 'oldest', 'longest', 'majority'],
  ...['min', 'max', 'sum', 'mean', 'count', 'union', 'all', 'constant'],
]
const NORMALIZERS = [
  { value: 'nfkc', text: 'equal forms of characters (NFKC)' },
  { value: 'case_fold', text: 'upper and lower case alike' },
  { value: 'trim', text: 'without spaces around' },
]
/** The id of the list of columns that the page draws. */
export const COLUMNS = 'merge-columns'

interface FormProps {
  merge: Merge
  onChange: (merge: Merge) => void
  error: ApiError | undefined
}

export function StrategyPanel(props: FormProps & { datasources: string[] }) {
  const { merge, onChange, error } = props
  const key = merge.key ?? []
  return (
    <Panel title="Strategy and key">
      <div class="stack">
        <SelectField
          label="Strategy"
          value={merge.strategy}
          options={STRATEGIES}
          wrong={messageAt(error, '/merge/strategy')}
          onChange={(strategy) => onChange(withStrategy(merge, strategy as Strategy))}
        />
        {!isOfDocuments(merge.strategy) && (
          <CommitField
            label="Key columns"
            value={key.join(', ')}
            list={COLUMNS}
            help="The columns that identify a record in every datasource, separated by commas."
            wrong={messageAt(error, '/merge/key')}
            onCommit={(text) => {
              const names = namesOf(text)
              onChange({ ...merge, key: names.length > 0 || merge.strategy === 'join' ? names : null })
            }}
          />
        )}
        {merge.strategy === 'join' && (
          <SelectField
            label="Records"
            value={merge.join ?? 'full'}
            options={JOINS}
            wrong={messageAt(error, '/merge/join')}
            onChange={(join) => onChange({ ...merge, join, ...(join === 'left' ? {} : { primary: undefined }) })}
          />
        )}
        {merge.strategy === 'join' && merge.join === 'left' && (
          <SelectField
            label="Primary datasource"
            value={merge.primary ?? ''}
            options={[{ value: '', text: 'the one that ranks best' }, ...props.datasources]}
            wrong={messageAt(error, '/merge/primary')}
            onChange={(primary) => onChange({ ...merge, primary: primary || null })}
          />
        )}
        {!isOfDocuments(merge.strategy) && key.length > 0 && <Normalizers {...props} />}
      </div>
    </Panel>
  )
}

function Normalizers({ merge, onChange, error }: FormProps) {
  const all = merge.normalizers ?? {}
  const set = (column: string, name: string, on: boolean) => {
    const names = NORMALIZERS.map(({ value }) => value).filter((one) => (one === name ? on : own(all, column)?.includes(one)))
    const { [column]: _, ...others } = all
    onChange({ ...merge, normalizers: names.length > 0 ? { ...others, [column]: names } : others })
  }
  const wrong = messageAt(error, '/merge/normalizers')
  return (
    <fieldset>
      <legend>Spellings of the key that are equal</legend>
      {(merge.key ?? []).map((column) => (
        <div class="row" key={column} role="group" aria-label={column}>
          <code>{column}</code>
          {NORMALIZERS.map(({ value, text }) => (
            <label class="row" key={value}>
              <input
                type="checkbox"
                checked={own(all, column)?.includes(value) ?? false}
                onChange={(event) => set(column, value, event.currentTarget.checked)}
              />
              {text}
            </label>
          ))}
        </div>
      ))}
      {wrong && <div class="failed">{wrong}</div>}
    </fieldset>
  )
}

export function RulesPanel({ merge, onChange, error }: FormProps) {
  const fields = merge.fields ?? {}
  const [adding, setAdding] = useState('')
  const add = () => {
    const name = adding.trim()
    if (name && !Object.hasOwn(fields, name)) onChange({ ...merge, fields: { ...fields, [name]: { rule: 'first_non_null' } } })
    setAdding('')
  }
  return (
    <Panel title="Rules">
      <div class="stack">
        <SelectField
          label="Default rule"
          value={merge.default_rule ?? 'priority'}
          options={DEFAULT_RULES}
          help="For every field without a rule of its own. priority: the best ranked datasource that has the record, its nulls included."
          wrong={messageAt(error, '/merge/default_rule')}
          onChange={(default_rule) => onChange({ ...merge, default_rule })}
        />
        {Object.keys(fields).length > 0 && (
          <ul class="plain rules" aria-label="Rules of fields">
            {Object.keys(fields).map((name) => (
              <Rule key={name} name={name} merge={merge} onChange={onChange} error={error} />
            ))}
          </ul>
        )}
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault()
            add()
          }}
        >
          <input
            aria-label="Field for a new rule"
            placeholder="field"
            list={COLUMNS}
            value={adding}
            onInput={(event) => setAdding(event.currentTarget.value)}
          />
          <Button type="submit">Add a rule</Button>
        </form>
      </div>
    </Panel>
  )
}

function Rule({ name, merge, onChange, error }: FormProps & { name: string }) {
  const fields = merge.fields!
  const rule = fields[name]!
  const set = (value: typeof rule) => onChange({ ...merge, fields: { ...fields, [name]: value } })
  const remove = () => {
    const { [name]: _, ...others } = fields
    onChange({ ...merge, fields: others })
  }
  const wrong = messageAt(error, `/merge/fields/${pointerPart(name)}`)
  return (
    <li>
      <div class="row">
        <code class="rule-name">{name}</code>
        <select
          aria-label={`Rule of ${name}`}
          aria-invalid={wrong ? 'true' : undefined}
          value={rule.rule}
          onChange={(event) => set({ rule: event.currentTarget.value as FieldRule['rule'] })}
        >
          {RULES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        {(rule.rule === 'newest' || rule.rule === 'oldest') && (
          <CommitInput
            aria-label={`Column that ${name} compares`}
            placeholder="by column"
            list={COLUMNS}
            value={rule.by ?? ''}
            onCommit={(by) => set({ rule: rule.rule, by: by.trim() || null })}
          />
        )}
        {rule.rule === 'union' && (
          <CommitInput
            aria-label={`Member that identifies an object of ${name}`}
            placeholder="key, for objects"
            value={rule.key ?? ''}
            onCommit={(key) => set({ rule: 'union', key: key.trim() || null })}
          />
        )}
        {rule.rule === 'constant' && (
          <CommitInput
            aria-label={`Value of ${name}`}
            placeholder="value"
            value={scalarText(rule.value)}
            onCommit={(text) => set({ rule: 'constant', value: scalarOf(text) })}
          />
        )}
        <Button look="quiet" onClick={remove} aria-label={`Remove the rule of ${name}`}>
          Remove
        </Button>
      </div>
      {wrong && <div class="failed">{wrong}</div>}
    </li>
  )
}
