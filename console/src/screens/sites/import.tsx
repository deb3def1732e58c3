/** Sites, equipment and sensors from CSV: checked first, with what is wrong by row and column, mended in place. */
import { useState } from 'preact/hooks'
import { api, ok, type ApiError, type Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { saveAs } from '../../ui/download'
import { Dialog } from '../../ui/dialog'
import { numeric, TableHead } from '../../ui/list'
import { Button, Field, Note, ProblemNote, SelectField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { FileDrop } from './file-drop'

type Result = Schemas['ImportResultView']
const CSV = { 'Content-Type': 'text/csv' }
/** The text as it is: the client would make JSON of it. */
const bodySerializer = (text: string) => text

const IMPORTS = {
  sites: (body: string, check: boolean) => ok(api.POST('/v1/sites/import', { params: { query: { check } }, body, headers: CSV, bodySerializer })),
  vessels: (body: string, check: boolean) => ok(api.POST('/v1/vessels/import', { params: { query: { check } }, body, headers: CSV, bodySerializer })),
  equipment: (body: string, check: boolean) =>
    ok(api.POST('/v1/equipment/import', { params: { query: { check } }, body, headers: CSV, bodySerializer })),
  sensors: (body: string, check: boolean) => ok(api.POST('/v1/sensors/import', { params: { query: { check } }, body, headers: CSV, bodySerializer })),
}
export type Kind = keyof typeof IMPORTS

const TEMPLATES: Record<Kind, string> = {
  sites: 'code,type,name\nPLANT-1,plant,North plant\n',
  vessels: 'code,name\nFPSO-1,Alma\n',
  equipment: 'code,site,name,location,parent,status\nPUMP-1,FPSO-1,Crude oil pump 1,Main deck,,active\n',
  sensors:
    'id,equipment,metric,unit,low_low,low,high,high_high,deadband,missing_after_seconds\npump-1.temperature,PUMP-1,temperature,°C,,,95,105,2,900\n',
}
const HELP: Record<Kind, string> = {
  sites: 'Vessels, factories and plants, with their type.',
  vessels: 'Sites of the type vessel.',
  equipment: 'Its site must exist; the parent is the code of the equipment that it is a part of.',
  sensors: 'Their equipment must exist. An empty limit raises no alarm.',
}

export function isKind(value: string | null): value is Kind {
  return value !== null && Object.hasOwn(IMPORTS, value)
}

/** Whether a text is YAML instead of CSV: its first line that is no comment is an entry of a list or a key. */
function isYaml(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() && !line.startsWith('#'))
  return /^(---|- |[\w-]+:(\s|$))/.test(lines[0] ?? '')
}

export function Import(props: { kind: Kind; onKind: (kind: Kind) => void; onClose: () => void; onDone: () => void }) {
  const { kind } = props
  const [text, setText] = useState('')
  const [result, setResult] = useState<Result | null>(null)
  const yaml = isYaml(text)
  const send = useAction(async (content: string, check: boolean) => {
    setResult(null)
    const answer = await IMPORTS[kind](content, check)
    setResult(answer)
    if (!answer.stored) return
    toast(`${answer.created} created, ${answer.changed} changed, ${answer.unchanged} unchanged.`)
    props.onDone()
  })
  const edit = (content: string) => {
    setText(content)
    setResult(null)
    send.clear()
  }
  return (
    <Dialog title="Import from CSV" onClose={props.onClose} changed={text.trim() !== '' && text !== TEMPLATES[kind] && !result?.stored}>
      <SelectField
        label="What the file has"
        value={kind}
        options={Object.keys(IMPORTS)}
        help={HELP[kind]}
        onChange={(value) => {
          edit('')
          props.onKind(value as Kind)
        }}
      />
      <div class="row">
        <Button onClick={() => saveAs(new Response(TEMPLATES[kind]), `${kind}.csv`)}>Download a template</Button>
        <Button onClick={() => edit(TEMPLATES[kind])}>Begin with the template</Button>
      </div>
      <FileDrop
        label="CSV file"
        accept=".csv,text/csv"
        onFile={async (file) => {
          const content = await file.text()
          edit(content)
          if (!isYaml(content)) send.run(content, true)
        }}
      />
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          send.run(text, false)
        }}
      >
        <Field label="Content" help="The first row has the names of the columns. A row whose code or id exists changes it; an import that is repeated changes nothing.">
          {(attributes) => (
            <textarea {...attributes} class="file" wrap="off" spellcheck={false} value={text} placeholder={TEMPLATES[kind]} onInput={(event) => edit(event.currentTarget.value)} />
          )}
        </Field>
        {yaml && (
          <Note tone="warn">
            This is YAML, such as a blueprint has; it is applied by <code>sluice apply</code>. Here, a CSV file is imported: begin with the template.
          </Note>
        )}
        <ImportErrors error={send.error} text={text} />
        {result && <ImportResult result={result} />}
        <div class="row">
          <Button disabled={!text.trim() || yaml} busy={send.busy} onClick={() => send.run(text, true)}>
            Check
          </Button>
          <Button look="primary" type="submit" disabled={!text.trim() || yaml} busy={send.busy}>
            Import
          </Button>
          <Button onClick={props.onClose}>{result?.stored ? 'Done' : 'Cancel'}</Button>
        </div>
      </form>
    </Dialog>
  )
}

function ImportResult({ result }: { result: Result }) {
  const text = `${result.created} to create, ${result.changed} to change, ${result.unchanged} unchanged.`
  return (
    <div role="status">
      <Note>{result.stored ? `Imported: ${result.created} created, ${result.changed} changed, ${result.unchanged} unchanged.` : `The file is valid: ${text}`}</Note>
    </div>
  )
}

/** What the API says of the file, by row and column, with the line that it is about. */
function ImportErrors({ error, text }: { error: ApiError | undefined; text: string }) {
  const errors = error?.problem.errors?.filter((one) => 'row' in one && one.row) ?? []
  if (errors.length === 0) return <ProblemNote error={error} />
  const lines = text.split(/\r?\n/)
  return (
    <div role="alert" class="stack">
      <Note tone="bad">{error!.problem.detail} Mend the rows here, then check again.</Note>
      <div class="table-box">
        <table class="plain">
          <TableHead columns={[numeric('Row'), 'Column', 'What is wrong']} />
          <tbody>
            {errors.slice(0, 100).map((one) => (
              <tr key={one.pointer + one.message}>
                <td class="number">{one.row}</td>
                <td class="mono">{one.column}</td>
                <td>
                  {one.message}
                  <div class="muted mono">{lines[one.row! - 1]}</div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}
