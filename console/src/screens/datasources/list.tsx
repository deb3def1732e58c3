/** All datasources: how each one gets its data, how fresh it is, and how its last run went. */
import { api, ok } from '../../api/client'
import { useList } from '../../api/list'
import { useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { Link, path, useParameter } from '../../router'
import { ShowList } from '../../ui/list'
import { Badge, Empty, Page, Panel, State, TextField } from '../../ui/parts'
import { formatNumber, Time } from '../../ui/values'
import { listDatasources, type Datasource } from './requests'

const REFRESH_MS = 10_000

export default function Datasources() {
  const mayCreate = useMay('datasource.create')
  const [search, setSearch] = useParameter('search')
  const list = useList(listDatasources, [])
  const create = mayCreate && (
    <Link to="/datasources/new" class="button primary">
      New datasource
    </Link>
  )
  const term = (search ?? '').toLowerCase()
  return (
    <Page title="Datasources" actions={create}>
      <TextField label="Filter" type="search" value={search ?? ''} onInput={setSearch} placeholder="Part of a name or kind" />
      <Panel flush>
        <ShowList
          from={list}
          empty={
            <Empty title="There are no datasources yet." action={create}>
              A datasource fetches an API or a database, or takes files, records or readings.
            </Empty>
          }
        >
          {(items) => <Rows items={items.filter((item) => `${item.slug} ${item.name} ${item.kind}`.toLowerCase().includes(term))} />}
        </ShowList>
      </Panel>
    </Page>
  )
}

function Rows({ items }: { items: Datasource[] }) {
  if (items.length === 0) return <Empty title="None fits the filter." />
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Datasource</th>
          <th scope="col">Kind</th>
          <th scope="col">Schedule</th>
          <th scope="col">Data</th>
          <th scope="col" class="number">
            Rows
          </th>
          <th scope="col">Last run</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row key={item.slug} item={item} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ item }: { item: Datasource }) {
  const slug = item.slug!
  const newest = useLoad(
    () =>
      Promise.all([
        ok(api.GET('/v1/datasources/{slug}/versions', { params: { path: { slug }, query: { limit: 1 } } })),
        ok(api.GET('/v1/runs', { params: { query: { datasource: slug, limit: 1 } } })),
      ]),
    [slug],
    () => REFRESH_MS,
  )
  const [version, run] = [newest.data?.[0].items[0], newest.data?.[1].items[0]]
  return (
    <tr>
      <td>
        <Link to={path`/datasources/${slug}`}>{item.name}</Link>
        <div class="muted mono">{slug}</div>
      </td>
      <td>
        <Badge>{item.kind}</Badge>
      </td>
      <td>
        {!item.enabled ? <Badge tone="warn">disabled</Badge> : (item.schedule?.expression ?? <span class="muted">none</span>)}
      </td>
      <td>
        {version ? (
          <>
            <State value={version.completeness} /> <Time at={version.data_as_of} />
          </>
        ) : (
          <span class="muted">{newest.loading ? '…' : 'none yet'}</span>
        )}
      </td>
      <td class="number">{formatNumber(version?.rows)}</td>
      <td>
        {run ? (
          <>
            <Link to={path`/runs/${run.id}`}>
              <State value={run.status} />
            </Link>{' '}
            <Time at={run.created_at} />
          </>
        ) : (
          <span class="muted">{newest.loading ? '…' : 'none yet'}</span>
        )}
      </td>
    </tr>
  )
}
