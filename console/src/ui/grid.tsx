/**
 * The table for data: draws only the rows in view, so that 100,000 rows scroll as smoothly as ten.
 *
 * Keyboard: the arrow keys, Home, End, Page Up and Page Down move between cells, Enter opens one.
 */
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { writeJson } from '../api/json'
import { textWidth } from './text-width'
import { visible } from './visible'

export interface GridColumn {
  name: string
  /** As the API names it, such as `double`; numbers are aligned to the right. */
  type?: string
}

const ROW_HEIGHT = 30
const SPARE_ROWS = 12
const PADDING = 24
// Of a longer text, this much is more than the widest column shows.
const MOST_CHARACTERS = 500
const NUMBERS = /^(u?int|bigint|integer|smallint|tinyint|hugeint|double|float|real|decimal|number)/i

type Cell = { row: number; column: number }

/**
 * @param rows how many rows there are.
 * @param value the value of a cell; it is called for visible cells only.
 * @param onOpen called when a cell is clicked or Enter is pressed in it.
 * @param onSort called with a column when its header is activated.
 * @param sorted the column and direction that the rows are in, to show it.
 * @param onEnd called when the last rows come into view, to load further ones.
 * @param height the height of the grid in CSS units.
 */
export function DataGrid(props: {
  label: string
  columns: GridColumn[]
  rows: number
  value: (row: number, column: number) => unknown
  onOpen?: (row: number, column: number) => void
  onSort?: (column: string) => void
  sorted?: { column: string; descending: boolean }
  opened?: Cell
  onEnd?: () => void
  height?: string
}) {
  const { columns, rows, value } = props
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ first: 0, count: 40 })
  const [focus, setFocus] = useState<Cell>({ row: 0, column: 0 })
  // The focus is on its way to a cell that is drawn only after the scroll.
  const isMoving = useRef(false)
  const widths = useMemo(() => columnWidths(columns, rows, value), [columns, rows, value])

  useEffect(() => {
    const element = box.current!
    let asked = 0
    const measure = () => {
      asked = 0
      const first = Math.max(0, Math.floor(element.scrollTop / ROW_HEIGHT) - SPARE_ROWS)
      const count = Math.ceil(element.clientHeight / ROW_HEIGHT) + 2 * SPARE_ROWS
      setView((view) => (view.first === first && view.count === count ? view : { first, count }))
    }
    const onScroll = () => {
      asked ||= requestAnimationFrame(measure)
    }
    const observer = new ResizeObserver(onScroll)
    observer.observe(element)
    element.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', onScroll)
      cancelAnimationFrame(asked)
    }
  }, [])

  const isAtEnd = view.first + view.count >= rows
  useEffect(() => {
    if (isAtEnd) props.onEnd?.()
  }, [isAtEnd, props.onEnd])

  const move = (cell: Cell) => {
    const row = Math.min(Math.max(cell.row, 0), rows - 1)
    const column = Math.min(Math.max(cell.column, 0), columns.length - 1)
    const element = box.current!
    const [top, bottom] = [row * ROW_HEIGHT, (row + 1) * ROW_HEIGHT]
    const shown = element.clientHeight - ROW_HEIGHT // below the header
    if (top < element.scrollTop) element.scrollTop = top
    else if (bottom > element.scrollTop + shown) element.scrollTop = bottom - shown
    setFocus({ row, column })
    isMoving.current = true
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const focused = cellOf(event.target)
    if (focused === null) return
    const page = Math.max(1, Math.floor(box.current!.clientHeight / ROW_HEIGHT) - 2)
    const { row, column } = isMoving.current ? focus : focused
    const to: Record<string, Cell> = {
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: row + 1, column },
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: column + 1 },
      PageUp: { row: row - page, column },
      PageDown: { row: row + page, column },
      Home: { row: event.ctrlKey ? 0 : row, column: 0 },
      End: { row: event.ctrlKey ? rows - 1 : row, column: columns.length - 1 },
    }
    const cell = to[event.key]
    if (cell) {
      event.preventDefault()
      move(cell)
    } else if (event.key === 'Enter' && props.onOpen) {
      event.preventDefault()
      props.onOpen(row, column)
    }
  }

  const template = widths.map((width) => `${width}px`).join(' ')
  const width = widths.reduce((sum, one) => sum + one, 0)
  const first = Math.min(view.first, Math.max(0, rows - 1))
  const last = Math.min(rows, view.first + view.count)
  // Tab enters the grid at the cell that had the focus, or, if it is out of view, at the first row.
  const stop = focus.row >= first && focus.row < last ? focus : { row: first, column: focus.column }
  const { opened } = props
  const looks = [columns, value, template, view.count, opened?.row, opened?.column]
  const kept = useRef<{ looks: unknown[]; rows: Map<string, VNode> }>({ looks, rows: new Map() })
  // The same element again tells the library that nothing in it has changed.
  const before = looks.every((look, index) => look === kept.current.looks[index]) ? kept.current.rows : new Map<string, VNode>()
  const drawn = new Map<string, VNode>()
  for (let slot = 0; slot < view.count; slot++) {
    // Each row has a fixed slot, so the elements of rows that leave the view serve those that enter it, where they are.
    const row = first + ((slot - (first % view.count) + view.count) % view.count)
    if (row >= last) continue
    const stopColumn = stop.row === row ? stop.column : null
    const name = `${row},${stopColumn}`
    drawn.set(
      name,
      before.get(name) ?? (
        <div key={slot} role="row" aria-rowindex={row + 2} class="grid-row" style={{ top: `${row * ROW_HEIGHT}px`, gridTemplateColumns: template }}>
          {columns.map((column, index) => {
            const content = value(row, index)
            const time = timeText(content, column.type)
            const text = time ?? drawText(content)
            const isOpen = opened?.row === row && opened.column === index
            return (
              <div
                key={index}
                role="gridcell"
                aria-colindex={index + 1}
                tabIndex={stopColumn === index ? 0 : -1}
                title={time ? cellText(content) : mayBeCut(text, widths[index]!) ? text : undefined}
                data-cell={`${row},${index}`}
                class={`grid-cell ${content === null || content === undefined ? 'null' : NUMBERS.test(column.type ?? '') ? 'number' : ''} ${isOpen ? 'open' : ''}`}
              >
                {text}
              </div>
            )
          })}
        </div>
      ),
    )
  }
  kept.current = { looks, rows: drawn }

  useLayoutEffect(() => {
    const name = isMoving.current ? `${focus.row},${focus.column}` : `${stop.row},${stop.column}`
    const active = document.activeElement
    if (isMoving.current) {
      const cell = box.current!.querySelector<HTMLElement>(`[data-cell='${name}']`)
      cell?.focus({ preventScroll: true })
      isMoving.current = !cell
    } else if (active instanceof HTMLElement && box.current!.contains(active) && ![undefined, name].includes(active.dataset.cell)) {
      active.blur() // its element shows another row now
    }
  })

  const onClick = (event: MouseEvent) => {
    const cell = cellOf(event.target)
    if (cell === null) return
    setFocus(cell)
    props.onOpen?.(cell.row, cell.column)
  }

  return (
    <div
      ref={box}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows + 1}
      aria-colcount={columns.length}
      class={`grid ${props.onOpen ? 'opens' : ''}`}
      style={{ height: props.height ?? `min(70vh, ${(rows + 1) * ROW_HEIGHT + 20}px)` }}
      onKeyDown={onKeyDown}
      onClick={onClick}
    >
      <div role="rowgroup" class="grid-head" style={{ width: `${width}px` }}>
        <div role="row" aria-rowindex={1} class="grid-row" style={{ gridTemplateColumns: template }}>
          {columns.map((column) => {
            const direction = props.sorted?.column === column.name ? (props.sorted.descending ? 'descending' : 'ascending') : undefined
            return (
              <div role="columnheader" key={column.name} class="grid-cell" aria-sort={direction}>
                {props.onSort ? (
                  <button type="button" onClick={() => props.onSort!(column.name)} title={column.type}>
                    {column.name}
                    {direction && (direction === 'descending' ? ' ↓' : ' ↑')}
                  </button>
                ) : (
                  <span title={column.type}>{column.name}</span>
                )}
              </div>
            )
          })}
        </div>
      </div>
      <div role="rowgroup" class="grid-body" style={{ height: `${rows * ROW_HEIGHT}px`, width: `${width}px` }}>
        {[...drawn.values()]}
      </div>
    </div>
  )
}

