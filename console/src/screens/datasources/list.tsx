/** All datasources: how each one is fed, what its newest version and its newest run are like, and how old its data is. */
import { all } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { href, Link, path, setParameters, usePlace } from '../../router'
import { CardTable } from '../../ui/list'
import { Badge, Button, Empty, Page, Panel, SelectField, Show, TextField } from '../../ui/parts'
import { StandingCells, StandingHeads } from '../../ui/standing'
import { formatNumber } from '../../ui/values'
import './datasources.css'
import { KINDS } from './kinds'
import { listDatasources, type Datasource } from './requests'
import { scheduleText } from './schedule'

const ROWS_PER_PAGE = 20

export default function Datasources() {
  const mayCreate = useMay('datasource.create')
  const { query } = usePlace()
  const datasources = useLoad(() => all(listDatasources), [])
  const [search, kind] = [query.get('search') ?? '', query.get('kind') ?? '']
  return (
    <Page
      title="Datasources"
      actions={
        mayCreate && (
          <a class="button primary" href={href('/datasources/new')}>
            New datasource
          </a>
        )
      }
    >
      <Show from={datasources}>
        {(items) =>
          items.length === 0 ? (
            <Panel>
              <Empty
                title="There are no datasources yet."
                action={mayCreate && <Link to="/datasources/new">Paste an address, or begin from a template</Link>}
              >
                A datasource says where data comes from, and how it is read.
              </Empty>
            </Panel>
          ) : (
            <>
              <div class="search-bar">
                <TextField
                  label="Search"
                  type="search"
                  value={search}
                  onInput={(value) => setParameters({ search: value, page: null }, { replace: true })}
                  placeholder="Part of a name or description"
                />
                <SelectField
                  label="Kind"
                  value={kind}
                  options={[{ value: '', text: 'all' }, ...KINDS.map((one) => ({ value: one.kind, text: one.name }))]}
                  onChange={(value) => setParameters({ kind: value, page: null })}
                />
              </div>
              <Found items={items.filter((item) => isFound(item, search, kind))} page={Number(query.get('page')) || 1} />
            </>
          )
        }
      </Show>
    </Page>
  )
}

function isFound(item: Datasource, search: string, kind: string): boolean {
  if (kind && item.kind !== kind) return false
  const text = `${item.name} ${item.slug} ${item.description ?? ''}`.toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function Found({ items, page }: { items: Datasource[]; page: number }) {
  if (items.length === 0) {
    return (
      <Panel>
        <Empty
          title="No datasource is found."
          action={<Button onClick={() => setParameters({ search: null, kind: null, page: null })}>Show all</Button>}
        />
      </Panel>
    )
  }
  const pages = Math.ceil(items.length / ROWS_PER_PAGE)
  const present = Math.min(Math.max(page, 1), pages)
  const first = (present - 1) * ROWS_PER_PAGE
  return (
    <Panel flush>
      <CardTable>
        <thead>
          <tr>
            <th scope="col">Datasource</th>
            <th scope="col">Kind</th>
            <th scope="col">Schedule</th>
            <StandingHeads time="Age" run="Newest run" />
          </tr>
        </thead>
        <tbody>
          {items.slice(first, first + ROWS_PER_PAGE).map((item) => (
            <Row key={item.slug} item={item} />
          ))}
        </tbody>
      </CardTable>
      {pages > 1 && (
        <nav class="row more" aria-label="Pages">
          <Button disabled={present === 1} onClick={() => setParameters({ page: present - 1 })}>
            Earlier
          </Button>
          <span class="muted">
            {formatNumber(first + 1)}–{formatNumber(Math.min(first + ROWS_PER_PAGE, items.length))} of {formatNumber(items.length)}
          </span>
          <Button disabled={present === pages} onClick={() => setParameters({ page: present + 1 })}>
            Later
          </Button>
        </nav>
      )}
    </Panel>
  )
}

function Row({ item }: { item: Datasource }) {
  const slug = item.slug!
  return (
    <tr>
      <td>
        <Link to={path`/datasources/${slug}`}>{item.name}</Link>
        {item.enabled === false && (
          <>
            {' '}
            <Badge>disabled</Badge>
          </>
        )}
        {item.name !== slug && <div class="muted mono">{slug}</div>}
      </td>
      <td>{item.kind}</td>
      <td>{scheduleText(item.schedule)}</td>
      <StandingCells kind="datasources" slug={slug} time="data_as_of" />
    </tr>
  )
}
