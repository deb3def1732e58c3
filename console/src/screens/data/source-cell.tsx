/** A value of a datasource, and where it was received. */
import { api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { Note, Show } from '../../ui/parts'
import { CellValue } from './cell-value'
import { Origin } from './origin'
import { useDataQuery } from './query'
import type { OpenCell } from './table-view'

export function SourceCell(props: OpenCell & { slug: string }) {
  const { slug, table, column, row } = props
  return (
    <CellValue {...props}>
      {row !== null && <Received slug={slug} version={table.version!.number} column={column} row={row} />}
    </CellValue>
  )
}

function Received({ slug, version, column, row }: { slug: string; version: number; column: string; row: number }) {
  const { where, order } = useDataQuery()
  const explained = useLoad(
    () => ok(api.GET('/v1/datasources/{slug}/explain', { params: { path: { slug }, query: { row, where, order, version } } })),
    [slug, version, row, JSON.stringify(where), order],
  )
  return (
    <Show from={explained}>
      {({ fields }) => {
        const value = fields[column]
        if (!value) return <Note tone="warn">The row has no column {column}.</Note>
        return (
          <section class="stack tight">
            <h3>It was received here</h3>
            {value.missing && <p class="muted">This record does not have the field at all.</p>}
            <Origin citation={value} datasource={slug} version={version} />
          </section>
        )
      }}
    </Show>
  )
}
