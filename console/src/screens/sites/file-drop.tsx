/** A file to choose, or to drop with the mouse. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Field } from '../../ui/parts'

export function FileDrop(props: { label: string; accept: string; onFile: (file: File) => void; help?: ComponentChildren }) {
  const [over, setOver] = useState(false)
  return (
    <div
      class={`drop ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        const file = event.dataTransfer?.files[0]
        if (file) props.onFile(file)
      }}
    >
      <Field label={props.label} help={props.help}>
        {(attributes) => (
          <input
            {...attributes}
            type="file"
            accept={props.accept}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0]
              if (file) props.onFile(file)
              // The same file can be chosen again after it was changed.
              event.currentTarget.value = ''
            }}
          />
        )}
      </Field>
      <span class="muted">or drop it here</span>
    </div>
  )
}
