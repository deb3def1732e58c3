/** Fields of the form that count when the user has finished with them, so that half a word is not previewed. */
import { useEffect, useState } from 'preact/hooks'
import { Field } from '../../../ui/parts'
import { useUnsaved } from '../../../unsaved'

interface CommitProps {
  value: string
  onCommit: (value: string) => void
  placeholder?: string
  /** The id of a list of suggestions. */
  list?: string
}

export function CommitField(props: CommitProps & { label: string; help?: string; wrong?: string }) {
  return (
    <Field label={props.label} help={props.help} wrong={props.wrong}>
      {(attributes) => <CommitInput {...attributes} value={props.value} onCommit={props.onCommit} list={props.list} placeholder={props.placeholder} />}
    </Field>
  )
}

interface InputAttributes {
  id?: string
  class?: string
  'aria-label'?: string
  'aria-invalid'?: 'true'
  'aria-describedby'?: string
}

export function CommitInput({ value, onCommit, ...rest }: CommitProps & InputAttributes) {
  return <input {...rest} {...useCommitted<HTMLInputElement>(value, onCommit)} autoComplete="off" spellcheck={false} />
}

/** The same with several lines, as many as its text has. */
export function CommitText({ value, onCommit, ...rest }: CommitProps & InputAttributes) {
  const field = useCommitted<HTMLTextAreaElement>(value, onCommit)
  return <textarea {...rest} {...field} rows={field.value.split('\n').length} spellcheck={false} />
}

function useCommitted<E extends HTMLInputElement | HTMLTextAreaElement>(value: string, onCommit: (value: string) => void) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useUnsaved(text !== value)
  return {
    value: text,
    onInput: (event: { currentTarget: E }) => setText(event.currentTarget.value),
    onChange: () => text !== value && onCommit(text),
  }
}
