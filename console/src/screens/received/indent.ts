/** JSON with line breaks and indents: only the blanks change, so every number keeps its digits. */
import type { Span } from './locate'

/**
 * @param span a part of the text; null if there is none.
 * @returns the indented text, and where the part is in it.
 */
export function indentJson(text: string, span: Span | null): { text: string; span: Span | null } {
  const parts: string[] = []
  let length = 0
  let depth = 0
  let [start, end] = [-1, -1]
  const put = (part: string) => {
    parts.push(part)
    length += part.length
  }
  const breakLine = () => put(`\n${'  '.repeat(depth)}`)
  const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g
  let previous = ''
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0]
    const closes = token === '}' || token === ']'
    if (closes) depth--
    if (previous === '{' || previous === '[' ? !closes : previous === ',' || (closes && previous !== '')) breakLine()
    if (span && start < 0 && match.index >= span.start) start = length
    put(token === ':' ? ': ' : token)
    if (span && match.index + token.length <= span.end) end = length
    if (token === '{' || token === '[') depth++
    previous = token
  }
  return { text: parts.join(''), span: span && start >= 0 && end >= start ? { start, end } : null }
}
