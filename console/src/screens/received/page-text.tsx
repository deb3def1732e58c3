/** A page as it was received, with one value highlighted: its surroundings first, the whole page on demand. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Button } from '../../ui/parts'
import { formatBytes, formatNumber } from '../../ui/values'
import { visible } from '../../ui/visible'
import type { Content } from './content'
import { indentJson } from './indent'
import { formOf, locate, type Form, type Span } from './locate'
import './received.css'

// Lines before and after the value, and without one from the beginning.
const AROUND = 9
const BEGINNING = 40
// Of a longer line only the part around the value is drawn.
const LONGEST_LINE = 1200
// Colours cost an element for each word.
const MOST_COLOURED_LINES = 3000
const MOST_COLOURED = 20_000
const NOT_LONG = 200_000
// Formatting is for reading; beyond this nobody reads the whole.
const MOST_FORMATTED = 3_000_000
const FORM_NAMES: Record<Form, string> = { json: 'JSON', jsonl: 'JSON Lines', csv: 'CSV', xml: 'XML', text: 'text' }

/**
 * @param pointer where the value is; null: nothing is highlighted.
 * @param whole whether a page that is not long is shown whole from the beginning.
 */
export function PageText(props: { content: Content; pointer: string | null; name: string; whole?: boolean }) {
  const { content, pointer } = props
  if (content.text === null) {
    return (
      <p>
        This page is {content.packed} ({formatBytes(content.bytes)}), so it is not shown as text.
        {pointer && (
          <>
            {' '}
            The value is at <code>{pointer}</code>.
          </>
        )}
      </p>
    )
  }
  return <Text key={pointer} text={content.text} content={content} pointer={pointer} name={props.name} startWhole={props.whole ?? false} />
}

type TextProps = { text: string; content: Content; pointer: string | null; name: string; startWhole: boolean }

function Text({ text, content, pointer, name, startWhole }: TextProps) {
  const form = useMemo(() => formOf(text), [text])
  const span = useMemo(() => (pointer === null ? null : locate(text, form, pointer, content.delimiter)), [text, form, pointer])
  const mayFormat = form === 'json' && text.length <= MOST_FORMATTED
  const [formatted, setFormatted] = useState(mayFormat && text.split('\n', 3).length < 3)
  const indented = useMemo(() => (formatted ? indentJson(text, span) : null), [formatted, text, span])
  const shown = useMemo(() => indented ?? { text, span }, [indented, text, span])
  const lines = useMemo(() => lineStarts(shown.text), [shown.text])
  const [whole, setWhole] = useState(startWhole && text.length < NOT_LONG && lines.length <= MOST_COLOURED_LINES)
  const window = whole ? { first: 0, last: lines.length } : surroundings(lines, shown.span)
  const cut = window.last - window.first < lines.length
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const mark = box.current!.querySelector('mark')
    if (mark) box.current!.scrollTop = mark.offsetTop - box.current!.clientHeight / 2
  }, [shown, whole])
  return (
    <div class={`received ${startWhole ? 'tall' : ''}`}>
      <div class="row spread received-bar">
        <span class="muted">
          {FORM_NAMES[form]}
          {content.packed === 'gzip' && ', unpacked from gzip'}
          {content.encoding && `, read as ${content.encoding}`}, {formatBytes(content.bytes)},{' '}
          {lines.length === 1 ? '1 line' : `${formatNumber(lines.length)} lines`}
        </span>
        <span class="row">
          {mayFormat && !(formatted && !indented) && (
            <Button look="quiet" aria-pressed={formatted} onClick={() => setFormatted(!formatted)}>
              {formatted ? 'Show as received' : 'Show with line breaks'}
            </Button>
          )}
          {(cut || whole) && (
            <Button look="quiet" onClick={() => setWhole(!whole)}>
              {!whole ? 'Show the whole page' : span ? 'Show only the surroundings' : 'Show only the beginning'}
            </Button>
          )}
        </span>
      </div>
      {pointer !== null && !span && (
        <p class="received-missing">
          The value cannot be marked in this text. It is at <code>{pointer || 'the top'}</code>.
        </p>
      )}
      <div ref={box} class="received-text" tabIndex={0} role="region" aria-label={name}>
        {window.first > 0 && <Skipped lines={window.first} />}
        <ol style={{ counterSet: `line ${window.first}` }}>
          {lines.slice(window.first, window.last).map((start, index) => (
            <Line
              key={start}
              text={shown.text}
              line={lineAt(shown.text, lines, window.first + index)}
              span={shown.span}
              coloured={form !== 'text' && window.last - window.first <= MOST_COLOURED_LINES}
              whole={whole}
            />
          ))}
        </ol>
        {window.last < lines.length && <Skipped lines={lines.length - window.last} />}
      </div>
    </div>
  )
}

