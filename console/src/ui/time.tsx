/** Times that somebody enters or reads off an axis: in the browser's time zone, which is named beside them. */
import { Field } from './parts'

/** The browser's time zone. */
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone

/** Unix seconds in RFC 3339, to the second. */
export function timeText(seconds: number): string {
  return new Date(Math.round(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}

/** Unix seconds for an `<input type="datetime-local">`, in the browser's time zone. */
function fieldText(seconds: number): string {
  const offset = new Date(seconds * 1000).getTimezoneOffset() * 60
  return timeText(seconds - offset).slice(0, 19)
}

/** A time in the browser's time zone, as `2026-01-31 13:45:00`. */
export function localTime(seconds: number): string {
  return fieldText(seconds).replace('T', ' ')
}

interface InputProps {
  /** RFC 3339; empty if there is none. */
  value: string
  onChange: (value: string) => void
  required?: boolean
}

/** The control of a time, whose label says that it is in `TIME_ZONE`. */
export function TimeInput({ value, onChange, ...attributes }: InputProps) {
  const seconds = Date.parse(value) / 1000
  return (
    <input
      {...attributes}
      type="datetime-local"
      step={1}
      value={Number.isNaN(seconds) ? '' : fieldText(seconds)}
      onInput={(event) => {
        const entered = Date.parse(event.currentTarget.value) / 1000
        onChange(Number.isNaN(entered) ? '' : timeText(entered))
      }}
    />
  )
}

/** A time to enter. */
export function TimeField({ label, help, wrong, ...input }: InputProps & { label: string; help?: string; wrong?: string }) {
  return (
    <Field label={`${label} (${TIME_ZONE})`} help={help} wrong={wrong}>
      {(attributes) => <TimeInput {...attributes} {...input} />}
    </Field>
  )
}
