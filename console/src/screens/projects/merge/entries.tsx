/** A mapping from names of columns to texts: a line for each entry, and one for the next. */
import { useId, useState } from 'preact/hooks'
import { Button } from '../../../ui/parts'
import { useUnsaved } from '../../../unsaved'
import { CommitInput, CommitText } from './parts'

interface EntriesProps {
  title: string
  /** What a new name, in full and in short, and its text are called. */
  labels: { entry: string; hint: string; value: string }
  /** What the columns belong to, for the labels. */
  of: string
  entries: Record<string, string>
  onChange: (entries: Record<string, string>) => void
  /** What is wrong with the whole, and with one entry. */
  wrong: string | undefined
  wrongAt: (name: string) => string | undefined
  /** The ids of lists of suggestions. */
  names?: string
  values?: string
  /** Whether the texts are long. */
  long: boolean
}

export function Entries(props: EntriesProps) {
  const { title, of, entries, onChange } = props
  return (
    <fieldset>
      <legend>{title}</legend>
      <div class="entries">
        {Object.keys(entries).map((name) => (
          <Entry key={name} {...props} name={name} />
        ))}
        {props.wrong && <div class="failed">{props.wrong}</div>}
        <NewEntry key={`${title} ${of}`} {...props} onAdd={(name, text) => onChange({ ...entries, [name]: text })} />
      </div>
    </fieldset>
  )
}

function Entry({ name, labels, of, entries, onChange, wrongAt, values, long }: EntriesProps & { name: string }) {
  const id = useId()
  const wrong = wrongAt(name)
  const attributes = {
    'aria-label': `${labels.value} of ${name} in ${of}`,
    'aria-invalid': wrong ? ('true' as const) : undefined,
    'aria-describedby': wrong ? id : undefined,
    class: long ? 'mono' : undefined,
    value: entries[name]!,
    onCommit: (text: string) => onChange({ ...entries, [name]: text.trim() }),
  }
  const remove = () => {
    const { [name]: _, ...others } = entries
    onChange(others)
  }
  return (
    <>
      <div class={long ? 'entry long' : 'entry'}>
        <code title={name}>{name}</code>
        {long ? <CommitText {...attributes} /> : <CommitInput {...attributes} list={values} />}
        <Button look="quiet" onClick={remove} aria-label={`Remove ${labels.value} of ${name} in ${of}`}>
          Remove
        </Button>
      </div>
      {wrong && (
        <div class="failed" id={id}>
          {wrong}
        </div>
      )}
    </>
  )
}

function NewEntry({ labels, of, entries, names, values, long, onAdd }: EntriesProps & { onAdd: (name: string, text: string) => void }) {
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  useUnsaved(name !== '' || text !== '')
  const present = name.trim() in entries
  const ready = name.trim() !== '' && text.trim() !== '' && !present
  const add = () => {
    if (!ready) return
    onAdd(name.trim(), text.trim())
    setName('')
    setText('')
  }
  return (
    <form
      class={long ? 'entry long' : 'entry'}
      onSubmit={(event) => {
        event.preventDefault()
        add()
        event.currentTarget.querySelector('input')!.focus()
      }}
      onFocusOut={(event) => {
        // Who goes on to the next field, or to Save, has finished this entry.
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) add()
      }}
    >
      <input
        aria-label={`${labels.entry} in ${of}`}
        aria-invalid={present ? 'true' : undefined}
        placeholder={labels.hint}
        list={names}
        value={name}
        autoComplete="off"
        spellcheck={false}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <input
        aria-label={`${labels.value} of the next in ${of}`}
        placeholder={labels.value}
        class={long ? 'mono' : undefined}
        list={values}
        value={text}
        autoComplete="off"
        spellcheck={false}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" disabled={!ready} aria-label={`Add: ${labels.entry} in ${of}`}>
        Add
      </Button>
    </form>
  )
}
