/** Tests of the merged table and of datasources: a refresh publishes nothing if one of severity `error` fails. */
import { useState } from 'preact/hooks'
import type { ApiError } from '../../../api/client'
import { Button, Panel } from '../../../ui/parts'
import { namesOf } from '../create'
import { messageAt, pointerPart, scalarOf, scalarText, type Test } from './document'
import { CommitInput } from './parts'
import { COLUMNS } from './rules'

/** How a test's field is written: `names` and `values` between commas. */
type Kind = 'column' | 'names' | 'values' | 'scalar' | 'text'

const TYPES: Record<string, { fields: [name: string, text: string, kind: Kind][] }> = {
  unique: { fields: [['columns', 'columns', 'names']] },
  not_null: { fields: [['column', 'column', 'column']] },
  accepted_values: { fields: [['column', 'column', 'column'], ['values', 'values', 'values']] },
  relationships: { fields: [['column', 'column', 'column'], ['to', 'table', 'text'], ['field', 'its column', 'text']] },
  range: { fields: [['column', 'column', 'column'], ['min', 'from', 'scalar'], ['max', 'to', 'scalar']] },
  row_count: { fields: [['min', 'at least', 'scalar'], ['max', 'at most', 'scalar']] },
  freshness: { fields: [['max_age_seconds', 'seconds', 'scalar'], ['column', 'column, or empty', 'column']] },
  sql: { fields: [['sql', 'SELECT the wrong rows', 'text']] },
}
type Tests = Record<string, Test[]>

export function TestsPanel(props: {
  tests: Tests
  tables: string[]
  onChange: (tests: Tests) => void
  error: ApiError | undefined
}) {
  const { tests, tables, onChange, error } = props
  const [table, setTable] = useState('merged')
  const [type, setType] = useState('unique')
  const set = (name: string, list: Test[]) => {
    const { [name]: _, ...others } = tests
    onChange(list.length > 0 ? { ...tests, [name]: list } : others)
  }
  return (
    <Panel title="Tests">
      <div class="stack">
        {Object.entries(tests).map(([name, list]) => (
          <fieldset key={name}>
            <legend>{name}</legend>
            <ul class="plain rules">
              {list.map((test, index) => (
                <TestRow
                  key={index}
                  label={`${test.type} of ${name}`}
                  test={test}
                  wrong={messageAt(error, `/tests/${pointerPart(name)}/${index}`)}
                  onChange={(changed) => set(name, list.with(index, changed))}
                  onRemove={() => set(name, list.toSpliced(index, 1))}
                />
              ))}
            </ul>
          </fieldset>
        ))}
        {Object.keys(tests).length === 0 && <p class="muted">There are none yet.</p>}
        <p class="muted">A failed test of severity error stops the publication of a new version; warn only adds a warning to the run.</p>
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault()
            set(table, [...(tests[table] ?? []), { type, severity: 'error' }])
          }}
        >
          <select aria-label="Table of a new test" value={table} onChange={(event) => setTable(event.currentTarget.value)}>
            {tables.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <select aria-label="Type of a new test" value={type} onChange={(event) => setType(event.currentTarget.value)}>
            {Object.keys(TYPES).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <Button type="submit">Add a test</Button>
        </form>
      </div>
    </Panel>
  )
}

function TestRow(props: {
  label: string
  test: Test
  wrong: string | undefined
  onChange: (test: Test) => void
  onRemove: () => void
}) {
  const { test, label, onChange } = props
  return (
    <li>
      <div class="row">
        <code class="rule-name">{test.type}</code>
        {(TYPES[test.type]?.fields ?? []).map(([name, text, kind]) => (
          <CommitInput
            key={name}
            aria-label={`${text}: ${label}`}
            placeholder={text}
            list={kind === 'column' || kind === 'names' ? COLUMNS : undefined}
            value={textOf(test[name], kind)}
            onCommit={(written) => onChange({ ...test, [name]: valueOf(written, kind) })}
          />
        ))}
        <select
          aria-label={`Severity: ${label}`}
          value={test.severity ?? 'error'}
          onChange={(event) => onChange({ ...test, severity: event.currentTarget.value })}
        >
          <option>error</option>
          <option>warn</option>
        </select>
        <Button look="quiet" onClick={props.onRemove} aria-label={`Remove ${label}`}>
          Remove
        </Button>
      </div>
      {props.wrong && <div class="failed">{props.wrong}</div>}
    </li>
  )
}

function textOf(value: unknown, kind: Kind): string {
  if (Array.isArray(value)) return value.map((one) => (kind === 'names' ? String(one) : scalarText(one))).join(', ')
  return kind === 'scalar' ? scalarText(value) : ((value as string | null | undefined) ?? '')
}

function valueOf(text: string, kind: Kind): unknown {
  if (kind === 'names') return namesOf(text)
  if (kind === 'values') return namesOf(text).map(scalarOf)
  if (text.trim() === '') return undefined
  return kind === 'scalar' ? scalarOf(text) : text.trim()
}
