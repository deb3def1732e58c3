/** Where a value stands in the text of a page as it was received, by the pointer that `explain` cites. */

/** The characters from `start` up to `end`. */
export interface Span {
  start: number
  end: number
}

export type Form = 'json' | 'jsonl' | 'csv' | 'xml' | 'text'

/** The form of a text, by its beginning. */
export function formOf(text: string): Form {
  const start = text.trimStart()
  if (start.startsWith('<')) return 'xml'
  if (!/^[[{]/.test(start)) return /[,;\t|]/.test(start.split('\n', 1)[0] ?? '') ? 'csv' : 'text'
  const end = skipValue(text, text.length - start.length)
  return text.slice(end).trim() === '' ? 'json' : 'jsonl'
}

/**
 * Find a value.
 *
 * @param pointer a JSON Pointer; `/3/name` of record 3 of CSV or JSON Lines; XPath for XML.
 * @returns the span of the value; null if the text has nothing there.
 */
export function locate(text: string, form: Form, pointer: string): Span | null {
  if (form === 'xml') return locateElement(text, pointer)
  const steps = pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (form === 'json') return locateJson(text, skipBlanks(text, 0), steps)
  if (form === 'csv') return locateCsv(text, steps)
  return form === 'jsonl' ? locateLine(text, steps) : null
}

function skipBlanks(text: string, at: number): number {
  while (at < text.length && ' \t\r\n\ufeff'.includes(text[at]!)) at++
  return at
}

function skipString(text: string, at: number): number {
  for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
  return at + 1
}

/** The end of the JSON value that begins here. */
function skipValue(text: string, at: number): number {
  if (text[at] === '"') return skipString(text, at)
  if (text[at] !== '{' && text[at] !== '[') {
    while (at < text.length && !',]} \t\r\n'.includes(text[at]!)) at++
    return at
  }
  let depth = 0
  for (; at < text.length; at++) {
    const character = text[at]!
    if (character === '"') at = skipString(text, at) - 1
    else if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1
  }
  return at
}

function locateJson(text: string, start: number, steps: string[]): Span | null {
  const [step, ...rest] = steps
  if (step === undefined) return { start, end: skipValue(text, start) }
  const isObject = text[start] === '{'
  if (!isObject && text[start] !== '[') return null
  let at = skipBlanks(text, start + 1)
  let found: number | null = null
  for (let index = 0; at < text.length && text[at] !== '}' && text[at] !== ']'; index++) {
    let name = String(index)
    if (isObject) {
      const end = skipString(text, at)
      name = unquoted(text.slice(at, end))
      at = skipBlanks(text, skipBlanks(text, end) + 1)
    }
    // Of a repeated key the last value counts, as for parsers.
    if (name === step) found = at
    if (found !== null && !isObject) break
    at = skipBlanks(text, skipValue(text, at))
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return found === null ? null : locateJson(text, found, rest)
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1)
  }
}

function locateLine(text: string, [number, ...steps]: string[]): Span | null {
  let at = skipBlanks(text, 0)
  for (let line = 0; at < text.length; line++) {
    if (line === Number(number)) return locateJson(text, at, steps)
    const end = text.indexOf('\n', at)
    if (end < 0) return null
    at = skipBlanks(text, end)
  }
  return null
}

/** The cells of the line of CSV that begins here, and where the next one begins. */
function csvLine(text: string, at: number, delimiter: string): { cells: Span[]; next: number } {
  const cells: Span[] = []
  for (;;) {
    const start = at
    if (text[at] === '"') {
      for (at++; at < text.length && (text[at] !== '"' || text[at + 1] === '"'); at++) if (text[at] === '"') at++
      at++
    }
    while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++
    cells.push({ start, end: at })
    if (text[at] !== delimiter) break
    at++
  }
  if (text[at] === '\r') at++
  if (text[at] === '\n') at++
  return { cells, next: at }
}

/** The lines of CSV that are not blank, as spans of their cells; the first is the header. */
function csvSpans(text: string): Span[][] {
  const delimiter = csvDelimiter(text)
  const lines: Span[][] = []
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; ) {
    const { cells, next } = csvLine(text, at, delimiter)
    if (cells.length > 1 || cells[0]!.end > cells[0]!.start) lines.push(cells)
    at = next
  }
  return lines
}

/** The lines of CSV as texts; the first is the header. */
export function csvRows(text: string): string[][] {
  return csvSpans(text).map((cells) => cells.map(({ start, end }) => cellText(text.slice(start, end))))
}

function cellText(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
}

function locateCsv(text: string, [number, column]: string[]): Span | null {
  const [header, ...lines] = csvSpans(text)
  const cells = lines[Number(number)]
  if (!header || !cells) return null
  if (column === undefined) return { start: cells[0]!.start, end: cells.at(-1)!.end }
  const names = header.map(({ start, end }) => cellText(text.slice(start, end)).trim().toLowerCase())
  return cells[names.indexOf(column.toLowerCase())] ?? null
}

/** The delimiter that the header has most of. */
function csvDelimiter(text: string): string {
  const header = text.split('\n', 1)[0] ?? ''
  const count = (delimiter: string) => header.split(delimiter).length
  return [',', ';', '\t', '|'].reduce((best, one) => (count(one) > count(best) ? one : best))
}

const TAG = /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|<![^>]*>|<(\/?)([^\s/>]+)((?:"[^"]*"|'[^']*'|[^"'>])*?)(\/?)>/g

/** An element, its text or an attribute, by an XPath such as `/rates/day[2]/@date`. */
function locateElement(text: string, pointer: string): Span | null {
  const steps = pointer.split('/').filter(Boolean)
  const last = steps.at(-1)
  const attribute = last?.startsWith('@') ? last.slice(1) : null
  const elements = steps.filter((step) => !step.startsWith('@') && step !== 'text()')
  const wanted = elements.map((step) => (/\[\d+\]$/.test(step) ? step : `${step}[1]`)).join('/')
  const counts: Record<string, number>[] = [{}]
  const open: { path: string; inner: number }[] = []
  for (const match of text.matchAll(TAG)) {
    const [whole, closing, name, attributes = '', empty] = match
    if (name === undefined) continue
    if (closing) {
      const element = open.pop()
      counts.pop()
      if (element?.path === wanted) return { start: element.inner, end: match.index }
      continue
    }
    const number = (counts.at(-1)![name] = (counts.at(-1)![name] ?? 0) + 1)
    const path = [...(open.length ? [open.at(-1)!.path] : []), `${name}[${number}]`].join('/')
    const after = match.index + whole.length
    if (path === wanted && attribute !== null) return attributeSpan(attributes, attribute, match.index + 1 + name.length)
    if (path === wanted && empty) return { start: match.index, end: after }
    if (empty) continue
    open.push({ path, inner: after })
    counts.push({})
  }
  return null
}

function attributeSpan(attributes: string, name: string, offset: number): Span | null {
  for (const match of attributes.matchAll(/([^\s=]+)\s*=\s*("[^"]*"|'[^']*')/g)) {
    if (match[1] !== name) continue
    const start = offset + match.index + match[0].length - match[2]!.length + 1
    return { start, end: start + match[2]!.length - 2 }
  }
  return null
}
