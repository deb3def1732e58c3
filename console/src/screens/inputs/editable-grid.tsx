/**
 * A table whose cells are fields. Only the rows in view are drawn, so that thousands can be edited.
 *
 * Keyboard: Tab goes from cell to cell; Enter and the arrows up and down go to the same column of another row.
 */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Button } from '../../ui/parts'
import { useUnsaved } from '../../unsaved'
import type { Fault } from './faults'
import type { Item, Table } from './kinds'

const ROW_HEIGHT = 34
const SPARE_ROWS = 8

export interface Target {
  row: number
  column: string | null
}

/**
 * @param nodes the names that cells with nodes are completed with.
 * @param target the cell to show and to focus; a new object shows it again.
 */
export function EditableGrid(props: {
  table: Table
  items: Item[]
  faults: Fault[]
  nodes: string[]
  readOnly: boolean
  target: Target | null
  onChange: (row: number, column: string, text: string) => void
  onRemove: (row: number) => void
}) {
  const { table, items, faults } = props
  const box = useRef<HTMLDivElement>(null)
  const nodes = useId()
  const [first, setFirst] = useState(0)
  const [count, setCount] = useState(30)
  const [focus, setFocus] = useState<{ row: number; column: string } | null>(null)
  // What is being typed, such as `1.`: it becomes a value when the cell is left.
  const [typed, setTyped] = useState<{ row: number; column: string; text: string } | null>(null)
  useUnsaved(typed !== null)

  const show = (row: number, column: string | null) => {
    const element = box.current!
    const top = row * ROW_HEIGHT
    if (top < element.scrollTop || top + 2 * ROW_HEIGHT > element.scrollTop + element.clientHeight - 12)
      element.scrollTop = Math.max(0, top - element.clientHeight / 2)
    // The row may be drawn only after the scroll.
    setTimeout(() => {
      const cells = `[data-row='${row}']`
      const named = column && element.querySelector<HTMLElement>(`${cells}[data-column='${CSS.escape(column)}']`)
      const cell = named || element.querySelector<HTMLElement>(`${cells}:not([readonly])`)
      cell?.focus()
      cell?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    }, 60)
  }
  useEffect(() => {
    if (props.target) show(props.target.row, props.target.column)
  }, [props.target])
  useEffect(() => {
    const element = box.current!
    let asked = 0
    const measure = () => {
      asked = 0
      setFirst(Math.max(0, Math.floor(element.scrollTop / ROW_HEIGHT) - SPARE_ROWS))
      setCount(Math.ceil(element.clientHeight / ROW_HEIGHT) + 2 * SPARE_ROWS)
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

  const byCell = new Map(faults.filter(({ at, changed }) => !changed && at?.table === table.name).map((fault) => [`${fault.at!.row} ${fault.at!.column}`, fault]))
  const start = Math.min(first, Math.max(0, items.length - 1))
  const end = Math.min(items.length, start + count)
  const columns = table.columns
  const wrong = focus && byCell.get(`${focus.row} ${focus.column}`)
  const onKeyDown = (event: KeyboardEvent) => {
    const { row, column } = (event.target as HTMLElement).dataset
    if (row === undefined || !column) return
    const isSelect = event.target instanceof HTMLSelectElement
    const step = event.key === 'Enter' || (event.key === 'ArrowDown' && !isSelect) ? 1 : event.key === 'ArrowUp' && !isSelect ? -1 : 0
    const to = Number(row) + step
    if (step === 0 || to < 0 || to >= items.length) return
    event.preventDefault()
    show(to, column)
  }

  return (
    <>
      <datalist id={nodes}>
        {props.nodes.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <div class="cells" ref={box} onKeyDown={onKeyDown} style={{ height: `min(60vh, ${items.length * ROW_HEIGHT + 52}px)` }} tabIndex={-1}>
        <table aria-label={table.title} aria-rowcount={items.length + 1}>
          <thead>
            <tr>
              <th scope="col" class="number">Row</th>
              {columns.map((column) => (
                <th scope="col" key={column.name} class={column.numeric ? 'number' : ''}>
                  {column.title}
                </th>
              ))}
              {!props.readOnly && (
                <th scope="col">
                  <span class="hidden-text">Remove</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {start > 0 && <tr aria-hidden="true" style={{ height: `${start * ROW_HEIGHT}px` }} />}
            {items.slice(start, end).map((item, index) => {
              const row = start + index
              const rowFault = byCell.get(`${row} null`)
              return (
                <tr key={row} aria-rowindex={row + 2} class={rowFault ? 'wrong' : ''} title={rowFault?.message}>
                  <th scope="row" class="number">{row + 1}</th>
                  {columns.map((column) => {
                    const fault = byCell.get(`${row} ${column.name}`)
                    const attributes = {
                      'data-row': row,
                      'data-column': column.name,
                      'aria-label': `${column.title}, row ${row + 1}`,
                      'aria-invalid': fault ? ('true' as const) : undefined,
                      title: fault?.message,
                      class: column.numeric ? 'number' : '',
                      value: typed?.row === row && typed.column === column.name ? typed.text : column.read(item),
                      onFocus: () => setFocus({ row, column: column.name }),
                    }
                    return (
                      <td key={column.name}>
                        {column.options && !props.readOnly ? (
                          <Choice {...attributes} options={column.options} onChange={(text) => props.onChange(row, column.name, text)} />
                        ) : (
                          <input
                            {...attributes}
                            list={column.node && !props.readOnly ? nodes : undefined}
                            readOnly={props.readOnly || column.fixed}
                            autoComplete="off"
                            spellcheck={false}
                            onInput={(event) => setTyped({ row, column: column.name, text: event.currentTarget.value })}
                            onChange={(event) => {
                              setTyped(null)
                              props.onChange(row, column.name, event.currentTarget.value)
                            }}
                            onBlur={() => setTyped(null)}
                          />
                        )}
                      </td>
                    )
                  })}
                  {!props.readOnly && (
                    <td>
                      <Button look="quiet" onClick={() => props.onRemove(row)} aria-label={`Remove ${table.noun} ${row + 1}`} title="Remove">
                        ✕
                      </Button>
                    </td>
                  )}
                </tr>
              )
            })}
            {end < items.length && <tr aria-hidden="true" style={{ height: `${(items.length - end) * ROW_HEIGHT}px` }} />}
          </tbody>
        </table>
      </div>
      <p class={wrong ? 'wrong-text' : 'hidden-text'} role="status">
        {wrong ? `Row ${focus.row + 1}, ${focus.column}: ${wrong.message}` : ''}
      </p>
    </>
  )
}

type ChoiceProps = { value: string; options: string[]; onChange: (text: string) => void } & Record<string, unknown>

/** The values to choose among; one that is none of them stays until another is chosen. */
function Choice({ value, options, onChange, ...attributes }: ChoiceProps) {
  const known = options.includes(value)
  return (
    <select {...attributes} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {!known && <option value={value}>{value || '(empty)'}</option>}
      {options.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  )
}
