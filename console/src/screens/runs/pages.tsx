/** The pages that a run has received, each readable as it was received. */
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { Link, path } from '../../router'
import { CardTable, numeric, ShowList, TableHead } from '../../ui/list'
import { Badge, Empty, Panel } from '../../ui/parts'
import { formatBytes, formatNumber, Time } from '../../ui/values'
import { isActive, type Run } from './words'

export function Pages({ run }: { run: Run }) {
  const pages = useList(
    (cursor) => ok(api.GET('/v1/runs/{run_id}/pages', { params: { path: { run_id: run.id }, query: { cursor, limit: 50 } } })),
    // New pages arrive while it runs.
    [run.id, run.status, isActive(run) ? run.progress?.current : 0],
  )
  return (
    <Panel title="Pages as received" flush>
      <ShowList
        from={pages}
        empty={
          <Empty title="No page has been received.">
            {isActive(run) ? 'They appear here as they arrive.' : 'The run ended before the upstream answered, or read the pages of an earlier run.'}
          </Empty>
        }
      >
        {(items) => <PageTable run={run.id} pages={items} />}
      </ShowList>
    </Panel>
  )
}

function PageTable({ run, pages }: { run: string; pages: Schemas['PageReceiptView'][] }) {
  return (
    <CardTable>
      <TableHead columns={['Page', 'Status', numeric('Records'), numeric('Size'), 'When', 'From']} />
      <tbody>
        {pages.map((page) => (
          <tr key={page.number}>
            <td class="short">
              <Link to={path`/runs/${run}/pages/${String(page.number)}`}>Page {page.number}</Link>
            </td>
            <td>
              <PageState page={page} />
            </td>
            <td class="number">{formatNumber(page.rows)}</td>
            <td class="number short">{formatBytes(page.bytes)}</td>
            <td class="short">
              <Time at={page.fetched_at} />
            </td>
            <td class="mono page-url">
              {page.method && page.url.startsWith('http') && `${page.method} `}
              {page.url}
            </td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}

/** Whether a page was accepted, with the retries that it took. */
export function PageState({ page }: { page: Schemas['PageReceiptView'] }) {
  const retries = page.failures.length
  return (
    <>
      <Badge tone={page.ok ? 'good' : 'bad'}>{page.status ?? (page.ok ? 'received' : 'no answer')}</Badge>
      {retries > 0 && (
        <div class="muted" title={page.failures.map((failure) => failure.reason).join('; ')}>
          {page.ok && 'after '}
          {retries === 1 ? '1 failed request' : `${retries} failed requests`}
        </div>
      )}
      {page.check && <div class="muted">for comparison</div>}
      {page.erased.length > 0 && <div class="muted">{page.erased.length} records erased</div>}
    </>
  )
}
