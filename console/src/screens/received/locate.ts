/**
 * Where a value stands in the text of a page as it was received, by the pointer that `explain` cites.
 *
 * Upstreams decide what the text is, and it may be cut off or malformed: each character is looked at a few times
 * at most, whatever it is.
 */

/** The characters from `start` up to `end`. */
export interface Span {
  start: number
  end: number
}

// No parser of the platform reads anything that is nested more deeply.
const MOST_STEPS = 1000

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
 * @param delimiter of CSV; null: the one that the header has most of.
 * @returns the span of the value; null if the text has nothing there.
 */
export function locate(text: string, form: Form, pointer: string, delimiter: string | null): Span | null {
  if (form === 'xml') return locateElement(text, pointer)
  const steps = pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (steps.length > MOST_STEPS) return null
  if (form === 'json') return locateJson(text, skipBlanks(text, 0), steps).span
  if (form === 'csv') return locateCsv(text, steps, delimiter)
  return form === 'jsonl' ? locateLine(text, steps) : null
}

function skipBlanks(text: string, at: number): number {
  while (at < text.length && ' \t\r\n\ufeff'.includes(text[at]!)) at++
  return at
}

/** The end of the string that begins here; that of the text if it is not closed. */
export function skipString(text: string, at: number): number {
  for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
  return Math.min(at + 1, text.length)
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

/** The span of a part of the JSON value that begins here, and the end of the value. */
function locateJson(text: string, start: number, steps: string[], depth = 0): { span: Span | null; end: number } {
  const step = steps[depth]
  const isObject = text[start] === '{'
  if (step === undefined || (!isObject && text[start] !== '[')) {
    const end = skipValue(text, start)
    return { span: step === undefined ? { start, end } : null, end }
  }
  let span: Span | null = null
  let at = skipBlanks(text, start + 1)
  for (let index = 0; at < text.length && text[at] !== '}' && text[at] !== ']'; index++) {
    let name = String(index)
    if (isObject) {
      const end = skipString(text, at)
      name = unquoted(text.slice(at, end))
      at = skipBlanks(text, skipBlanks(text, end) + 1)
    }
    // Of a repeated key the last value counts, as for parsers.
    const value: { span: Span | null; end: number } =
      name === step ? locateJson(text, at, steps, depth + 1) : { span, end: skipValue(text, at) }
    span = value.span
    at = skipBlanks(text, value.end)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return { span, end: Math.min(at + 1, text.length) }
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
    if (line === Number(number)) return locateJson(text, at, steps).span
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
function* csvSpans(text: string, declared: string | null): Generator<Span[]> {
  // A declared blank stands for any number of blanks, by which the cells could be taken for others.
  const delimiter = declared === null || declared === ' ' ? csvDelimiter(text) : declared
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; ) {
    const { cells, next } = csvLine(text, at, delimiter)
    if (cells.length > 1 || cells[0]!.end > cells[0]!.start) yield cells
    at = next
  }
}

function cellText(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
}

function locateCsv(text: string, [number, column]: string[], delimiter: string | null): Span | null {
  let header: Span[] | undefined
  let cells: Span[] | undefined
  let line = -1
  for (const present of csvSpans(text, delimiter)) {
    header ??= present
    cells = present
    if (line++ === Number(number)) break
  }
  if (!header || !cells || line !== Number(number) + 1) return null
  if (column === undefined) return { start: cells[0]!.start, end: cells.at(-1)!.end }
  const names = header.map(({ start, end }) => cellText(text.slice(start, end)).trim().toLowerCase())
  return cells[names.indexOf(column.toLowerCase())] ?? null
}

/** The delimiter that the header has most of, but for those within quotes. */
function csvDelimiter(text: string): string {
  const counts = new Map([',', ';', '\t', '|'].map((delimiter) => [delimiter, 0]))
  let quoted = false
  for (let at = 0; at < text.length && (quoted || text[at] !== '\n'); at++) {
    const character = text[at]!
    if (character === '"') quoted = !quoted
    else if (!quoted && counts.has(character)) counts.set(character, counts.get(character)! + 1)
  }
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

interface Tag {
  start: number
  end: number
  name: string
  kind: 'open' | 'close' | 'empty'
}

const NOT_ELEMENTS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
  ['<!', '>'],
] as const
const NAME = /<\/?([^\s/>]+)/y

/** The tags of elements; they end where something is not closed. */
function* tagsOf(text: string): Generator<Tag> {
  let start = text.indexOf('<')
  while (start >= 0) {
    const other = NOT_ELEMENTS.find(([begin]) => text.startsWith(begin, start))
    const end: number = other ? text.indexOf(other[1], start + other[0].length) : tagEnd(text, start)
    if (end < 0) return
    NAME.lastIndex = start
    const name = other ? undefined : NAME.exec(text)?.[1]
    const kind = text[start + 1] === '/' ? 'close' : text[end - 1] === '/' ? 'empty' : 'open'
    if (name !== undefined) yield { start, end: end + 1, name, kind }
    start = text.indexOf('<', end + (other ? other[1].length : 1))
  }
}

/** Where the `>` of a tag is, which may have others within quotes; -1 if there is none. */
function tagEnd(text: string, at: number): number {
  for (; at < text.length && text[at] !== '>'; at++) {
    if (text[at] !== '"' && text[at] !== "'") continue
    at = text.indexOf(text[at]!, at + 1)
    if (at < 0) return -1
  }
  return at < text.length ? at : -1
}

/** An element, its text or an attribute, by an XPath such as `/rates/day[2]/@date`. */
function locateElement(text: string, pointer: string): Span | null {
  const steps = pointer.split('/').filter(Boolean)
  const last = steps.at(-1)
  const attribute = last?.startsWith('@') ? last.slice(1) : null
  const elements = steps.filter((step) => !step.startsWith('@') && step !== 'text()')
  const wanted = elements.map((step) => (/\[\d+\]$/.test(step) ? step : `${step}[1]`))
  // Of each open element: how many of its names are on the wanted path, and how many children of each name it has.
  const open = [{ inner: 0, fits: 0, children: new Map<string, number>() }]
  for (const { start, end, name, kind } of tagsOf(text)) {
    const parent = open.at(-1)!
    if (kind === 'close') {
      if (open.length > 1 && parent.fits === wanted.length && open.length === wanted.length + 1) return { start: parent.inner, end: start }
      if (open.length > 1) open.pop()
      continue
    }
    const number = (parent.children.get(name) ?? 0) + 1
    parent.children.set(name, number)
    const isOnPath = parent.fits === open.length - 1 && wanted[parent.fits] === `${name}[${number}]`
    const fits = isOnPath ? parent.fits + 1 : parent.fits
    const isWanted = isOnPath && fits === wanted.length
    if (isWanted && attribute !== null) return attributeSpan(text.slice(start, end), attribute, start)
    if (isWanted && kind === 'empty') return { start, end }
    if (kind === 'open') open.push({ inner: end, fits, children: new Map() })
  }
  return null
}

function attributeSpan(tag: string, name: string, offset: number): Span | null {
  // A word without a value is taken, too, so that it is not tried again from each of its letters.
  for (const match of tag.matchAll(/([^\s=]+)(?:\s*=\s*("[^"]*"|'[^']*'))?/g)) {
    if (match[1] !== name || match[2] === undefined) continue
    const start = offset + match.index + match[0].length - match[2].length + 1
    return { start, end: start + match[2].length - 2 }
  }
  return null
}
