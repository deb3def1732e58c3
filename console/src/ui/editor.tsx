/** The code editor, loaded when one is drawn first. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { EditorProps } from './editor/code-editor'

/** An editor of SQL or YAML; until it has loaded, a plain field with the same text. */
export function Editor(props: EditorProps) {
  const [Loaded, setLoaded] = useState<ComponentType<EditorProps> | null>(null)
  useEffect(() => {
    import('./editor/code-editor').then((module) => setLoaded(() => module.CodeEditor))
  }, [])
  if (Loaded) return <Loaded {...props} />
  return (
    <textarea
      aria-label={props.label}
      class="mono"
      rows={8}
      value={props.value}
      readOnly={props.readOnly}
      onInput={(event) => props.onChange(event.currentTarget.value)}
    />
  )
}
