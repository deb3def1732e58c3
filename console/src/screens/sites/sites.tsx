/** All sites: what they have, which alarms they have now, and what their operations cost. */
import './sites.css'
import { useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { Link, path, useParameter } from '../../router'
import { CardTable, numeric, TableHead } from '../../ui/list'
import { Badge, Button, Empty, Page, Panel, Show } from '../../ui/parts'
import { formatNumber } from '../../ui/values'
import { SEVERITIES, SeverityBadge, severityOf, type Alarm } from '../alarms/why'
import { useOpenAlarms } from './active-alarms'
import { CreateSite } from './forms'
import { Import, isKind } from './import'
import { RefusedReadings } from './refused'
import { UploadReadings } from './send-readings'

type Site = Schemas['SiteView']
type Type = Site['type']
const TYPES = ['vessel', 'factory', 'plant'] as const

export default function Sites() {
  const [mayWrite, maySend] = [useMay('asset.write'), useMay('reading.write')]
  const [type, setType] = useParameter('type')
  const [kind, setKind] = useParameter('import')
  const [uploading, setUploading] = useParameter('upload')
  const [creating, setCreating] = useState(false)
  const [uploads, setUploads] = useState(0)
  const [imports, setImports] = useState(0)
  const only = TYPES.find((one) => one === type)
  const sites = useLoad(
    () => all((cursor) => ok(api.GET('/v1/sites', { params: { query: { type: only, cursor, limit: 200 } } }))),
    [only],
  )
  return (
    <Page
      title="Sites and sensors"
      actions={
        <>
          {maySend && <Button onClick={() => setUploading('readings')}>Upload readings</Button>}
          {mayWrite && <Button onClick={() => setKind('sites')}>Import</Button>}
          {mayWrite && (
            <Button look="primary" onClick={() => setCreating(true)}>
              Add a site
            </Button>
          )}
        </>
      }
    >
      <Show from={sites}>
        {(items) => (
          <Panel
            title="Sites"
            flush={items.length > 0}
            actions={
              <select aria-label="Type" value={only ?? ''} onChange={(event) => setType(event.currentTarget.value || null)}>
                <option value="">All types</option>
                {TYPES.map((one) => (
                  <option key={one} value={one}>
                    {PLURALS[one]}
                  </option>
                ))}
              </select>
            }
          >
            {items.length > 0 ? <SiteTable key={imports} sites={items} /> : <NoSites filtered={only !== undefined} mayWrite={mayWrite} onImport={() => setKind('sites')} />}
          </Panel>
        )}
      </Show>
      {maySend && <RefusedReadings version={uploads} />}
      {isKind(kind) && <Import kind={kind} onKind={setKind} onClose={() => setKind(null)} onDone={() => (setImports(imports + 1), sites.reload())} />}
      {uploading && <UploadReadings onClose={() => setUploading(null)} onUploaded={() => setUploads(uploads + 1)} />}
      {creating && <CreateSite onClose={() => setCreating(false)} />}
    </Page>
  )
}

const PLURALS: Record<Type, string> = { vessel: 'Vessels', factory: 'Factories', plant: 'Plants' }

function NoSites(props: { filtered: boolean; mayWrite: boolean; onImport: () => void }) {
  if (props.filtered) return <Empty title="There is no site of this type." />
  return (
    <Empty title="There are no sites yet." action={props.mayWrite && <Button onClick={props.onImport}>Import from CSV</Button>}>
      A site is a vessel, factory or plant with equipment, whose sensors send readings and raise alarms.
    </Empty>
  )
}

function SiteTable({ sites }: { sites: Site[] }) {
  const equipment = useLoad(() => all((cursor) => ok(api.GET('/v1/equipment', { params: { query: { cursor, limit: 200 } } }))), [])
  const alarms = useOpenAlarms({})
  const costs = useLoad(() => ok(api.GET('/v1/sites/operations/cost', { params: { query: { agg: 'sum' } } })), [])
  return (
    <CardTable>
      <TableHead columns={['Site', 'Type', numeric('Active equipment'), numeric('Inactive'), 'Alarms now', numeric('Operating costs')]} />
      <tbody>
        {sites.map((site) => {
          const here = equipment.data?.filter((one) => one.site === site.code)
          const inactive = here?.filter((one) => one.status === 'inactive').length
          const cost = costs.data?.items.find((one) => one.site === site.code)
          return (
            <tr key={site.code}>
              <td class="wide">
                <Link to={path`/sites/${site.code}`}>{site.name ?? site.code}</Link>
                <div class="muted mono">{site.code}</div>
              </td>
              <td>{site.type}</td>
              <td class="number">{here ? formatNumber(here.length - inactive!) : '…'}</td>
              <td class="number">{here ? formatNumber(inactive) : '…'}</td>
              <td class="wide">{alarms.data ? <AlarmCounts site={site.code} alarms={alarms.data.filter((one) => one.site === site.code)} /> : '…'}</td>
              <td class="number" title={cost && `${cost.count} operations`}>
                {costs.data ? (cost?.value ?? <span class="muted">none</span>) : '…'}
              </td>
            </tr>
          )
        })}
      </tbody>
    </CardTable>
  )
}

function AlarmCounts({ site, alarms }: { site: string; alarms: Alarm[] }) {
  if (alarms.length === 0) return <Badge tone="good">none</Badge>
  const counts = SEVERITIES.map((severity) => ({ severity, count: alarms.filter((alarm) => severityOf(alarm) === severity).length }))
  const waiting = alarms.filter((alarm) => alarm.state === 'active').length
  return (
    <div class="row">
      {counts.map(({ severity, count }) => count > 0 && <SeverityBadge key={severity} severity={severity} count={count} />)}
      <Link to="/alarms" query={{ site, state: waiting > 0 ? null : 'acknowledged' }} aria-label={`Alarms of ${site}`}>
        {waiting > 0 ? `${waiting} to acknowledge` : 'all acknowledged'}
      </Link>
    </div>
  )
}
