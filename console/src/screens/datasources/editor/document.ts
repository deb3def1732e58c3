/**
 * A datasource's document as YAML: the text is the one truth, which the form changes in place, so that comments, the
 * order of fields and what the form does not know stay as they are.
 */
import { isNode, LineCounter, parseDocument, stringify } from 'yaml'

export type Path = (string | number)[]

/** What a text of YAML says; `fault` if it cannot be read. */
export interface Parsed {
  value: Record<string, unknown>
  fault?: { line: number; message: string }
}

/** Read a text. */
export function parse(text: string): Parsed {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  const error = document.errors[0]
  if (error) return { value: {}, fault: { line: counter.linePos(error.pos[0]).line, message: error.message.split('\n')[0]! } }
  const value: unknown = document.toJS()
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return { value: {}, fault: { line: 1, message: 'The document must have fields, such as `name: Prices`.' } }
  }
  return { value: value as Record<string, unknown> }
}

/** The value at a path; undefined if there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((parent, key) => (parent as Record<string | number, unknown> | null | undefined)?.[key], value)
}

/** The text with another value at a path; undefined removes it. The rest of the text stays as it is. */
export function change(text: string, path: Path, value: unknown): string {
  const document = parseDocument(text)
  if (document.errors.length > 0) return text
  if (value === undefined) document.deleteIn(path)
  else {
    // setIn fails below a scalar such as null.
    for (let length = 1; length < path.length; length++) {
      const parent = path.slice(0, length)
      const present = document.getIn(parent)
      if (present === null || present === undefined || typeof present !== 'object') document.setIn(parent, document.createNode({}))
    }
    document.setIn(path, document.createNode(value))
  }
  return document.toString({ lineWidth: 0 })
}

/** The line of what a JSON Pointer names, or of the nearest thing around it that is in the text; counted from 1. */
export function lineOf(text: string, pointer: string): number {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  const keys = pointer.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  for (let length = keys.length; length > 0; length--) {
    const node = document.getIn(keys.slice(0, length), true)
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line
  }
  return 1
}

/** What the API adds to a document when it shows it. */
const SHOWN_ONLY = ['slug', 'etag', 'created_at', 'updated_at', 'created_by']

/** The text to begin with when a stored document is edited: without what the API adds, and without what is null. */
export function textOf(stored: Record<string, unknown>): string {
  const fields = Object.entries(stored).filter(([name, value]) => !SHOWN_ONLY.includes(name) && value !== null)
  return stringify(Object.fromEntries(fields), { lineWidth: 0 })
}
