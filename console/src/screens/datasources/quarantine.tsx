/** Readings that were refused: why, and taking them in again or discarding them. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useMay } from '../../api/me'
import { ConfirmButton } from '../../ui/dialog'
import { CardTable, ShowList } from '../../ui/list'
import { Empty, Note, Panel } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import './datasources.css'
import { DatasourcePage } from './tabs'

type Quarantined = Schemas['QuarantinedRecord']
const MOST_AT_ONCE = 100

export default function Quarantine({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const mayRead = useMay('reading.read')
  return (
    <DatasourcePage slug={slug} title="Quarantine">
      {mayRead ? (
        <QuarantinedRecords />
      ) : (
        <Panel>
          <Empty title="You may not read sensors’ readings.">Ask an admin for a key that is not limited to projects.</Empty>
        </Panel>
      )}
    </DatasourcePage>
  )
}

function QuarantinedRecords() {
  const mayWrite = useMay('reading.write')
  const records = useList((cursor) => ok(api.GET('/v1/readings/quarantine', { params: { query: { cursor, limit: 100 } } })), [])
  const [chosen, setChosen] = useState<Set<string>>(new Set())
  const [refused, setRefused] = useState<Schemas['StillRefused'][]>([])
  const ids = [...chosen].slice(0, MOST_AT_ONCE)
  const done = () => {
    setChosen(new Set())
    records.reload()
  }
  const redrive = async () => {
    const answer = await redriven(ids.length > 0 ? ids : null)
    setRefused(answer.refused)
    toast(`${answer.accepted} readings are taken in, ${answer.refused.length} are still refused.`)
    done()
  }
  const discard = async () => {
    await ok(api.POST('/v1/readings/quarantine/discard', { body: { ids } }))
    toast(`${ids.length} readings are discarded.`)
    done()
  }
  const isEmpty = !records.items || records.items.length === 0
  return (
    <>
      <p class="muted">
        Readings of all sensors that were refused, whichever datasource they would have come to. Mend the cause, such as a sensor that
        is not known yet; then take them in again.
      </p>
      {refused.length > 0 && (
        <Note tone="warn">
          Still refused:
          <ul>
            {refused.slice(0, 20).map((one) => (
              <li key={one.id}>{one.message}</li>
            ))}
          </ul>
        </Note>
      )}
      <Panel
        title="Quarantine"
        flush
        actions={
          mayWrite &&
          !isEmpty && (
            <>
              <ConfirmButton
                text={ids.length > 0 ? `Take in ${ids.length} again` : 'Take in all again'}
                look="primary"
                question="They leave the quarantine if they are accepted now."
                work={redrive}
              />
              {ids.length > 0 && (
                <ConfirmButton text={`Discard ${ids.length}`} look="danger" question="They are deleted for good." work={discard} />
              )}
            </>
          )
        }
      >
        <ShowList from={records} empty={<Empty title="Nothing is in quarantine.">Every reading that arrived was accepted.</Empty>}>
          {(items) => <Records items={items} chosen={chosen} onChoose={mayWrite ? setChosen : null} />}
        </ShowList>
      </Panel>
    </>
  )
}

/** Redrive page by page until all were tried. */
async function redriven(ids: string[] | null): Promise<{ accepted: number; refused: Schemas['StillRefused'][] }> {
  const sum = { accepted: 0, refused: [] as Schemas['StillRefused'][] }
  let cursor: string | undefined
  do {
    const answer = await ok(api.POST('/v1/readings/quarantine/redrive', { params: { query: { cursor } }, body: { ids } }))
    sum.accepted += answer.accepted
    sum.refused.push(...answer.refused)
    cursor = answer.next ?? undefined
  } while (cursor)
  return sum
}

function Records(props: { items: Quarantined[]; chosen: Set<string>; onChoose: ((chosen: Set<string>) => void) | null }) {
  const { items, chosen, onChoose } = props
  const toggle = (id: string) => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    onChoose?.(next)
  }
  const allChosen = items.every((item) => chosen.has(item.id))
  return (
    <CardTable>
      <thead>
        <tr>
          {onChoose && (
            <th scope="col">
              <input
                type="checkbox"
                aria-label="Choose all"
                checked={allChosen}
                onChange={() => onChoose(new Set(allChosen ? [] : items.slice(0, MOST_AT_ONCE).map((item) => item.id)))}
              />
            </th>
          )}
          <th scope="col">Why</th>
          <th scope="col">Reading</th>
          <th scope="col">Arrived</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.id}>
            {onChoose && (
              <td>
                <input type="checkbox" aria-label={`Choose ${item.id}`} checked={chosen.has(item.id)} onChange={() => toggle(item.id)} />
              </td>
            )}
            <td>{item.reason}</td>
            <td>
              <code class="wrapped">{item.record}</code>
            </td>
            <td>
              <Time at={item.arrived_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}
