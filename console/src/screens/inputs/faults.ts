/** What the API finds wrong with a document, at the cells of its tables. */
import type { ApiError } from '../../api/client'
import { isNested } from '../../api/json'
import type { Document, Kind } from './kinds'

export interface Fault {
  /** A JSON Pointer into the document. */
  pointer: string
  message: string
  code: number | null
  /** The cell of the workbook that it was read from, such as sheet `Traffic` and cell `E4`. */
  sheet?: string
  cell?: string | null
  sheetRow?: number | null
  header?: string | null
  /** The cell in the tables of the editor; null if it is in none. */
  at: { table: string; row: number; column: string | null } | null
  /** Its cell was changed since; only saving tells whether it is right now. */
  changed: boolean
}

/** The faults of a refused document or workbook. */
export function faultsOf(error: ApiError | undefined, kind: Kind, document: Document): Fault[] {
  return (error?.problem.errors ?? [])
    .filter((one) => !one.pointer.startsWith('?'))
    .map((one) => {
      const pointer = one.pointer.replace(/^\/document(?=\/|$)/, '')
      const { sheet, cell, code } = one
      return { pointer, message: one.message, code: code ?? null, sheet, cell, sheetRow: one.row, header: one.column, at: locate(kind, document, pointer), changed: false }
    })
}

function locate(kind: Kind, document: Document, pointer: string): Fault['at'] {
  const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  for (const table of kind.tables) {
    const place = table.locate(document, parts)
    if (place && Number.isInteger(place.row)) return { table: table.name, ...place }
  }
  return null
}

/** The document of a refused workbook without the `{name}_error` beside its bad values; the faults say the same. */
export function withoutErrors<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutErrors) as T
  if (!isNested(value)) return value
  const present = value as Record<string, unknown>
  const kept = Object.entries(present).filter(([name]) => !(name.endsWith('_error') && Object.hasOwn(present, name.slice(0, -'_error'.length))))
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutErrors(one)])) as T
}

/** The faults after a cell was changed. They stay in the list, so that nothing moves under the pointer. */
export function afterChange(faults: Fault[], table: string, row: number, column: string): Fault[] {
  return faults.map((fault) => {
    const { at } = fault
    const isIt = at?.table === table && at.row === row && (at.column === column || at.column === null)
    return isIt ? { ...fault, changed: true } : fault
  })
}

/** The faults after a row was removed. */
export function afterRemoval(faults: Fault[], table: string, row: number): Fault[] {
  return faults.map((fault) => {
    const { at } = fault
    if (at?.table !== table || at.row < row) return fault
    return at.row === row ? { ...fault, at: null, changed: true } : { ...fault, at: { ...at, row: at.row - 1 } }
  })
}
