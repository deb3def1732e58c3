/** The results of a model's tests, and the rows that fail one. */
import { useState } from 'preact/hooks'
import type { Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { Link, path } from '../../router'
import { shortened } from '../../ui/grid'
import { numeric, TableHead } from '../../ui/list'
import { Badge, Button, Empty, ProblemNote, State } from '../../ui/parts'
import { formatNumber, Time } from '../../ui/values'
import { runQuery, type Result } from '../sql/query'
import { ResultNotes, RowsGrid } from '../sql/results'
import { identifier } from '../sql/tables'

type Model = Schemas['ModelView']
type TestResult = Schemas['TestResult']
type Test = NonNullable<Model['tests']>[number]
const MOST_ROWS = 1000

/** How a model's tests went, in a word. */
export function modelState(model: Model): string {
  const results = model.test_results?.results
  if (!results) return 'not computed'
  const failed = results.filter((result) => result.status === 'failed')
  if (failed.some((result) => result.severity === 'error')) return 'failed'
  if (failed.length > 0) return 'warning'
  return results.length > 0 ? 'passed' : 'computed'
}

export function TestResults({ model }: { model: Model }) {
  const results = model.test_results
  if (!results) return <Empty title="The tests have not run yet.">A run of the model or a refresh of the project runs them.</Empty>
  if (results.results.length === 0) return <Empty title="It has no tests.">Add some to its document: they stop bad rows before they are published.</Empty>
  return (
    <>
      <div class="table-box">
        <table class="plain">
          <TableHead columns={['Test', 'Result', 'If it fails', numeric('Failing rows'), { text: 'Rows', look: 'hidden' }]} />
          <tbody>
            {results.results.map((result) => (
              <TestRow key={JSON.stringify(result.test)} result={result} model={model} />
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted about-tests">
        Checked <Time at={results.checked_at} /> by <Link to={path`/runs/${results.run}`}>a run</Link>.
      </p>
    </>
  )
}

function TestRow({ result, model }: { result: TestResult; model: Model }) {
  const [rows, setRows] = useState<Result | null>(null)
  const test = result.test as unknown as Test
  const sql = failingRows(model, test)
  const show = useAction(async () => setRows(await runQuery(model.project, sql!)))
  const failed = result.status === 'failed'
  return (
    <>
      <tr>
        <td>
          <code>{test.type}</code> {describe(test)}
          {failed && <div class="muted">{result.message}</div>}
        </td>
        <td>
          <State value={result.status} />
        </td>
        <td>{result.severity === 'error' ? 'nothing is published' : <Badge tone="warn">warns</Badge>}</td>
        <td class="number">{failed && sql ? formatNumber(result.failures) : '–'}</td>
        <td>
          {failed && sql && (
            <Button look="quiet" busy={show.busy} aria-expanded={rows !== null} onClick={() => (rows ? setRows(null) : show.run())}>
              {rows ? 'Hide the rows' : 'Show the rows'}
            </Button>
          )}
        </td>
      </tr>
      {(rows || show.error) && (
        <tr>
          <td colSpan={5}>
            <div class="stack">
              <ProblemNote error={show.error} />
              {rows && <ResultNotes result={rows} />}
              {rows && rows.items.length === 0 && <p class="muted">No row of the data as published now fails this test.</p>}
              {rows && rows.items.length > 0 && <RowsGrid rows={rows} label="Failing rows" most="14rem" />}
              <Link to="/sql" query={{ project: model.project, sql }}>
                Open this query in SQL
              </Link>
            </div>
          </td>
        </tr>
      )}
    </>
  )
}

/** What a test checks, after its type. */
function describe(test: Test): string {
  switch (test.type) {
    case 'not_null':
      return test.column
    case 'unique':
      return test.columns.join(', ')
    case 'accepted_values':
      return `${test.column}: ${test.values.join(', ')}`
    case 'relationships':
      return `${test.column} is in ${test.to}.${test.field}`
    case 'range':
      return `${test.column} ${limits(test.min, test.max)}`
    case 'row_count':
      return limits(test.min, test.max)
    case 'freshness':
      return `${test.column ?? 'the data'} at most ${formatNumber(test.max_age_seconds)} s old`
    case 'sql':
      return shortened(test.sql.replace(/\s+/g, ' '), 120)
  }
}

function limits(min: unknown, max: unknown): string {
  return [min != null && `from ${min}`, max != null && `to ${max}`].filter(Boolean).join(' ')
}

/**
 * A query for the rows that fail a test; null if the test is about the whole table.
 *
 * A failed test keeps the model's rows from being published, so its SQL is computed here again.
 */
export function failingRows(model: Pick<Model, 'name' | 'sql'>, test: Test): string | null {
  const condition = failingCondition(test)
  if (condition === null) return null
  const wanted = test.type === 'sql' ? `SELECT * FROM (\n${bare(test.sql)}\n)` : `SELECT * FROM ${identifier(model.name)}\nWHERE ${condition}`
  return `WITH ${identifier(model.name)} AS (\n${bare(model.sql)}\n)\n${wanted}\nLIMIT ${MOST_ROWS}`
}

function failingCondition(test: Test): string | null {
  switch (test.type) {
    case 'not_null':
      return `${identifier(test.column)} IS NULL`
    case 'unique': {
      const columns = test.columns.map(identifier).join(', ')
      const nulls = test.columns.map((column) => `${identifier(column)} IS NOT NULL`).join(' AND ')
      return `${nulls}\nQUALIFY count(*) OVER (PARTITION BY ${columns}) > 1\nORDER BY ${columns}`
    }
    case 'accepted_values':
      return `${identifier(test.column)} NOT IN (${test.values.map(literal).join(', ')})`
    case 'relationships': {
      const [column, field] = [identifier(test.column), identifier(test.field)]
      return `${column} NOT IN (SELECT ${field} FROM ${identifier(test.to)} WHERE ${field} IS NOT NULL)`
    }
    case 'range': {
      const column = identifier(test.column)
      const outside = [test.min != null && `${column} < ${literal(test.min)}`, test.max != null && `${column} > ${literal(test.max)}`]
      return outside.filter(Boolean).join(' OR ') || 'false'
    }
    case 'sql':
      return ''
    default:
      return null
  }
}

function literal(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}

function bare(sql: string): string {
  return sql.trim().replace(/;$/, '')
}
