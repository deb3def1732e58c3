/** JSON with line breaks and indents: only the blanks change, so every number keeps its digits. */
import { skipString, type Span } from './locate'

// Deep nesting needs more blanks than there is text: what would grow beyond this is nothing to read.
const MOST_GROWTH = 20
const WORD = /[^\s{}[\],:"]+/y
const BLANK = /\s+/y

/**
 * @param span a part of the text; null if there is none.
 * @returns the indented text, and where the part is in it; null if it is nested too deeply.
 */
export function indentJson(text: string, span: Span | null): { text: string; span: Span | null } | null {
  const parts: string[] = []
  let length = 0
  let depth = 0
  let [start, end] = [-1, -1]
  const put = (part: string) => {
    parts.push(part)
    length += part.length
  }
  let previous = ''
  for (const { token, at } of tokensOf(text)) {
    const closes = token === '}' || token === ']'
    if (closes) depth = Math.max(0, depth - 1)
    if (previous === '{' || previous === '[' ? !closes : previous === ',' || (closes && previous !== '')) {
      if (length + 2 * depth > MOST_GROWTH * text.length) return null
      put(`\n${'  '.repeat(depth)}`)
    }
    if (span && start < 0 && at >= span.start) start = length
    put(token === ':' ? ': ' : token)
    if (span && at + token.length <= span.end) end = length
    if (token === '{' || token === '[') depth++
    previous = token
  }
  return { text: parts.join(''), span: span && start >= 0 && end >= start ? { start, end } : null }
}

/** The words, texts and brackets of JSON, each character looked at once: a page may be cut off anywhere. */
function* tokensOf(text: string): Generator<{ token: string; at: number }> {
  const endOf = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at
    return pattern.test(text) ? pattern.lastIndex : at
  }
  for (let at = endOf(BLANK, 0), end; at < text.length; at = endOf(BLANK, end)) {
    end = text[at] === '"' ? skipString(text, at) : Math.max(at + 1, endOf(WORD, at))
    yield { token: text.slice(at, end), at }
  }
}
