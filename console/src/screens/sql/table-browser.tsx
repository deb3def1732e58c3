/** The tables that SQL can read, beside the editor: a click puts a name into the text. */
import { useEffect, useState } from 'preact/hooks'
import { Empty, Show } from '../../ui/parts'
import { identifier, type Table, type Tables } from './tables'

const KINDS: Record<Table['kind'], string> = {
  merge: 'published merge',
  datasource: 'datasource',
  model: 'model',
  algorithm: 'algorithm',
}

export function TableBrowser({ tables, onInsert }: { tables: Tables; onInsert: (text: string) => void }) {
  const [filter, setFilter] = useState('')
  return (
    <div class="table-browser">
      <input
        type="search"
        aria-label="Filter the tables"
        placeholder="Filter tables"
        value={filter}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <Show from={tables.list}>
        {(items) => {
          const shown = items.filter(({ name }) => name.includes(filter.trim().toLowerCase()))
          if (shown.length === 0) return <Empty title="No table has this name." />
          return (
            <ul class="plain">
              {shown.map((table) => (
                <TableItem key={table.name} table={table} tables={tables} onInsert={onInsert} />
              ))}
            </ul>
          )
        }}
      </Show>
    </div>
  )
}

function TableItem({ table, tables, onInsert }: { table: Table; tables: Tables; onInsert: (text: string) => void }) {
  const [open, setOpen] = useState(table.kind === 'merge')
  const { need } = tables
  useEffect(() => {
    if (open) need([table.name])
  }, [open, need])
  return (
    <li>
      <div class="table-name">
        <button
          type="button"
          class="fold"
          aria-expanded={open}
          aria-label={`Columns of ${table.name}`}
          onClick={() => setOpen(!open)}
        >
          {open ? '▾' : '▸'}
        </button>
        <button type="button" class="name" title={`Insert ${table.name}`} onClick={() => onInsert(identifier(table.name))}>
          {table.name}
        </button>
        <span class="muted">{KINDS[table.kind]}</span>
      </div>
      {open && <Columns table={table} tables={tables} onInsert={onInsert} />}
    </li>
  )
}

function Columns({ table, tables, onInsert }: { table: Table; tables: Tables; onInsert: (text: string) => void }) {
  const columns = tables.columns[table.name]
  if (!columns) return <div class="loading">Loading …</div>
  if (columns.length === 0) {
    const what = table.kind === 'datasource' ? 'It has no data yet.' : 'It has not been computed yet.'
    return <p class="muted no-columns">{what}</p>
  }
  return (
    <ul class="plain columns-of-table">
      {columns.map((column) => (
        <li key={column.name}>
          <button type="button" title={`Insert ${column.name}`} onClick={() => onInsert(identifier(column.name))}>
            <span>{column.name}</span>
            <span class="muted">{column.type}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

