/** Which version is shown, how complete and how old it is, and a way to another one. */
import { useState } from 'preact/hooks'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { Button, Note, State } from '../../ui/parts'
import { TIME_ZONE, TimeInput } from '../../ui/time'
import { formatAge, formatNumber, Time } from '../../ui/values'
import { changeQuery, type DataQuery } from './query'
import type { Table } from './rows'
import type { TableSource } from './source'

export function VersionBar({ source, table, query }: { source: TableSource; table: Table; query: DataQuery }) {
  const { page, version } = table
  const reasons = version?.completeness_reasons ?? []
  return (
    <>
      <div class="row version-bar">
        <VersionChoice source={source} query={query} shown={page?.version} />
        {page && (
          <>
            <State value={page.completeness} title={reasons.join(' ')} />
            <span class="muted">
              data of <Time at={page.data_as_of} />, made by <Link to={path`/runs/${page.run}`}>this run</Link>
            </span>
          </>
        )}
      </div>
      {page && page.stale.length > 0 && (
        <Note tone="warn">
          <strong>An earlier version stands in for what could not be fetched.</strong>
          <ul>
            {page.stale.map((entry) => (
              <li key={entry.datasource}>
                <Link to={path`/datasources/${entry.datasource}`}>{entry.datasource}</Link>: version {entry.version}, whose data is of{' '}
                <Time at={entry.data_as_of} />. {entry.error}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {page && page.completeness !== 'complete' && page.stale.length === 0 && reasons.length > 0 && (
        <Note tone="warn">
          <strong>{page.completeness === 'partial' ? 'Data is missing.' : 'It is not proven that this is all.'}</strong> {reasons.join(' ')}
        </Note>
      )}
    </>
  )
}

const AS_OF = 'as_of'

function VersionChoice({ source, query, shown }: { source: TableSource; query: DataQuery; shown: number | undefined }) {
  const versions = useLoad(source.versions, [source.path])
  const [asking, setAsking] = useState(query.as_of !== undefined)
  const chosen = asking || query.as_of !== undefined ? AS_OF : (query.version ?? '')
  const choose = (value: string) => {
    setAsking(value === AS_OF)
    if (value !== AS_OF) changeQuery({ version: value || null, as_of: null })
  }
  const listed = versions.data ?? []
  const isListed = query.version === undefined || listed.some((version) => String(version.number) === query.version)
  return (
    <>
      <label class="row">
        Version
        <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{chosen === '' && shown ? `${shown}, the published one` : 'the published one'}</option>
          {!isListed && <option value={query.version}>{query.version}</option>}
          {listed.map((version) => (
            <option key={version.number} value={String(version.number)}>
              {version.number}, {formatAge(version.created_at)}, {formatNumber(version.rows)} rows
              {version.completeness === 'complete' ? '' : `, ${version.completeness}`}
            </option>
          ))}
          <option value={AS_OF}>as of a time …</option>
        </select>
      </label>
      {chosen === AS_OF && <AsOf value={query.as_of ?? ''} shown={shown} />}
      {(query.version !== undefined || query.as_of !== undefined) && (
        <Button look="quiet" onClick={() => choose('')}>
          Back to the published one
        </Button>
      )}
    </>
  )
}

function AsOf({ value, shown }: { value: string; shown: number | undefined }) {
  return (
    <label class="row">
      as of ({TIME_ZONE})
      <TimeInput value={value} onChange={(time) => time && changeQuery({ version: null, as_of: time }, { replace: true })} />
      {value && shown !== undefined && <span>is version {shown}</span>}
    </label>
  )
}