/** The cell that an event is of; null if it is of none. */
function cellOf(target: EventTarget | null): Cell | null {
  const name = target instanceof Element ? target.closest<HTMLElement>('[data-cell]')?.dataset.cell : undefined
  if (name === undefined) return null
  const [row, column] = name.split(',').map(Number) as [number, number]
  return { row, column }
}

/** A value as one line of text; `null` for null, which an empty text must not look like. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return value
  if (Object.is(value, -0)) return '-0.0'
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? writeJson(value) : String(value)
}

/** The start of a long text; a number, an id or an address that is cut must not look whole. */
export function shortened(text: string, most = MOST_CHARACTERS): string {
  if (text.length <= most) return text
  // Half a character, of those that take two places, is none.
  const start = text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '')
  return `${start}… (${text.length} characters)`
}

/** Whether a cell may be too narrow for its text, which is its tooltip then. */
function mayBeCut(text: string, width: number): boolean {
  const room = width - PADDING
  // No letter of a usual font is wider than 20 pixels, so most short texts need no measuring.
  return text.length * 20 > room && textWidth(text) > room
}

/** The text of a cell. */
function drawText(value: unknown): string {
  return visible(shortened(cellText(value)))
}

/** A time as a column of them reads best, to the last digit. Undefined for everything else. */
function timeText(value: unknown, type: string | undefined): string | undefined {
  if (!type?.startsWith('timestamp') || typeof value !== 'string') return undefined
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)Z$/.exec(value)
  return parts ? `${parts[1]} ${parts[2]}` : undefined
}

/** A column is as wide as its longest text among some rows, of the first ones and of all others alike. */
function columnWidths(columns: GridColumn[], rows: number, value: (row: number, column: number) => unknown): number[] {
  const sample = Array.from({ length: Math.min(rows, 100) }, (_, index) => (index < 60 ? index : 60 + Math.floor(((index - 60) * (rows - 60)) / 40)))
  const widest = 44 * textWidth('0')
  return columns.map((column, index) => {
    const longest = sample.reduce((longest, row) => {
      const text = drawText(value(row, index))
      return text.length > longest.length ? text : longest
    }, '')
    const width = Math.max(textWidth(`${column.name} ↓`, 600), textWidth(longest), 40)
    return Math.ceil(Math.min(width, widest) + PADDING)
  })
}
