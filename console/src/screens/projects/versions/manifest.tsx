/** The manifest of a version: what went in, by which specification, and the hashes that prove it. */
import { api, ok, type Schemas } from '../../../api/client'
import { useLoad } from '../../../api/load'
import { Link, path } from '../../../router'
import { Dialog } from '../../../ui/dialog'
import { numeric, TableHead } from '../../../ui/list'
import { Note, Show, State } from '../../../ui/parts'
import { formatBytes, formatNumber, Json, Time } from '../../../ui/values'

type Detail = Schemas['VersionDetail']

export function Manifest({ slug, number, onClose }: { slug: string; number: number; onClose: () => void }) {
  const version = useLoad(
    () => ok(api.GET('/v1/projects/{slug}/versions/{number}', { params: { path: { slug, number: String(number) } } })),
    [slug, number],
  )
  return (
    <Dialog side title={`Manifest of version ${number}`} onClose={onClose}>
      <Show from={version}>{(data) => <Details version={data} />}</Show>
    </Dialog>
  )
}

function Details({ version }: { version: Detail }) {
  return (
    <>
      <dl>
        <dt>Made</dt>
        <dd>
          <Time at={version.created_at} /> by <Link to={path`/runs/${version.run}`}>its run</Link>
        </dd>
        <dt>Rows</dt>
        <dd>
          {formatNumber(version.rows)}, {formatBytes(version.bytes)}
        </dd>
        <dt>Data</dt>
        <dd>
          <State value={version.completeness} /> {version.completeness_reasons.join(' ')}
        </dd>
        <dt>Key</dt>
        <dd>{version.key?.join(', ') ?? 'none'}</dd>
        <dt>Engine</dt>
        <dd>{version.engine}</dd>
        <dt>Fingerprint</dt>
        <dd class="mono">{version.fingerprint}</dd>
        <dt>Output hash</dt>
        <dd class="mono">{version.output_hash}</dd>
      </dl>
      {version.warnings.length > 0 && (
        <Note tone="warn">
          <ul>
            {version.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Note>
      )}
      {version.erased.length > 0 && <Note tone="info">{formatNumber(version.erased.length)} records were erased from it.</Note>}
      <h3>What went in</h3>
      <Inputs version={version} />
      <h3>Columns</h3>
      <ul class="plain columns-list">
        {version.schema.map((column) => (
          <li key={column.name}>
            <code>{column.name}</code> <span class="muted">{column.type}</span>
          </li>
        ))}
      </ul>
      <h3>Files</h3>
      <ul class="plain">
        {version.objects.map((file) => (
          <li key={file.key}>
            <code>{file.key}</code>{' '}
            <span class="muted">
              {formatNumber(file.rows)} rows, {formatBytes(file.bytes)}
            </span>
          </li>
        ))}
      </ul>
      <details>
        <summary>The specification that it was made by</summary>
        <Json value={version.spec} />
      </details>
    </>
  )
}

function Inputs({ version }: { version: Detail }) {
  if (version.inputs.length === 0) return <p class="muted">Nothing.</p>
  return (
    <div class="table-box">
      <table class="plain">
        <TableHead columns={['Datasource', 'Version', numeric('Rows'), 'Fetched', 'Data']} />
        <tbody>
          {version.inputs.map((input) => (
            <tr key={input.datasource}>
              <td>
                <Link to={path`/datasources/${input.datasource}`}>{input.datasource}</Link>
                <div class="muted mono" title={input.hash ?? input.fingerprint}>
                  {(input.hash ?? input.fingerprint).slice(0, 19)}
                </div>
              </td>
              <td>
                <Link to={path`/datasources/${input.datasource}/data`} query={{ version: input.version }}>
                  {input.version}
                </Link>
              </td>
              <td class="number">{formatNumber(input.rows)}</td>
              <td>
                <Time at={input.created_at} />
              </td>
              <td>
                <State value={input.completeness} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
