/** Which columns are shown. */
import { useMemo } from 'preact/hooks'
import { setParameters, usePlace } from '../../router'
import { Button } from '../../ui/parts'
import { Menu } from './menu'

type Column = { name: string; type: string }

// Each column costs an element in every row that is drawn.
const MOST_AT_FIRST = 60

/** The columns that the address names, each with its place in the rows; without any, the first ones. */
export function useShownColumns(columns: Column[]): (Column & { index: number })[] {
  const { query } = usePlace()
  const names = query.getAll('show')
  return useMemo(() => {
    const numbered = columns.map((column, index) => ({ ...column, index }))
    const chosen = numbered.filter((column) => names.includes(column.name))
    return chosen.length > 0 ? chosen : numbered.slice(0, MOST_AT_FIRST)
  }, [columns, names.join('\n')])
}

export function ColumnsMenu({ columns }: { columns: Column[] }) {
  const shown = useShownColumns(columns).map((column) => column.name)
  if (columns.length === 0) return null
  const toggle = (name: string) =>
    setParameters({ show: shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name] })
  const all = shown.length === columns.length
  return (
    <Menu text={all ? 'Columns' : `Columns: ${shown.length} of ${columns.length}`}>
      <fieldset class="column-list">
        <legend class="hidden-text">Columns to show</legend>
        {columns.map(({ name, type }) => (
          <label key={name} class="row">
            <input
              type="checkbox"
              checked={shown.includes(name)}
              disabled={shown.length === 1 && shown.includes(name)}
              onChange={() => toggle(name)}
            />
            <span>{name}</span> <span class="muted">{type}</span>
          </label>
        ))}
      </fieldset>
      {!all && <Button onClick={() => setParameters({ show: columns.map((column) => column.name) })}>Show all</Button>}
    </Menu>
  )
}
