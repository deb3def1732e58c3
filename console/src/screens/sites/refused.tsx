/** Readings of files and streams that were refused: why, and another try. */
import { useEffect } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useList } from '../../api/list'
import { useAction } from '../../api/load'
import { ConfirmButton } from '../../ui/dialog'
import { CardTable, ShowList, TableHead } from '../../ui/list'
import { Button, Empty, Panel, ProblemNote } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'

/** When the readings of an uploaded file may be stored, and its refused ones be listed. */
const AFTER_UPLOAD_MS = [3_000, 8_000, 20_000]

/** @param version grows with each upload. */
export function RefusedReadings({ version }: { version: number }) {
  const records = useList((cursor) => ok(api.GET('/v1/readings/quarantine', { params: { query: { cursor, limit: 50 } } })), [version])
  useEffect(() => {
    if (version === 0) return
    const timers = AFTER_UPLOAD_MS.map((wait) => setTimeout(records.reload, wait))
    return () => timers.forEach(clearTimeout)
  }, [version])
  const ids = records.items?.map((record) => record.id) ?? []
  const redrive = useAction(async () => {
    let [accepted, refused] = [0, 0]
    let cursor: string | undefined
    do {
      const answer = await ok(api.POST('/v1/readings/quarantine/redrive', { params: { query: { cursor } }, body: { ids: null } }))
      accepted += answer.accepted
      refused += answer.refused.length
      cursor = answer.next ?? undefined
    } while (cursor)
    toast(`${accepted} readings are stored, ${refused} are refused again.`)
    records.reload()
  })
  return (
    <Panel
      title="Refused readings"
      flush
      actions={
        <>
          <Button onClick={records.reload}>Refresh</Button>
          {ids.length > 0 && (
            <>
              <Button busy={redrive.busy} onClick={() => redrive.run()}>
                Try all again
              </Button>
              <ConfirmButton
                text={`Discard ${ids.length} shown`}
                look="danger"
                question="They are deleted from this list. The files and batches as received stay in the lake."
                work={async () => {
                  // The API takes 100 at once.
                  for (let first = 0; first < ids.length; first += 100) {
                    await ok(api.POST('/v1/readings/quarantine/discard', { body: { ids: ids.slice(first, first + 100) } }))
                  }
                  records.reload()
                }}
              />
            </>
          )}
        </>
      }
    >
      <ProblemNote error={redrive.error} />
      <ShowList from={records} empty={<Empty title="No reading was refused.">Readings of files and streams that cannot be stored are listed here, with the reason.</Empty>}>
        {(items) => (
          <CardTable>
            <TableHead columns={['Why', 'Record', 'From']} />
            <tbody>
              {items.map((record) => (
                <tr key={record.id}>
                  <td class="wide">{record.reason}</td>
                  <td class="wide">
                    <pre>{record.record}</pre>
                  </td>
                  <td class="wide" title={record.id}>
                    {placeOf(record.id)}
                    {record.arrived_at && (
                      <div class="muted">
                        arrived <Time at={record.arrived_at} />
                      </div>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </CardTable>
        )}
      </ShowList>
    </Panel>
  )
}

/** Where a refused reading came from, without the names of the lake: the file, or the stream. */
function placeOf(id: string): string {
  const file = /^file\/(?:[^/]+\/)+([^/]+)\/[^/]+\/(\d+)$/.exec(id)
  return file ? `line ${file[2]} of the file ${file[1]}` : id
}
