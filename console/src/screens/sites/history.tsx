/** What was changed of a site, a piece of equipment or a sensor, when, and by whom. */
import { api, ok, type Schemas } from '../../api/client'
import { writeJson } from '../../api/json'
import { useList } from '../../api/list'
import { isGone } from '../../ui/gone'
import { CardTable, ShowList, TableHead } from '../../ui/list'
import { Empty, Panel } from '../../ui/parts'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'

type Page = Promise<Schemas['HistoryEntryViewList']>
const ROWS = 10

const PAGES = {
  site: (code: string, cursor?: string): Page => ok(api.GET('/v1/sites/{code}/history', { params: { path: { code }, query: { cursor, limit: ROWS } } })),
  equipment: (code: string, cursor?: string): Page =>
    ok(api.GET('/v1/equipment/{code}/history', { params: { path: { code }, query: { cursor, limit: ROWS } } })),
  sensor: (sensor_id: string, cursor?: string): Page =>
    ok(api.GET('/v1/sensors/{sensor_id}/history', { params: { path: { sensor_id }, query: { cursor, limit: ROWS } } })),
}

/**
 * @param version changes when the history may have a new entry.
 * @param deleted whether what it is of is not there any more: it may never have been, and then it has no history.
 */
export function History({ of, id, version, deleted }: { of: keyof typeof PAGES; id: string; version: string; deleted?: boolean }) {
  const entries = useList((cursor) => PAGES[of](id, cursor), [of, id, version])
  if (deleted && isGone(entries)) return null
  return (
    <Panel title="History" flush>
      <ShowList from={entries} empty={<Empty title="Nothing has been changed." />}>
        {(items) => (
          <CardTable>
            <TableHead columns={['When', 'What', 'Who']} />
            <tbody>
              {items.map((entry, index) => (
                <tr key={entry.at + index}>
                  <td>
                    <Time at={entry.at} />
                  </td>
                  <td>
                    {entry.action}
                    {entry.action === 'changed' && entry.changes.map((change) => <Change key={change.field} change={change} />)}
                  </td>
                  <td>
                    <Who id={entry.by} />
                  </td>
                </tr>
              ))}
            </tbody>
          </CardTable>
        )}
      </ShowList>
    </Panel>
  )
}

function Change({ change }: { change: Schemas['FieldChange'] }) {
  return (
    <div>
      {change.field}: <del>{text(change.old)}</del> → <ins>{text(change.new)}</ins>
    </div>
  )
}

function text(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  return typeof value === 'string' ? value : writeJson(value)
}
