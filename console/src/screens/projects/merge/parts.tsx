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

export function CommitInput({ value, onCommit, ...rest }: CommitProps & { id?: string; 'aria-label'?: string }) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useUnsaved(text !== value)
  return (
    <input
      {...rest}
      value={text}
      autoComplete="off"
      spellcheck={false}
      onInput={(event) => setText(event.currentTarget.value)}
      onChange={() => text !== value && onCommit(text)}
    />
  )
}
