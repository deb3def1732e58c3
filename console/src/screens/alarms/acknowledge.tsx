/** Take care of alarms: of a single one, or of several at once. */
import { useState } from 'preact/hooks'
import { ApiError, api, ok } from '../../api/client'
import { useAction } from '../../api/load'
import { FormDialog } from '../../ui/dialog'
import { Field } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { whyText, type Alarm } from './why'

const LISTED = 8

/** @param onDone called with the alarms as they are now. */
export function Acknowledge(props: { alarms: Alarm[]; onClose: () => void; onDone: (changed: Alarm[]) => void }) {
  const { alarms } = props
  const [comment, setComment] = useState('')
  const [done, setDone] = useState<Alarm[]>([])
  const left = alarms.filter((alarm) => !done.some((one) => one.id === alarm.id))
  const acknowledge = useAction(async () => {
    const changed = [...done]
    try {
      for (const alarm of left) {
        const params = { path: { alarm_id: alarm.id } }
        changed.push(await ok(api.POST('/v1/alarms/{alarm_id}/acknowledge', { params, body: { comment: comment || null } })))
        setDone([...changed])
      }
    } catch (error) {
      // Those before are acknowledged; the rest can be tried again.
      if (error instanceof ApiError && changed.length > 0) props.onDone(changed)
      throw error
    }
    toast(changed.length === 1 ? 'The alarm is acknowledged.' : `${changed.length} alarms are acknowledged.`)
    props.onDone(changed)
    props.onClose()
  })
  return (
    <FormDialog
      title={alarms.length === 1 ? 'Acknowledge the alarm' : `Acknowledge ${alarms.length} alarms`}
      submit="Acknowledge"
      action={acknowledge}
      onClose={props.onClose}
    >
      <ul>
        {alarms.slice(0, LISTED).map((alarm) => (
          <li key={alarm.id}>
            <span class="mono">{alarm.sensor}</span>: {whyText(alarm)}
          </li>
        ))}
        {alarms.length > LISTED && <li>and {alarms.length - LISTED} more</li>}
      </ul>
      <Field label="Comment" help="What you have found, or what will be done." wrong={acknowledge.error?.at('/comment')}>
        {(attributes) => (
          <textarea {...attributes} rows={3} maxLength={1000} autoFocus value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
        )}
      </Field>
      {acknowledge.busy && alarms.length > 1 && <progress aria-label="Acknowledged alarms" value={done.length} max={alarms.length} />}
    </FormDialog>
  )
}
