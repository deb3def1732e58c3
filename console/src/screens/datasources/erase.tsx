/** Erasing one record from everything that is stored: first what would go, then the erasure itself. */
import { useState } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useAction } from '../../api/load'
import { own } from '../../own'
import { Dialog } from '../../ui/dialog'
import { Button, Note, ProblemNote, TextField } from '../../ui/parts'
import { formatNumber } from '../../ui/values'
import { RunProgress, type Run } from './run-progress'

type Asked = { key: Record<string, string | number | boolean>; reason: string }
type Step = { asked: Asked; run: string; dry: boolean; ended?: Run }

/** @param keys the columns of the primary key with their types, as far as these are known. */
export function Erase(props: { slug: string; keys: { name: string; type?: string }[]; onClose: () => void; onDone: () => void }) {
  const { slug, keys } = props
  const [values, setValues] = useState<Record<string, string>>({})
  const [reason, setReason] = useState('')
  const [step, setStep] = useState<Step | null>(null)
  const ask = useAction(async (asked: Asked, dry: boolean) => {
    const params = { path: { slug } }
    const run = await ok(api.POST('/v1/datasources/{slug}/erase', { params, body: { ...asked, dry_run: dry } }))
    setStep({ asked, run: run.id, dry })
  })
  const changed = (change: () => void) => {
    change()
    ask.clear()
  }
  const entered: Asked = {
    key: Object.fromEntries(keys.map(({ name, type }) => [name, keyValue(own(values, name) ?? '', type)])),
    reason,
  }
  // What was counted is what would be erased: the fields may have changed since, even before the answer came.
  const isEntered = JSON.stringify(step?.asked) === JSON.stringify(entered)
  const shown = step && (isEntered || !step.dry) ? step : null
  const removed = shown?.ended?.erasure?.removed
  const mayErase = shown?.dry && shown.ended?.status === 'succeeded' && removed && (removed.records ?? 0) > 0
  return (
    <Dialog title={`Erase a record of ${slug}`} onClose={props.onClose} changed={reason !== '' && step?.dry !== false}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          ask.run(entered, true)
        }}
      >
        {keys.map(({ name, type }) => (
          <TextField
            key={name}
            label={name}
            value={own(values, name) ?? ''}
            onInput={(value) => changed(() => setValues({ ...values, [name]: value }))}
            required
            help={type}
            wrong={ask.error?.at(`/key/${name}`)}
          />
        ))}
        <TextField
          label="Reason"
          value={reason}
          onInput={(value) => changed(() => setReason(value))}
          required
          wrong={ask.error?.at('/reason')}
          help="It is kept; do not repeat the record in it."
        />
        <ProblemNote error={ask.error} />
        {shown && <RunProgress key={shown.run} id={shown.run} onEnd={(ended) => {
          setStep({ ...shown, ended })
          if (!shown.dry) props.onDone()
        }} />}
        {removed && <Removed of={shown.asked} removed={removed} dry={shown.dry} />}
        <div class="row">
          <Button type="submit" busy={ask.busy} look={mayErase ? undefined : 'primary'}>
            Count what would go
          </Button>
          {mayErase && (
            <Button look="danger" busy={ask.busy} onClick={() => ask.run(shown.asked, false)}>
              Erase for good
            </Button>
          )}
          <Button onClick={props.onClose}>Close</Button>
        </div>
      </form>
    </Dialog>
  )
}

function Removed({ of, removed, dry }: { of: Asked; removed: Record<string, number>; dry: boolean }) {
  const record = Object.values(of.key).join(', ')
  const kinds = Object.entries(removed).filter(([, count]) => count > 0)
  if (kinds.length === 0) return <Note tone="warn">Nothing that is stored has the record {record}.</Note>
  return (
    <Note tone={dry ? 'warn' : 'info'}>
      <strong>
        {dry ? `This would be removed or rewritten for ${record}, and cannot be undone:` : `This was removed or rewritten for ${record}:`}
      </strong>
      <ul>
        {kinds.map(([kind, count]) => (
          <li key={kind}>
            {kind.replaceAll('_', ' ')}: {formatNumber(count)}
          </li>
        ))}
      </ul>
    </Note>
  )
}

/** A key as JSON has it: a number only in a column of numbers that JSON holds exactly. */
function keyValue(text: string, type: string | undefined): string | number | boolean {
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  if ((type === 'bigint' || type === 'double') && text.trim() !== '') {
    const number = Number(text)
    if (Number.isFinite(number) && (type === 'double' || Number.isSafeInteger(number))) return number
  }
  return text
}
