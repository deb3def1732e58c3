/** In the panel of a cell: show the rows that have its value only. */
import { usePlace } from '../../router'
import { cellText } from '../../ui/grid'
import { Button } from '../../ui/parts'
import { changeQuery, formatCondition } from './query'

export function FilterBy({ column, value }: { column: string; value: unknown }) {
  const { query } = usePlace()
  // Lists and objects have no text that the API compares.
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return null
  const isNull = value === null || value === undefined
  const condition = formatCondition({ column, operator: isNull ? 'null' : 'eq', value: cellText(value) })
  const where = query.getAll('where')
  if (where.includes(condition)) return null
  return (
    <div>
      <Button onClick={() => changeQuery({ where: [...where, condition] })}>Filter by this value</Button>
    </div>
  )
}
