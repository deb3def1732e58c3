/** Choose the span of the charts: by name, by its two times, or by steps; all without a mouse, too. */
import { useEffect, useState } from 'preact/hooks'
import { Button, SelectField } from '../../ui/parts'
import { TimeField, timeText } from '../../ui/time'
import { RESOLUTIONS, type Resolution } from './points'
import { presentSpan, showLast, showSpan, SPANS, type ChosenSpan, type Span } from './span'

export function SpanControls(props: {
  chosen: ChosenSpan
  resolution: Resolution | null
  onResolution: (value: string | null) => void
}) {
  const { chosen } = props
  return (
    <div class="stack">
      <div class="row span-controls">
        <SelectField
          label="Span"
          value={chosen.fixed ? 'fixed' : chosen.last}
          options={[...SPANS, ...(chosen.fixed ? [{ value: 'fixed', text: 'From – to' }] : [])]}
          onChange={(value) => value !== 'fixed' && showLast(value)}
        />
        <FromTo chosen={chosen} />
        <SelectField
          label="Resolution"
          value={props.resolution ?? ''}
          options={[{ value: '', text: 'Chosen by the API' }, ...Object.entries(RESOLUTIONS).map(([value, text]) => ({ value, text }))]}
          onChange={(value) => props.onResolution(value || null)}
        />
      </div>
      <div class="row">
        {STEPS.map(({ text, step }) => (
          <Button key={text} onClick={() => showSpan(step(presentSpan(chosen)))}>
            {text}
          </Button>
        ))}
        {chosen.fixed && <Button onClick={() => showSpan(null)}>Back to now</Button>}
      </div>
    </div>
  )
}

/** Move and scale a span by shares of its length. */
function moved({ from, to }: Span, first: number, last: number): Span {
  const length = to - from
  return { from: from + first * length, to: to + last * length }
}

const STEPS = [
  { text: '← Earlier', step: (span: Span) => moved(span, -0.5, -0.5) },
  { text: 'Later →', step: (span: Span) => moved(span, 0.5, 0.5) },
  { text: 'Zoom in', step: (span: Span) => moved(span, 0.25, -0.25) },
  { text: 'Zoom out', step: (span: Span) => moved(span, -0.5, 0.5) },
]

function FromTo({ chosen }: { chosen: ChosenSpan }) {
  const present = presentSpan(chosen)
  const [from, setFrom] = useState(timeText(present.from))
  const [to, setTo] = useState(timeText(present.to))
  useEffect(() => {
    const span = presentSpan(chosen)
    setFrom(timeText(span.from))
    setTo(timeText(span.to))
  }, [chosen.last, chosen.fixed?.from, chosen.fixed?.to])
  const [first, last] = [Date.parse(from) / 1000, Date.parse(to) / 1000]
  const wrong = first < last ? undefined : 'Must be before the end.'
  return (
    <form
      class="row span-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (!wrong) showSpan({ from: first, to: last })
      }}
    >
      <TimeField label="From" value={from} onChange={setFrom} wrong={wrong} />
      <TimeField label="To" value={to} onChange={setTo} />
      <Button type="submit">Show</Button>
    </form>
  )
}
