/** The whole document of a project as YAML, with the API's messages at its lines. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { ApiError } from '../../../api/client'
import { writeJson } from '../../../api/json'
import { LineCounter, parseDocument, stringify } from '../../../ui/editor/yaml'
import { Editor } from '../../../ui/editor'
import { Note, Panel } from '../../../ui/parts'
import type { Draft } from './document'

type Fault = { line: number; message: string }

export default function YamlPanel(props: {
  draft: Draft
  /** Called with the document, or with null while the text is none. */
  onChange: (draft: Draft | null) => void
  error: ApiError | undefined
  readOnly: boolean
}) {
  const [text, setText] = useState(() => stringify(props.draft))
  const [syntax, setSyntax] = useState<Fault[]>([])
  // The draft was changed elsewhere, such as by loading what somebody else has saved.
  useEffect(() => {
    if (writeJson(valueOf(text)) !== writeJson(props.draft)) setText(stringify(props.draft))
  }, [props.draft])
  const edit = (changed: string) => {
    setText(changed)
    const lines = new LineCounter()
    const document = parseDocument(changed, { lineCounter: lines })
    const faults = document.errors.map((error) => ({ line: lines.linePos(error.pos[0]).line, message: error.message }))
    const value: unknown = faults.length === 0 ? document.toJS() : null
    if (faults.length === 0 && !isDraft(value)) faults.push({ line: 1, message: 'A project has a name and a merge.' })
    setSyntax(faults)
    props.onChange(faults.length === 0 ? (value as Draft) : null)
  }
  const faults = useMemo(() => (syntax.length > 0 ? syntax : faultsOf(props.error, text)), [syntax, props.error, text])
  return (
    <Panel title="The document as YAML">
      <div class="stack">
        <Editor label="The project as YAML" language="yaml" value={text} onChange={edit} faults={faults} readOnly={props.readOnly} />
        {faults.length > 0 && (
          <Note tone="bad">
            <ul>
              {faults.map((fault) => (
                <li key={`${fault.line} ${fault.message}`}>
                  Line {fault.line}: {fault.message}
                </li>
              ))}
            </ul>
          </Note>
        )}
      </div>
    </Panel>
  )
}

function valueOf(text: string): unknown {
  const document = parseDocument(text)
  return document.errors.length === 0 ? document.toJS() : null
}

function isDraft(value: unknown): boolean {
  if (!value || typeof value !== 'object') return false
  const { name, merge } = value as Partial<Draft>
  return typeof name === 'string' && typeof merge === 'object' && merge !== null
}

/** The lines of the parts that the API's messages are about: of the nearest part that is there. */
function faultsOf(error: ApiError | undefined, text: string): Fault[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  return (error?.problem.errors ?? []).map(({ pointer, message }) => {
    const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    for (let length = parts.length; length > 0; length--) {
      const node = document.getIn(parts.slice(0, length).map((part) => (/^\d+$/.test(part) ? Number(part) : part)), true)
      const range = (node as { range?: [number, number, number] } | undefined)?.range
      if (range) return { line: lines.linePos(range[0]).line, message }
    }
    return { line: 1, message }
  })
}
