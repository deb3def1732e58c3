/** A report's document as YAML, with what the API says of it at the lines that it is about. */
import { useMemo, useState } from 'preact/hooks'
import { api, ok, ONLY_NEW, type Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { path, useArrival } from '../../router'
import { Conflict } from '../../ui/conflict'
import { Editor } from '../../ui/editor'
import { Button, Panel } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { useUnsaved } from '../../unsaved'
import { fromYaml, toYaml, yamlFaults } from '../sql/document'
import { NameField, OtherFaults } from '../sql/parts'
import type { Fault } from '../sql/query'

const NEW_REPORT = `title: New report
sections:
  - type: markdown
    text: What this report shows, and for whom.
  - type: table
    title: First rows
    sql: |
      SELECT * FROM merged
      LIMIT 20
`

/** The part of a report that its author writes, as YAML. */
function textOf(report: Schemas['ReportView']): string {
  const sections = report.sections.map(({ type, ...others }) => ({ type, ...others }))
  return toYaml({ title: report.title, description: report.description, sections })
}

/** The editor of a report; without one, of a new one. */
export function ReportEditor(props: { slug: string; report?: Schemas['ReportView']; onClose: () => void; onSaved: () => void }) {
  const { slug, report } = props
  const arrive = useArrival()
  // The report whose text the editor began with.
  const [base, setBase] = useState(report)
  const first = base ? textOf(base) : NEW_REPORT
  const [name, setName] = useState('')
  const [text, setText] = useState(first)
  useUnsaved(text !== first || name !== '', ['new', 'edit'])
  const [broken, setBroken] = useState<Fault[]>([])
  const save = useAction(async () => {
    const { value, faults } = fromYaml(text)
    setBroken(faults)
    if (faults.length > 0) return
    const params = { path: { slug, name: report?.name ?? name }, header: base && { 'If-Match': base.etag } }
    const headers = base ? {} : ONLY_NEW
    const saved = await ok(api.PUT('/v1/projects/{slug}/reports/{name}', { params, headers, body: value as Schemas['Report'] }))
    toast(`The report ${saved.name} is saved. Run it to render it.`)
    if (report) {
      setBase(saved)
      // What was typed meanwhile stays.
      setText((present) => (present === text ? textOf(saved) : present))
      props.onSaved()
    } else arrive(path`/projects/${slug}/reports/${saved.name}`)
  })
  // At the text as it was sent: the lines change while somebody mends it.
  const faults = useMemo(() => [...broken, ...yamlFaults(text, save.error)], [broken, save.error])
  return (
    <Panel
      title={report ? 'Document' : 'New report'}
      actions={
        <>
          <Button onClick={props.onClose}>Close</Button>
          <Button look="primary" busy={save.busy} disabled={base && text === first} onClick={() => save.run()}>
            Save
          </Button>
        </>
      }
    >
      <div class="stack">
        {!report && <NameField name={name} onInput={setName} error={save.error} help="Its name in addresses, such as weekly." />}
        <Editor label="Document of the report, as YAML" language="yaml" value={text} onChange={setText} onRun={() => save.run()} faults={faults} />
        {broken.length > 0 && (
          <p class="field">
            <span class="wrong" role="alert">
              Line {broken[0]!.line}: {broken[0]!.message}
            </span>
          </p>
        )}
        {base && save.error?.status === 412 ? (
          <Conflict
            name={base.name}
            load={() => ok(api.GET('/v1/projects/{slug}/reports/{name}', { params: { path: { slug, name: base.name } } }))}
            text={textOf}
            onTake={(theirs) => (save.clear(), setBase(theirs), setText(textOf(theirs)))}
            onKeep={(theirs) => (save.clear(), setBase(theirs))}
          />
        ) : (
          <OtherFaults error={save.error} shown={[]} />
        )}
      </div>
    </Panel>
  )
}
