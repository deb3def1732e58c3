/** Operations on equipment, such as repairs, and what they cost. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useAction, useLoad } from '../../api/load'
import { useMay } from '../../api/me'
import { Link, path, setParameters, usePlace } from '../../router'
import { FormDialog } from '../../ui/dialog'
import { CardTable, ShowList } from '../../ui/list'
import { Button, Empty, Panel, ProblemNote, TextField } from '../../ui/parts'
import { TimeField } from '../../ui/time'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'

const ROWS = 10
const AGGREGATES = ['sum', 'avg', 'min', 'max'] as const
const NAMES = { sum: 'Sum', avg: 'Average', min: 'Lowest', max: 'Highest' }

export function Operations(props: { site?: string; equipment?: string }) {
  const { site, equipment } = props
  const { query } = usePlace()
  const [since, until] = [query.get('since') ?? '', query.get('until') ?? '']
  const period = { from: since ? `${since}T00:00:00Z` : undefined, to: until ? `${until}T00:00:00Z` : undefined }
  const [version, setVersion] = useState(0)
  const [recording, setRecording] = useState(false)
  const mayWrite = useMay('asset.write')
  const key = [site, equipment, since, until, version]
  const operations = useList(
    (cursor) => ok(api.GET('/v1/operations', { params: { query: { site, equipment, ...period, cursor, limit: ROWS } } })),
    key,
  )
  const costs = useLoad(
    () => Promise.all(AGGREGATES.map((agg) => ok(api.GET('/v1/operations/cost', { params: { query: { site, equipment, ...period, agg } } })))),
    key,
  )
  return (
    <Panel
      title="Operations and their costs"
      flush
      actions={
        <>
          <label class="row">
            From <input type="date" value={since} onChange={(event) => setParameters({ since: event.currentTarget.value }, { replace: true })} />
          </label>
          <label class="row">
            until before <input type="date" value={until} onChange={(event) => setParameters({ until: event.currentTarget.value }, { replace: true })} />
          </label>
          {equipment && mayWrite && <Button onClick={() => setRecording(true)}>Record an operation</Button>}
        </>
      }
    >
      <ProblemNote error={costs.error} retry={costs.reload} />
      {costs.data && costs.data[0]!.count > 0 && (
        <dl class="facts more">
          {costs.data.map((cost) => (
            <div key={cost.agg}>
              <dt>{NAMES[cost.agg as keyof typeof NAMES]}</dt>
              <dd>{cost.value}</dd>
            </div>
          ))}
          <div>
            <dt>Number</dt>
            <dd>{costs.data[0]!.count}</dd>
          </div>
        </dl>
      )}
      <ShowList
        from={operations}
        empty={<Empty title="No operations are recorded.">{equipment ? 'A repair, an inspection: whatever was done, and what it cost.' : 'They are recorded on the page of a piece of equipment.'}</Empty>}
      >
        {(items) => <OperationTable items={items} withEquipment={!equipment} />}
      </ShowList>
      {recording && (
        <RecordOperation
          equipment={equipment!}
          onClose={() => setRecording(false)}
          onDone={() => {
            setRecording(false)
            setVersion(version + 1)
          }}
        />
      )}
    </Panel>
  )
}

function OperationTable({ items, withEquipment }: { items: Schemas['OperationView'][]; withEquipment: boolean }) {
  return (
    <CardTable>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          {withEquipment && <th scope="col">Equipment</th>}
          <th scope="col" class="number">
            Cost
          </th>
          <th scope="col">Recorded by</th>
        </tr>
      </thead>
      <tbody>
        {items.map((operation) => (
          <tr key={operation.id}>
            <td>
              <Time at={operation.time} />
            </td>
            <td>{operation.type}</td>
            {withEquipment && (
              <td>
                <Link to={path`/equipment/${operation.equipment}`}>{operation.equipment}</Link>
              </td>
            )}
            <td class="number">{operation.cost}</td>
            <td>
              <Who id={operation.created_by} />
            </td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}

function RecordOperation(props: { equipment: string; onClose: () => void; onDone: () => void }) {
  const [type, setType] = useState('')
  const [cost, setCost] = useState('')
  const [time, setTime] = useState('')
  const record = useAction(async () => {
    const body = { type, cost: cost.trim(), time: time || null }
    await ok(api.POST('/v1/equipment/{code}/operations', { params: { path: { code: props.equipment } }, body }))
    toast('The operation is recorded.')
    props.onDone()
  })
  return (
    <FormDialog title={`Record an operation on ${props.equipment}`} submit="Record" action={record} onClose={props.onClose}>
      <TextField label="What was done" value={type} onInput={setType} required autoFocus placeholder="repair" wrong={record.error?.at('/type')} />
      <TextField label="Cost" value={cost} onInput={setCost} required placeholder="12.50" help="In US dollars, exactly; negative for a credit." wrong={record.error?.at('/cost')} />
      <TimeField label="When" value={time} onChange={setTime} help="Empty: now." wrong={record.error?.at('/time')} />
    </FormDialog>
  )
}
