/** A document as YAML, with each fault at its line. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Editor } from '../../ui/editor'
import { Note } from '../../ui/parts'
import { useUnsaved } from '../../unsaved'
import type { Fault } from './faults'
import type { Document } from './kinds'

type Yaml = typeof import('../../ui/editor/yaml')
const PARAMETERS = ['part', 'version', 'new', 'view', 'table']

export function YamlDocument(props: { document: Document; faults: Fault[]; readOnly: boolean; onChange: (document: Document) => void }) {
  const [yaml, setYaml] = useState<Yaml | null>(null)
  useEffect(() => void import('../../ui/editor/yaml').then(setYaml), [])
  return yaml ? <Loaded {...props} yaml={yaml} /> : <div class="loading" role="status">Loading the editor …</div>
}

function Loaded({ yaml, document, faults, readOnly, onChange }: Parameters<typeof YamlDocument>[0] & { yaml: Yaml }) {
  const [text, setText] = useState(() => yaml.stringify(document))
  const [wrong, setWrong] = useState<string | null>(null)
  // What is no document stays in this editor only.
  useUnsaved(wrong !== null, PARAMETERS)
  // Those that were typed here: a document that was dropped, or put back, replaces the text.
  const own = useRef(new WeakSet<Document>([document]))
  useEffect(() => {
    if (own.current.has(document)) return
    own.current.add(document)
    setText(yaml.stringify(document))
  }, [document])
  const change = (entered: string) => {
    setText(entered)
    try {
      const value = yaml.parse(entered)
      if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('The document must be an object.')
      setWrong(null)
      own.current.add(value as Document)
      onChange(value as Document)
    } catch (error) {
      setWrong((error as Error).message)
    }
  }
  const marked = useMemo(() => faults.filter((fault) => !fault.changed).map((fault) => ({ line: lineOf(yaml, text, fault.pointer), message: fault.message })), [faults, text])
  return (
    <div class="stack">
      {wrong && <Note tone="bad">This is not valid YAML yet, and the last valid text counts. {wrong}</Note>}
      <Editor label="The document as YAML" language="yaml" value={text} onChange={(entered) => entered !== text && change(entered)} faults={marked} readOnly={readOnly} />
    </div>
  )
}

function lineOf(yaml: Yaml, text: string, pointer: string): number {
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { lineCounter: lines })
  const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  for (let length = parts.length; length > 0; length--) {
    const node = document.getIn(parts.slice(0, length).map((part) => (/^\d+$/.test(part) ? Number(part) : part)), true) ?? document.getIn(parts.slice(0, length), true)
    const range = (node as { range?: [number, number, number] } | undefined)?.range
    if (range) return lines.linePos(range[0]).line
  }
  return 1
}
