import { CellValue } from './cell-value'
import type { OpenCell } from './table-view'
export function SourceCell(props: OpenCell) { return <CellValue {...props} /> }
