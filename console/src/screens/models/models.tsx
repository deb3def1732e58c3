/** A project's models: tables defined by SQL, their tests and their state. */
import { useMemo, useState } from 'preact/hooks'
import { all, api, ok, type ApiError, type Schemas } from '../../api/client'
import { useAction, useLoad, type Action } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, Link, useArrival, useParameter } from '../../router'
import { Conflict, useDraft } from '../../ui/conflict'
import { ConfirmButton } from '../../ui/dialog'
import { Editor } from '../../ui/editor'
import { NotThere } from '../../ui/gone'
import { Badge, Button, Empty, Note, Panel, ProblemNote, Show, State, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { useUnsaved } from '../../unsaved'
import { ProjectPage } from '../projects/tabs'
import type { ScreenProps } from '../registry'
import { fromYaml, toYaml, toYamlLine, yamlFaults } from '../sql/document'
import { Check, OtherFaults, RunNote, useRun } from '../sql/parts'
import { runQuery, sqlFaults, type Fault, type Result } from '../sql/query'
import { ResultFacts, ResultNotes, RowsGrid } from '../sql/results'
import { useMentioned, useTables, type Tables } from '../sql/tables'
import { modelState, TestResults } from './tests'

type Model = Schemas['ModelView']

export default function Models({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const mayOn = useMayOn({ project: slug })
  const tables = useTables(slug)
  const [name] = useParameter('model')
  const models = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects/{slug}/models', { params: { path: { slug }, query: { cursor, limit: 200 } } }))),
    [slug],
  )
  const create = mayOn('project.update') && (
    <Link to="/sql" class="button primary" query={{ project: slug }}>
      New model in SQL
    </Link>
  )
  return (
    <ProjectPage slug={slug} from={models} title="Models" actions={models.data?.length ? create : undefined}>
      <Show from={models} and={mayOn.answer}>
        {(items) => {
          if (items.length === 0) {
            return (
              <Panel>
                <Empty title="There are no models yet." action={create}>
                  A model is a table that SQL computes with each refresh. Its tests stop bad rows before they are published. Write its query
                  in SQL, then save it as a model.
                </Empty>
              </Panel>
            )
          }
          const chosen = name === null ? items[0]! : items.find((one) => one.name === name)
          return (
            <div class="chosen">
              <nav aria-label="Models of the project">
                {items.map((one) => (
                  <Link key={one.name} to={path`/projects/${slug}/models`} query={{ model: one.name }} aria-current={one === chosen ? 'true' : undefined}>
                    {one.name} <State value={modelState(one)} />
                  </Link>
                ))}
              </nav>
              {chosen ? (
                <OneModel
                  key={chosen.name}
                  model={chosen}
                  tables={tables}
                  mayUpdate={mayOn('project.update')}
                  mayRun={mayOn('project.run')}
                  onChange={models.reload}
                />
              ) : (
                <NotThere what="model" id={name!} list={{ to: path`/projects/${slug}/models`, text: `Models of ${slug}` }} />
              )}
            </div>
          )
        }}
      </Show>
    </ProjectPage>
  )
}

type OneProps = { model: Model; tables: Tables; mayUpdate: boolean; mayRun: boolean; onChange: () => void }

function OneModel(props: OneProps) {
  const { model, onChange } = props
  const arrive = useArrival()
  const params = { path: { slug: model.project, name: model.name } }
  const started = useRun(() => ok(api.POST('/v1/projects/{slug}/models/{name}/runs', { params })), onChange)
  const remove = async () => {
    await ok(api.DELETE('/v1/projects/{slug}/models/{name}', { params }))
    toast(`The model ${model.name} is deleted.`)
    arrive(path`/projects/${model.project}/models`)
    onChange()
  }
  const isOlder = model.test_results && model.updated_at > model.test_results.checked_at
  return (
    <div class="stack">
      <div class="row spread">
        <div class="row">
          <h2>{model.name}</h2>
          <State value={modelState(model)} />
          <Badge title={model.materialize ? 'Each refresh stores its rows.' : 'It is computed when it is read.'}>
            {model.materialize ? 'table' : 'view'}
          </Badge>
          <span class="muted">
            changed <Time at={model.updated_at} />
          </span>
        </div>
        <div class="row">
          {props.mayRun && (
            <Button look="primary" busy={started.busy} onClick={started.start}>
              Run
            </Button>
          )}
          <Link class="button" to={path`/projects/${model.project}/data`} query={{ model: model.name }}>
            Rows
          </Link>
          {props.mayUpdate && (
            <ConfirmButton look="danger" text="Delete" question={`Delete the model ${model.name}? Its versions stay in the lake.`} work={remove} />
          )}
        </div>
      </div>
      {model.description && <p>{model.description}</p>}
      <RunNote started={started} />
      {isOlder && <Note tone="warn">It has changed since it was computed. Run it, or refresh the project, to publish its new rows.</Note>}
      <Panel title="Tests" flush>
        <TestResults model={model} />
      </Panel>
      <EditModel {...props} />
    </div>
  )
}

const TEMPLATES: Record<string, string> = {
  not_null: '- {type: not_null, column: name}',
  unique: '- {type: unique, columns: [name]}',
  accepted_values: '- {type: accepted_values, column: name, values: [a, b]}',
  relationships: '- {type: relationships, column: name, to: merged, field: name}',
  range: '- {type: range, column: name, min: 0}',
  row_count: '- {type: row_count, min: 1}',
  freshness: '- {type: freshness, max_age_seconds: 86400}',
  sql: '- {type: sql, sql: SELECT * FROM merged WHERE false}',
}

function formOf(model: Model) {
  return { sql: model.sql, description: model.description ?? '', tests: testsText(model), materialize: model.materialize ?? true }
}

type Form = ReturnType<typeof formOf>
type Draft = ReturnType<typeof useDraft<Model, Form>>

function EditModel({ model, tables, mayUpdate, onChange }: OneProps) {
  const draft = useDraft(model, formOf)
  const { form } = draft
  const { save, trial, tried, broken } = useModelActions(model, draft, onChange)
  const set = (values: Partial<Form>) => draft.setForm({ ...form, ...values })
  useMentioned(tables, form.sql)
  useUnsaved(draft.changed, ['model'])
  const atSql = useMemo(() => sqlFaults(save.error ?? trial.error), [save.error, trial.error])
  const atTests = useMemo(() => [...broken, ...yamlFaults(form.tests, save.error, '/tests')], [broken, save.error])
  return (
    <Panel
      title="Document"
      actions={
        <>
          <Button busy={trial.busy} onClick={() => trial.run()} title="Ctrl-Enter in the editor">
            Try the SQL
          </Button>
          {mayUpdate && (
            <Button look="primary" busy={save.busy} disabled={!draft.changed} onClick={() => save.run()}>
              Save
            </Button>
          )}
        </>
      }
    >
      <div class="stack">
        <Editor
          label="SQL of the model"
          language="sql"
          value={form.sql}
          onChange={(sql) => set({ sql })}
          tables={tables.completion}
          onRun={() => trial.run()}
          faults={atSql}
          readOnly={!mayUpdate}
        />
        <ProblemNote error={trial.error} />
        <SaveProblem model={model} draft={draft} save={save} />
        {tried && (
          <>
            <ResultFacts result={tried.result} seconds={tried.seconds} />
            <ResultNotes result={tried.result} />
            <RowsGrid rows={tried.result} label="Rows of the SQL" most="18rem" />
          </>
        )}
        <OtherFields form={form} onChange={set} error={save.error} atTests={atTests} readOnly={!mayUpdate} />
      </div>
    </Panel>
  )
}

/** Trying a model's SQL and saving the model: each clears what the other has said. */
function useModelActions(model: Model, draft: Draft, onChange: () => void) {
  const { form } = draft
  const [broken, setBroken] = useState<Fault[]>([])
  const [tried, setTried] = useState<{ result: Result; seconds: number } | null>(null)
  const trial = useAction(async () => {
    const start = performance.now()
    save.clear()
    setTried(null)
    setTried({ result: await runQuery(model.project, form.sql), seconds: (performance.now() - start) / 1000 })
  })
  const save = useAction(async () => {
    const tests = fromYaml(form.tests)
    setBroken(tests.faults)
    trial.clear()
    if (tests.faults.length > 0) return
    const params = { path: { slug: model.project, name: model.name }, header: { 'If-Match': draft.base.etag } }
    const body = { ...form, description: form.description || null, tests: (tests.value ?? []) as Schemas['Model']['tests'] }
    draft.saved(await ok(api.PUT('/v1/projects/{slug}/models/{name}', { params, body })), form)
    toast(`The model ${model.name} is saved. The next refresh computes it.`)
    onChange()
  })
  return { save, trial, tried, broken }
}

function SaveProblem({ model, draft, save }: { model: Model; draft: Draft; save: Action<[]> }) {
  const { project, name } = model
  if (save.error?.status !== 412) return <OtherFaults error={save.error} shown={['/description']} />
  return (
    <Conflict
      name={name}
      load={() => ok(api.GET('/v1/projects/{slug}/models/{name}', { params: { path: { slug: project, name } } }))}
      text={({ sql, description, tests, materialize }) => toYaml({ description, materialize, sql, tests })}
      onTake={(theirs) => (save.clear(), draft.begin(theirs))}
      onKeep={(theirs) => (save.clear(), draft.setBase(theirs))}
    />
  )
}

/** What a model has besides its SQL. */
function OtherFields(props: { form: Form; onChange: (values: Partial<Form>) => void; error: ApiError | undefined; atTests: Fault[]; readOnly: boolean }) {
  const { form, onChange, readOnly } = props
  return (
    <>
      <fieldset class="stack bare" disabled={readOnly}>
        <TextField label="Description" value={form.description} onInput={(description) => onChange({ description })} wrong={props.error?.at('/description')} />
        <Check
          label="Store its rows with each refresh"
          checked={form.materialize}
          onChange={(materialize) => onChange({ materialize })}
          help="Otherwise it is a view, which is computed when it is read."
        />
      </fieldset>
      <div class="field">
        <div class="row spread">
          <strong>Tests</strong>
          {!readOnly && <AddTest onAdd={(text) => onChange({ tests: `${form.tests.trimEnd()}\n${text}\n`.trimStart() })} />}
        </div>
        <Editor label="Tests of the model, as YAML" language="yaml" value={form.tests} onChange={(tests) => onChange({ tests })} faults={props.atTests} readOnly={readOnly} />
      </div>
    </>
  )
}

/** The tests as a list in YAML, a line for each but those of SQL. */
function testsText(model: Model): string {
  return (model.tests ?? [])
    .map((test) => {
      const { severity, ...rest } = test
      const short = severity === 'warn' ? { ...rest, severity } : rest
      return test.type === 'sql' ? toYaml([short]) : `- ${toYamlLine(short)}`
    })
    .join('')
}

function AddTest({ onAdd }: { onAdd: (text: string) => void }) {
  return (
    <select
      aria-label="Add a test"
      value=""
      onChange={(event) => {
        onAdd(TEMPLATES[event.currentTarget.value]!)
        event.currentTarget.value = ''
      }}
    >
      <option value="">Add a test …</option>
      {Object.keys(TEMPLATES).map((type) => (
        <option key={type} value={type}>
          {type}
        </option>
      ))}
    </select>
  )
}