function Skipped({ lines }: { lines: number }) {
  return <div class="received-skipped">{lines === 1 ? '1 more line' : `${formatNumber(lines)} more lines`}</div>
}

/** Where the lines begin: a number for each, since a page may have millions of them. */
function lineStarts(text: string): number[] {
  const starts = [0]
  for (let end = text.indexOf('\n'); end >= 0 && end + 1 < text.length; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return starts
}

function lineAt(text: string, starts: number[], index: number): Span {
  const following = starts[index + 1] ?? (text.endsWith('\n') ? text.length : text.length + 1)
  return { start: starts[index]!, end: following - 1 }
}

function surroundings(starts: number[], span: Span | null): { first: number; last: number } {
  if (!span) return { first: 0, last: Math.min(starts.length, BEGINNING) }
  const lineOf = (at: number) => starts.findLastIndex((start) => start <= at)
  const [at, end] = [lineOf(span.start), lineOf(span.end)]
  return { first: Math.max(0, at - AROUND), last: Math.min(starts.length, Math.min(end, at + BEGINNING) + AROUND + 1) }
}

/** A line, its marked part, and its words in colours. */
function Line(props: { text: string; line: Span; span: Span | null; coloured: boolean; whole: boolean }) {
  const { text, span, coloured } = props
  let { start, end } = props.line
  const marked = span && span.start <= end && span.end >= start ? { start: Math.max(span.start, start), end: Math.min(span.end, end) } : null
  const [before, after] = [start, end]
  if (!props.whole && end - start > LONGEST_LINE) {
    const middle = marked ? marked.start : start
    start = Math.max(start, middle - LONGEST_LINE / 2)
    end = Math.min(end, Math.max(start + LONGEST_LINE, marked ? Math.min(marked.end, marked.start + LONGEST_LINE) : 0))
  }
  const show = (from: number, to: number) => (coloured && to - from <= MOST_COLOURED ? colours(text.slice(from, to)) : visible(text.slice(from, to)))
  return (
    <li class={marked ? 'marked' : ''}>
      {start > before && <span class="received-cut">… {formatNumber(start - before)} characters … </span>}
      {marked ? (
        <>
          {show(start, marked.start)}
          <mark>{visible(text.slice(marked.start, Math.min(marked.end, end)))}</mark>
          {show(Math.min(marked.end, end), end)}
        </>
      ) : (
        show(start, end)
      )}
      {end < after && <span class="received-cut"> … {formatNumber(after - end)} characters …</span>}
    </li>
  )
}

// What is not closed is taken to the end, so that it is not tried again from each of its characters.
const WORD = /("(?:[^"\\]|\\[^])*(?:"|\\?$))(\s*:)?|<[^<>]*>|\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*\b/g

/** Keys, texts, tags and numbers in their colours. */
function colours(text: string) {
  const parts = []
  let at = 0
  for (const match of text.matchAll(WORD)) {
    if (match.index > at) parts.push(visible(text.slice(at, match.index)))
    const kind = match[2] !== undefined ? 'key' : match[1] !== undefined ? 'string' : match[0].startsWith('<') ? 'key' : 'literal'
    parts.push(
      <span key={match.index} class={`word-${kind}`}>
        {visible(match[0])}
      </span>,
    )
    at = match.index + match[0].length
  }
  parts.push(visible(text.slice(at)))
  return parts
}
