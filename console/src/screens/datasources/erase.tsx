/** Erasing one record from everything that is stored: first what would go, then the erasure itself. */
import { useState } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useAction } from '../../api/load'
import { Dialog } from '../../ui/dialog'
import { Button, Note, ProblemNote, TextField } from '../../ui/parts'
import { formatNumber } from '../../ui/values'
import { RunProgress, type Run } from './run-progress'

type Step = { run: string; dry: boolean; ended?: Run }

/** @param keys the columns of the primary key with their types, as far as these are known. */
export function Erase(props: { slug: string; keys: { name: string; type?: string }[]; onClose: () => void; onDone: () => void }) {
  const { slug, keys } = props
  const [values, setValues] = useState<Record<string, string>>({})
  const [reason, setReason] = useState('')
  const [step, setStep] = useState<Step | null>(null)
  const ask = useAction(async (dry: boolean) => {
    const key = Object.fromEntries(keys.map(({ name, type }) => [name, keyValue(values[name] ?? '', type)]))
    const params = { path: { slug } }
    const run = await ok(api.POST('/v1/datasources/{slug}/erase', { params, body: { key, reason, dry_run: dry } }))
    setStep({ run: run.id, dry })
  })
  // What is shown must be what would be erased.
  const changed = (change: () => void) => {
    change()
    setStep(null)
    ask.clear()
  }
  const removed = step?.ended?.erasure?.removed
  const mayErase = step?.dry && step.ended?.status === 'succeeded' && removed && (removed.records ?? 0) > 0
  return (
    <Dialog title={`Erase a record of ${slug}`} onClose={props.onClose} changed={reason !== '' && step?.dry !== false}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          ask.run(true)
        }}
      >
        {keys.map(({ name, type }) => (
          <TextField
            key={name}
            label={name}
            value={values[name] ?? ''}
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
        {step && <RunProgress key={step.run} id={step.run} onEnd={(ended) => {
          setStep({ ...step, ended })
          if (!step.dry) props.onDone()
        }} />}
        {removed && <Removed removed={removed} dry={step.dry} />}
        <div class="row">
          <Button type="submit" busy={ask.busy} look={mayErase ? undefined : 'primary'}>
            Count what would go
          </Button>
          {mayErase && (
            <Button look="danger" busy={ask.busy} onClick={() => ask.run(false)}>
              Erase for good
            </Button>
          )}
          <Button onClick={props.onClose}>Close</Button>
        </div>
      </form>
    </Dialog>
  )
}

function Removed({ removed, dry }: { removed: Record<string, number>; dry: boolean }) {
  const kinds = Object.entries(removed).filter(([, count]) => count > 0)
  if (kinds.length === 0) return <Note tone="warn">Nothing that is stored has this record.</Note>
  return (
    <Note tone={dry ? 'warn' : 'info'}>
      <strong>{dry ? 'This would be removed or rewritten, and cannot be undone:' : 'This was removed or rewritten:'}</strong>
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
