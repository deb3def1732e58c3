/** Read-only SQL over a project's tables: write it, run it, and keep it as a model, an endpoint or a report. */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMay, useMayOn } from '../../api/me'
import { own } from '../../own'
import { currentPlace, Link, setParameters, useParameter, usePlace } from '../../router'
import { Editor } from '../../ui/editor'
import type { EditorHandle } from '../../ui/editor/code-editor'
import { Button, Empty, Page, Panel, ProblemNote, SelectField, Show, TextField } from '../../ui/parts'
import { formatNumber, formatSeconds, Time } from '../../ui/values'
import { draftIn, useTexts, type Draft } from './drafts'
import type { PastQuery } from './history'
import { parametersIn, runQuery, sqlFaults, valueOf, valuesInAddress, valuesIn, type Result } from './query'
import { ColumnTypes, ResultFacts, ResultNotes, RowsGrid } from './results'
import { SaveDialog, type SaveKind } from './save'
import { TableBrowser } from './table-browser'
import { useMentioned, useTables } from './tables'
import './sql.css'

export default function Sql() {
  const mayCreate = useMay('project.create')
  const projects = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor, limit: 200 } } }))),
    [],
  )
  return (
    <Page title="SQL">
      <Show from={projects}>
        {(items) =>
          items.length > 0 ? (
            <Workbench projects={items} />
          ) : (
            <Panel>
              <Empty title="There are no projects to query yet." action={mayCreate && <Link to="/projects">Create a project</Link>}>
                SQL reads the tables of a project: its merge, its datasources and its models.
              </Empty>
            </Panel>
          )
        }
      </Show>
    </Page>
  )
}

function Workbench({ projects }: { projects: Schemas['ProjectView'][] }) {
  const [inAddress] = useParameter('project')
  const [sqlInAddress] = useParameter('sql')
  const [saving, setSaving] = useParameter('save')
  const { drafts, history, keep, open, remember } = useTexts()
  const isThere = (slug: string) => projects.some((one) => one.slug === slug)
  const project = inAddress ?? drafts.find((one) => isThere(one.project))?.project ?? projects[0]!.slug!
  const mayOn = useMayOn({ project })
  const tables = useTables(project)
  const { sql, values } = draftIn(drafts, project)
  const given = valuesIn(usePlace().query)
  const [outcome, setOutcome] = useState<{ result: Result; seconds: number } | null>(null)
  const editor = useRef<EditorHandle>(null)
  useMentioned(tables, sql)

  const asked = sqlInAddress === null ? null : signature(sqlInAddress, given)
  const ran = useRef<string | null>(null)
  // Counts the questions: an answer to an earlier one, or one of another project, is not shown.
  const turn = useRef(0)
  const query = useAction(async (text: string, entered: Record<string, string>) => {
    const used = Object.fromEntries(parametersIn(text).map((name) => [name, own(entered, name) ?? 'null']))
    const parameters = Object.fromEntries(Object.entries(used).map(([name, value]) => [name, valueOf(value)]))
    const mine = ++turn.current
    const [start, at] = [performance.now(), new Date().toISOString()]
    const seconds = () => (performance.now() - start) / 1000
    ran.current = signature(text, used)
    keep({ project, sql: text, values: entered })
    const present = currentPlace().query
    const there = present.get('sql')
    // What was not run is no step of its own, nor is the query of a link that is run as it is.
    const replace = there === null || signature(there, valuesIn(present)) === ran.current
    setParameters({ project, sql: text, ...valuesInAddress(used) }, { replace })
    try {
      const result = await runQuery(project, text, parameters)
      if (mine === turn.current) setOutcome({ result, seconds: seconds() })
      remember({ project, sql: text, at, rows: result.items.length, seconds: seconds() })
    } catch (error) {
      remember({ project, sql: text, at, rows: 'failed', seconds: seconds() })
      if (mine !== turn.current) return
      setOutcome(null)
      throw error
    }
  })
  const run = (text = sql, entered = values) => {
    if (!query.busy && text.trim()) void query.run(text, entered)
  }
  const drop = () => {
    turn.current += 1
    setOutcome(null)
    query.clear()
  }
  useLayoutEffect(drop, [project])
  // So that Back leads to the project that was shown, whatever was chosen meanwhile.
  useLayoutEffect(() => {
    if (inAddress === null) setParameters({ project }, { replace: true })
  }, [inAddress])
  // A link to a query shows it and its rows. At once: what it replaces is not to be seen before.
  useLayoutEffect(() => {
    if (sqlInAddress === null || asked === ran.current) return
    drop()
    open({ project, sql: sqlInAddress, values: given })
    const isGiven = parametersIn(sqlInAddress).every((name) => Object.hasOwn(given, name))
    if (isGiven && sqlInAddress.trim()) void query.run(sqlInAddress, given)
  }, [asked])

  const faults = useMemo(() => sqlFaults(query.error), [query.error])
  const write = (changes: Partial<Draft>) => {
    keep({ project, sql, values, ...changes })
    if (sqlInAddress === null) return
    // The address would show another query after a reload. Back returns to it.
    ran.current = null
    setParameters({ project, sql: null, ...valuesInAddress({}) })
  }
  const writeSql = (text: string) => {
    if (text === sql) return
    write({ sql: text })
    if (query.error) query.clear()
  }
  const choose = (slug: string) => {
    if (!drafts.some((one) => one.project === slug)) keep({ project: slug, sql, values })
    setParameters({ project: slug, sql: null, ...valuesInAddress({}) })
  }
  return (
    <>
      <div class="query-bar">
        <SelectField
          label="Project"
          value={project}
          options={projects.map(({ slug, name }) => ({ value: slug!, text: name }))}
          onChange={choose}
        />
        <div class="row">
          {mayOn('project.update') && <SaveButtons onSave={setSaving} />}
          <Button look="primary" busy={query.busy} onClick={() => run()} title="Ctrl-Enter in the editor">
            Run <kbd>Ctrl ⏎</kbd>
          </Button>
        </div>
      </div>
      <div class="bench">
        <div class="stack">
          <Editor
            key={project}
            label="SQL"
            language="sql"
            value={sql}
            onChange={writeSql}
            tables={tables.completion}
            onRun={() => run()}
            faults={faults}
            handle={editor}
          />
          <Parameters names={parametersIn(sql)} values={values} onChange={(entered) => write({ values: entered })} onRun={() => run()} />
          <ProblemNote error={query.error} />
          {outcome ? (
            <div class="stack">
              <ResultFacts result={outcome.result} seconds={outcome.seconds} />
              <ResultNotes result={outcome.result} />
              <RowsGrid rows={outcome.result} label="Result" />
              <ColumnTypes rows={outcome.result} />
            </div>
          ) : (
            !query.error && !query.busy && <Empty title="No rows yet.">Write one SELECT, then run it.</Empty>
          )}
        </div>
        <Panel title="Tables">
          <TableBrowser tables={tables} onInsert={(text) => (editor.current ? editor.current.insert(text) : writeSql(`${sql} ${text}`))} />
        </Panel>
      </div>
      <History
        queries={history}
        onOpen={(past) => {
          // Only shown: it may take long, and it is run by the next Ctrl-Enter.
          ran.current = signature(past.sql, {})
          setParameters({ project: past.project, sql: past.sql, ...valuesInAddress({}) })
          drop()
          open({ project: past.project, sql: past.sql, values: {} })
        }}
      />
      {isKind(saving) && <SaveDialog kind={saving} project={project} sql={sql} onClose={() => setSaving(null)} />}
    </>
  )
}

