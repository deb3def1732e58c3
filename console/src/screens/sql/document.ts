/** Documents as YAML: what the editor shows of one, and at which lines it is wrong. */
import type { ApiError } from '../../api/client'
import { isNested } from '../../api/json'
import { isNode, isScalar, LineCounter, parseDocument, stringify, type Document } from '../../ui/editor/yaml'
import type { Fault } from './query'

/** A document as YAML, without its nulls and its empty lists and objects. */
export function toYaml(document: unknown): string {
  return stringify(document, { lineWidth: 0 }, filled)
}

/** The same in one line. */
export function toYamlLine(document: unknown): string {
  return stringify(document, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }, filled)
}

function filled(_: unknown, value: unknown): unknown {
  return isEmpty(value) ? undefined : value
}

function isEmpty(value: unknown): boolean {
  return isNested(value) ? Object.keys(value).length === 0 : value === null
}

/** The value of a YAML text, or what is wrong with the text. */
export function fromYaml(text: string): { value: unknown; faults: Fault[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const faults = document.errors.map((error) => ({ line: lines.linePos(error.pos[0]).line, message: error.message }))
  return { value: faults.length > 0 ? null : document.toJS(), faults }
}

/**
 * The faults that the API found in a document, at their lines of its YAML.
 *
 * @param under the pointer to what the text holds, such as `/tests`; the whole document without it.
 */
export function yamlFaults(text: string, error: ApiError | undefined, under = ''): Fault[] {
  const faults = error?.problem.errors?.filter(({ pointer }) => pointer.startsWith(under)) ?? []
  if (faults.length === 0) return []
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  return faults.map(({ pointer, message }) => {
    const names = pointer.slice(under.length).split('/').slice(1).map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    return { line: lineOf(document, lines, names, message), message }
  })
}

function lineOf(document: Document, lines: LineCounter, names: string[], message: string): number {
  // Where a field is missing, the place is that of its parent.
  for (let depth = names.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(names.slice(0, depth), true)
    if (!isNode(node) || !node.range) continue
    const line = lines.linePos(node.range[0]).line
    const inSql = /\bline (\d+)/i.exec(message)
    if (depth < names.length || !inSql || !isScalar(node)) return line
    const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
    return line + Number(inSql[1]) - (isBlock ? 0 : 1)
  }
  return 1
}
