/** A report's document as YAML, with what the API says of it at the lines that it is about. */
import { useMemo, useState } from 'preact/hooks'
import { api, ok, ONLY_NEW, type Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { path, useArrival } from '../../router'
import { Conflict, useDraft } from '../../ui/conflict'
import { Editor } from '../../ui/editor'
import { Button, Panel } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { useOnceSaved, useUnsaved } from '../../unsaved'
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

type Report = Schemas['ReportView']
/** What the editor begins with if there is no report yet. */
const NOTHING = { etag: '', name: '' }

/** The part of a report that its author writes, as YAML. */
function textOf(report: Report | typeof NOTHING): string {
  if (!('sections' in report)) return NEW_REPORT
  const sections = report.sections.map(({ type, ...others }) => ({ type, ...others }))
  return toYaml({ title: report.title, description: report.description, sections })
}

/** The editor of a report; without one, of a new one. */
export function ReportEditor(props: { slug: string; report?: Report; onClose: () => void; onSaved?: () => void }) {
  const { slug, report } = props
  const arrive = useArrival()
  const draft = useDraft<Report | typeof NOTHING, string>(report ?? NOTHING, textOf)
  const text = draft.form
  const isNew = draft.base === NOTHING
  const [typed, setName] = useState('')
  const name = isNew ? typed : draft.base.name
  useUnsaved(draft.changed || (isNew && typed !== ''), ['new', 'edit'])
  const [broken, setBroken] = useState<Fault[]>([])
  // What was new has a page of its own from now on.
  const onceSaved = useOnceSaved(() => {
    if (!report) arrive(path`/projects/${slug}/reports/${name}`)
  })
  const save = useAction(async () => {
    const { value, faults } = fromYaml(text)
    setBroken(faults)
    if (faults.length > 0) return
    const params = { path: { slug, name }, header: isNew ? undefined : { 'If-Match': draft.base.etag } }
    const headers = isNew ? ONLY_NEW : {}
    const saved = await ok(api.PUT('/v1/projects/{slug}/reports/{name}', { params, headers, body: value as Schemas['Report'] }))
    toast(`The report ${saved.name} is saved. Run it to render it.`)
    draft.saved(saved, text)
    onceSaved()
    props.onSaved?.()
  })
  // At the text as it was sent: the lines change while somebody mends it.
  const faults = useMemo(() => [...broken, ...yamlFaults(text, save.error)], [broken, save.error])
  return (
    <Panel
      title={isNew ? 'New report' : 'Document'}
      actions={
        <>
          <Button onClick={props.onClose}>Close</Button>
          <Button look="primary" busy={save.busy} disabled={!isNew && !draft.changed} onClick={() => save.run()}>
            Save
          </Button>
        </>
      }
    >
      <div class="stack">
        {isNew && <NameField name={name} onInput={setName} error={save.error} help="Its name in addresses, such as weekly." />}
        <Editor label="Document of the report, as YAML" language="yaml" value={text} onChange={draft.setForm} onRun={() => save.run()} faults={faults} />
        {broken.length > 0 && (
          <p class="field">
            <span class="wrong" role="alert">
              Line {broken[0]!.line}: {broken[0]!.message}
            </span>
          </p>
        )}
        {!isNew && save.error?.status === 412 ? (
          <Conflict
            name={name}
            load={() => ok(api.GET('/v1/projects/{slug}/reports/{name}', { params: { path: { slug, name } } }))}
            text={textOf}
            onTake={(theirs) => (save.clear(), draft.begin(theirs))}
            onKeep={(theirs) => (save.clear(), draft.setBase(theirs))}
          />
        ) : (
          <OtherFaults error={save.error} shown={[]} />
        )}
      </div>
    </Panel>
  )
}
