/** The columns of each version, and what changed from the one before. */
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { Link, path } from '../../router'
import { ShowList } from '../../ui/list'
import { Badge, Empty, Page, Panel } from '../../ui/parts'
import { Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import { DATASOURCE_CRUMBS, DatasourceTabs } from './tabs'

type Version = Schemas['VersionView']

export default function SchemaHistory({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const versions = useList(
    (cursor) => ok(api.GET('/v1/datasources/{slug}/versions', { params: { path: { slug }, query: { cursor, limit: 50 } } })),
    [slug],
  )
  return (
    <Page title={slug} crumbs={DATASOURCE_CRUMBS}>
      <DatasourceTabs slug={slug} />
      <ShowList from={versions} empty={<Empty title="There is no version yet.">A run makes the first one.</Empty>}>
        {(items) => (
          <>
            <Panel title={`Columns of version ${items[0]!.number}`} flush>
              <Columns version={items[0]!} />
            </Panel>
            <Panel title="History" flush>
              <History versions={items} slug={slug} />
            </Panel>
          </>
        )}
      </ShowList>
    </Page>
  )
}

function Columns({ version }: { version: Version }) {
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Column</th>
          <th scope="col">Type</th>
          <th scope="col">Notes</th>
        </tr>
      </thead>
      <tbody>
        {version.schema.map((column) => (
          <tr key={column.name}>
            <td class="mono">{column.name}</td>
            <td class="mono">{column.type}</td>
            <td>
              <div class="row">
                {column.nullable && <Badge>has nulls</Badge>}
                {column.guessed && <Badge title="The type is not declared; it was read off the values.">inferred</Badge>}
                {column.missing && <Badge tone="warn">missing in the newest data</Badge>}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function History({ versions, slug }: { versions: Version[]; slug: string }) {
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Created</th>
          <th scope="col">What changed</th>
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
              <Time at={version.created_at} />
            </td>
            <td>{changes(version, versions[index + 1])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function changes(version: Version, before: Version | undefined): string {
  if (!before) return version.number === 1 ? 'the first version' : '…'
  const old = new Map(before.schema.map((column) => [column.name, column.type]))
  const texts = version.schema.flatMap((column) => {
    const type = old.get(column.name)
    old.delete(column.name)
    if (type === undefined) return [`${column.name} added as ${column.type}`]
    return type === column.type ? [] : [`${column.name}: ${type} became ${column.type}`]
  })
  return [...texts, ...[...old.keys()].map((name) => `${name} removed`)].join('; ') || 'the same columns'
}