/** A query with the values of its parameters, by which one is told from another. */
function signature(sql: string, values: Record<string, string>): string {
  return JSON.stringify([sql, Object.entries(values).sort()])
}

function isKind(text: string | null): text is SaveKind {
  return text === 'model' || text === 'endpoint' || text === 'report'
}

function SaveButtons({ onSave }: { onSave: (kind: SaveKind) => void }) {
  return (
    <div class="row" role="group" aria-label="Save this query">
      <span class="muted">Save as</span>
      <Button onClick={() => onSave('model')}>Model</Button>
      <Button onClick={() => onSave('endpoint')}>Endpoint</Button>
      <Button onClick={() => onSave('report')}>Report</Button>
    </div>
  )
}

/** A field for the value of each parameter of the query; Enter in one runs it. */
function Parameters(props: {
  names: string[]
  values: Record<string, string>
  onChange: (values: Record<string, string>) => void
  onRun: () => void
}) {
  if (props.names.length === 0) return null
  return (
    <fieldset onKeyDown={(event) => event.key === 'Enter' && props.onRun()}>
      <legend>Parameters</legend>
      <div class="values-of-parameters">
        {props.names.map((name) => (
          <TextField
            key={name}
            label={`$${name}`}
            value={own(props.values, name) ?? ''}
            placeholder="null"
            onInput={(value) => {
              const { [name]: _, ...others } = props.values
              props.onChange(value === '' ? others : { ...others, [name]: value })
            }}
          />
        ))}
      </div>
      <p class="muted">A number, true, false or null; anything else is text. Quotes make "10" a text.</p>
    </fieldset>
  )
}

function History({ queries, onOpen }: { queries: PastQuery[]; onOpen: (query: PastQuery) => void }) {
  if (queries.length === 0) return null
  return (
    <Panel title="Queries of this tab">
      <ul class="plain history">
        {queries.slice(0, 12).map((query) => (
          <li key={query.project + query.sql}>
            <button type="button" onClick={() => onOpen(query)}>
              <code title={query.sql}>{query.sql.replace(/\s+/g, ' ')}</code>
              <span class="muted">
                {typeof query.rows === 'number' ? `${formatNumber(query.rows)} ${query.rows === 1 ? 'row' : 'rows'}, ${formatSeconds(query.seconds)}` : query.rows},{' '}
                <Time at={query.at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
