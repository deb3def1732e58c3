/** The rows that are shown, as a file of any format that the API has. */
import { send } from '../../api/client'
import { useAction } from '../../api/load'
import { saveAs } from '../../ui/download'
import { Button, ProblemNote } from '../../ui/parts'
import { Menu } from './menu'
import { listed, searchText, type DataQuery } from './query'
import type { TableSource } from './source'

const FORMATS = [
  { name: 'csv', ending: 'csv', text: 'CSV' },
  { name: 'xlsx', ending: 'xlsx', text: 'Excel workbook (XLSX)' },
  { name: 'jsonl', ending: 'jsonl', text: 'JSON Lines (NDJSON)' },
  { name: 'parquet', ending: 'parquet', text: 'Parquet' },
  { name: 'arrow', ending: 'arrows', text: 'Arrow' },
]

export function DownloadMenu(props: { source: TableSource; query: DataQuery; version: number | undefined; columns: string[] }) {
  const { source, query, version, columns } = props
  const save = useAction(async (format: string, ending: string) => {
    const { where, order } = query
    const text = searchText({ where, order, version, format, select: columns.map(listed).join(',') })
    await saveAs(await send(`${source.path}/data?${text}`), `${source.name}-v${version}.${ending}`)
  })
  if (version === undefined) return null
  return (
    <Menu text="Download">
      <p class="muted">All rows that fit the filter, in this order and with the columns shown.</p>
      <div class="download-formats">
        {FORMATS.map(({ name, ending, text }) => (
          <Button key={name} busy={save.busy} onClick={() => save.run(name, ending)}>
            {text}
          </Button>
        ))}
      </div>
      <ProblemNote error={save.error} />
    </Menu>
  )
}
