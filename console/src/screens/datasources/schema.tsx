/** The columns of a datasource, and what each of its versions changed in them. */
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, Link, useArrival } from '../../router'
import { ConfirmButton } from '../../ui/dialog'
import { CardTable, ShowList, TableHead } from '../../ui/list'
import { Badge, Empty, Panel, State } from '../../ui/parts'
import { formatBytes, formatNumber, Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import './datasources.css'
import { loadDatasource, startRun } from './requests'
import { DatasourcePage } from './tabs'

type Version = Schemas['VersionView']
type Column = Schemas['VersionColumn']

export default function Schema({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const stored = useLoad(() => loadDatasource(slug), [slug])
  const mayReplay = useMayOn({ datasource: slug })('datasource.replay')
  const versions = useList(
    (cursor) => ok(api.GET('/v1/datasources/{slug}/versions', { params: { path: { slug }, query: { cursor, limit: 20 } } })),
    [slug],
  )
  const none = (
    <Panel>
      <Empty title="There is no version yet." action={<Link to={path`/datasources/${slug}`}>To the datasource</Link>}>
        The first run makes one. Start it on the datasource’s page.
      </Empty>
    </Panel>
  )
  return (
    <DatasourcePage slug={slug} from={stored} title="Schema">
      <ShowList from={versions} empty={none}>
        {(items) => (
          <>
            <Columns version={items[0]!} keys={stored.data?.primary_key ?? []} />
            <History slug={slug} versions={items} complete={versions.more === null && !versions.loading} mayReplay={mayReplay} />
          </>
        )}
      </ShowList>
    </DatasourcePage>
  )
}

/** The columns of the newest version. */
function Columns({ version, keys }: { version: Version; keys: string[] }) {
  return (
    <Panel title={`The ${version.schema.length} columns of version ${version.number}`} flush>
      <div class="preview" role="region" aria-label="Columns" tabIndex={0}>
        <CardTable>
          <TableHead columns={['Name', 'Type', 'Notes']} />
          <tbody>
            {version.schema.map((column) => (
              <tr key={column.name}>
                <td>{column.name}</td>
                <td class="mono">{column.type}</td>
                <td>
                  <div class="row">
                    {keys.includes(column.name) && <Badge tone="good">key</Badge>}
                    {notes(column).map((note) => (
                      <Badge key={note}>{note}</Badge>
                    ))}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </CardTable>
      </div>
    </Panel>
  )
}

function notes(column: Column): string[] {
  return [
    column.nullable && 'has nulls',
    column.missing && 'missing in some records',
    column.wide && 'large integers',
    column.guessed && 'only nulls so far',
  ].filter((note): note is string => typeof note === 'string')
}

/** @param complete whether the last of the versions is the first that is kept. */
function History(props: { slug: string; versions: Version[]; complete: boolean; mayReplay: boolean }) {
  const arrive = useArrival()
  const { slug, versions, complete, mayReplay } = props
  return (
    <Panel title="Versions" flush>
      <CardTable>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Data</th>
            <th scope="col" class="number">
              Rows
            </th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">Changes of the columns</th>
            <th scope="col">Made by</th>
            {mayReplay && (
              <th scope="col">
                <span class="hidden-text">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {versions.map((version, index) => (
            <tr key={version.number}>
              <td>
                <Link to={path`/datasources/${slug}/data`} query={{ version: version.number }}>
                  {version.number}
                </Link>
              </td>
              <td>
                <State value={version.completeness} title={version.completeness_reasons.join(' ')} />
              </td>
              <td class="number">{formatNumber(version.rows)}</td>
              <td class="number">{formatBytes(version.bytes)}</td>
              <td>
                <Changes version={version} before={versions[index + 1]} first={complete} />
              </td>
              <td>
                <Link to={path`/runs/${version.run}`}>
                  <Time at={version.created_at} />
                </Link>
              </td>
              {mayReplay && (
                <td>
                  <ConfirmButton
                    text="Replay"
                    question={`The raw pages of version ${version.number} are read again, with the present definition. The upstream is not called.`}
                    work={async () => arrive(path`/datasources/${slug}`, { run: (await startRun(slug, version.number)).id })}
                  />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </CardTable>
    </Panel>
  )
}

function Changes({ version, before, first }: { version: Version; before: Version | undefined; first: boolean }) {
  if (!before) return <span class="muted">{first ? `${version.schema.length} columns` : '…'}</span>
  const changes = schemaChanges(before.schema, version.schema)
  if (changes.length === 0) return <span class="muted">none</span>
  return (
    <div class="schema-change">
      {changes.map(({ text, tone }) => (
        <Badge key={text} tone={tone}>
          {text}
        </Badge>
      ))}
    </div>
  )
}

/** What is different in the columns: new ones, gone ones, and those with another type. */
function schemaChanges(before: Column[], after: Column[]): { text: string; tone: 'good' | 'bad' | 'warn' }[] {
  const [old, present] = [before, after].map((columns) => new Map(columns.map((column) => [column.name, column.type])))
  const changes: { text: string; tone: 'good' | 'bad' | 'warn' }[] = []
  for (const [name, type] of present!) {
    const earlier = old!.get(name)
    if (earlier === undefined) changes.push({ text: `+ ${name} ${type}`, tone: 'good' })
    else if (earlier !== type) changes.push({ text: `${name}: ${earlier} → ${type}`, tone: 'warn' })
  }
  for (const name of old!.keys()) if (!present!.has(name)) changes.push({ text: `− ${name}`, tone: 'bad' })
  return changes
}
