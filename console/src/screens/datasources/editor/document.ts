/**
 * The document of a datasource as YAML text, which the form and the text editor share.
 *
 * The text is the only state. The form reads its values from it and changes them in it, so that comments, the
 * order of the fields, and what the form does not know stay as they are.
 */
import { ApiError } from '../../../api/client'
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, stringify } from '../../../ui/editor/yaml'

export type Path = (string | number)[]
export interface LineFault {
  line: number
  message: string
}

export interface Parsed {
  /** The document as JSON; undefined while the text is no YAML, or no mapping. */
  value: Record<string, unknown> | undefined
  /** Why the text cannot be read. */
  faults: LineFault[]
}

/** Read the text. */
export function parse(text: string): Parsed {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const faults = document.errors.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    message: error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''),
  }))
  if (faults.length > 0) return { value: undefined, faults }
  if (document.contents !== null && !isMap(document.contents)) {
    return { value: undefined, faults: [{ line: 1, message: 'The document must be a mapping, such as "name: Coins".' }] }
  }
  return { value: (document.toJS() as Record<string, unknown> | null) ?? {}, faults: [] }
}

/** The value at a path; undefined if there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, key) => (part as Record<string, unknown> | null | undefined)?.[key], value)
}

/** The text with a value set at a path, or removed by `undefined`; mappings that become empty are removed, too. */
export function withValue(text: string, path: Path, value: unknown): string {
  const document = parseDocument(text)
  if (value === undefined) remove(document, path)
  else {
    prepare(document, path)
    document.setIn(path, document.createNode(value))
  }
  const { contents } = document
  return isMap(contents) && contents.items.length === 0 ? '' : write(document)
}

function write(document: Document): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

/** Replace what is no mapping on the way to a path, such as `http: null`. */
function prepare(document: Document, path: Path): void {
  if (!isMap(document.contents)) document.contents = document.createNode({}) as typeof document.contents
  for (let length = 1; length < path.length; length++) {
    const part = path.slice(0, length)
    if (!isMap(document.getIn(part, true))) document.setIn(part, document.createNode({}))
  }
}

function remove(document: Document, path: Path): void {
  if (!document.hasIn(path)) return
  document.deleteIn(path)
  const parent = path.slice(0, -1)
  const rest = parent.length > 0 ? document.getIn(parent, true) : null
  if (isMap(rest) && rest.items.length === 0) remove(document, parent)
}

/** The lines of the text that an API's problem is about: of each field, or of the nearest one around it. */
export function faultsOf(text: string, error: ApiError | undefined): LineFault[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const faults = (error?.problem.errors ?? []).map((fault) => {
    const path = pathOf(fault.pointer)
    const offset = offsetOf(document, path)
    const line = offset === null ? 1 : lines.linePos(offset.start).line
    // A message at a mapping must say which of its fields it means.
    const missing = offset === null || offset.depth < path.length
    return { line, message: missing ? `${fault.pointer}: ${fault.message}` : fault.message }
  })
  return faults.sort((one, other) => one.line - other.line)
}

/** An API's problem with an earlier text, without what it says of values that have been changed since. */
export function stillTrue(error: ApiError | undefined, asked: string, text: string): ApiError | undefined {
  if (!error || asked === text || !error.problem.errors) return error
  const [before, present] = [parse(asked).value, parse(text).value]
  const errors = error.problem.errors.filter(({ pointer }) => {
    const path = pathOf(pointer)
    return JSON.stringify(valueAt(before, path)) === JSON.stringify(valueAt(present, path))
  })
  return new ApiError(error.status, { ...error.problem, errors })
}

/** The parts of a JSON Pointer. */
export function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** A path as a JSON Pointer. */
export function pointerOf(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function offsetOf(document: Document, path: string[]): { start: number; depth: number } | null {
  let found: { start: number; depth: number } | null = null
  let node: unknown = document.contents
  for (const [index, key] of path.entries()) {
    let next: unknown
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && String(isScalar(item.key) ? item.key.value : item.key) === key)
      const name = pair?.key
      if (!pair || !isNode(name) || !name.range) break
      found = { start: name.range[0], depth: index + 1 }
      next = pair.value
    } else {
      next = (node as { get?: (key: number, keep: boolean) => unknown } | null)?.get?.(Number(key), true)
      if (!isNode(next) || !next.range) break
      found = { start: next.range[0], depth: index + 1 }
    }
    node = next
  }
  return found
}

/** A document as YAML text. */
export function textOf(document: unknown): string {
  return stringify(document, { lineWidth: 0, flowCollectionPadding: false })
}
