/** What a table shows that has no rows: why, and what to do next. */
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { Empty, Panel } from '../../ui/parts'
import { Time } from '../../ui/values'
import type { DataQuery } from './query'
import type { Table } from './rows'
import type { TableSource } from './source'
import { VersionBar } from './version-bar'

/** Whether nothing is published, or was at the time that is asked for. */
export function isNotPublished(table: Table): boolean {
  return table.error?.problem.type.endsWith(':not-published') ?? false
}

export function NotPublished({ source, table, query }: { source: TableSource; table: Table; query: DataQuery }) {
  if (query.as_of !== undefined) {
    return (
      <>
        <VersionBar source={source} table={table} query={query} />
        <NotThen source={source} time={query.as_of} />
      </>
    )
  }
  return <Panel>{source.model === undefined ? <NoVersion source={source} /> : <NoRowsOfModel slug={source.slug} model={source.model} />}</Panel>
}

function NotThen({ source, time }: { source: TableSource; time: string }) {
  const versions = useLoad(source.versions, [source.path])
  const oldest = versions.data?.at(-1)
  return (
    <Panel>
      <Empty title={`Nothing was published at ${time}, as far as is known.`}>
        Choose a later time, or another version.
        {oldest && (
          <>
            {' '}
            Version {oldest.number} was made <Time at={oldest.created_at} />.
          </>
        )}
      </Empty>
    </Panel>
  )
}

function NoRowsOfModel({ slug, model }: { slug: string; model: string }) {
  return (
    <Empty
      title={`The model ${model} has no rows yet.`}
      action={
        <Link class="button" to={path`/projects/${slug}/models`} query={{ model }}>
          Go to the model
        </Link>
      }
    >
      A test has stopped them, its query has failed, or it was saved after the last refresh. Its page says which.
    </Empty>
  )
}

function NoVersion({ source }: { source: TableSource }) {
  const isDatasource = source.kind === 'datasource'
  return (
    <Empty
      title="Nothing is published yet."
      action={
        <Link class="button" to={isDatasource ? path`/datasources/${source.slug}` : path`/projects/${source.slug}`}>
          {isDatasource ? 'Go to the datasource' : 'Go to the project'}
        </Link>
      }
    >
      {isDatasource ? 'Run the datasource to fetch its first version.' : 'Run the project to merge its first version.'} If a run has
      failed,{' '}
      <Link to="/runs" query={{ [isDatasource ? 'datasource' : 'project']: source.slug }}>
        its page
      </Link>{' '}
      says why.
    </Empty>
  )
}
