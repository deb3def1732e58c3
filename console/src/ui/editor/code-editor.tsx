import { sql, PostgreSQL } from '@codemirror/lang-sql'
import { yaml } from '@codemirror/lang-yaml'
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import { keymap } from '@codemirror/view'
import { basicSetup, EditorView } from 'codemirror'
import { useEffect, useRef } from 'preact/hooks'
import './code-editor.css'

export interface EditorProps {
  label: string
  language: 'sql' | 'yaml'
  value: string
  onChange: (value: string) => void
  /** Tables with the names of their columns, which SQL is completed with. */
  tables?: Record<string, string[]>
  /** Called by Ctrl-Enter. */
  onRun?: () => void
  /** Messages at lines, counted from 1. */
  faults?: { line: number; message: string }[]
  readOnly?: boolean
}

/** CodeMirror. Tab leaves the editor, as everywhere on the page. */
export function CodeEditor(props: EditorProps) {
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>()
  const newest = useRef(props)
  newest.current = props
  const language = useRef(new Compartment())

  useEffect(() => {
    view.current = new EditorView({
      parent: box.current!,
      state: EditorState.create({
        doc: props.value,
        extensions: [
          keymap.of([{ key: 'Mod-Enter', run: () => (newest.current.onRun?.(), true) }]),
          basicSetup,
          lintGutter(),
          language.current.of(languageOf(props)),
          EditorView.contentAttributes.of({ 'aria-label': props.label }),
          EditorView.lineWrapping,
          EditorState.readOnly.of(props.readOnly ?? false),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) newest.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    return () => view.current!.destroy()
  }, [])

  useEffect(() => {
    view.current!.dispatch({ effects: language.current.reconfigure(languageOf(newest.current)) })
  }, [props.tables, props.language])

  useEffect(() => {
    const shown = view.current!.state.doc.toString()
    if (shown !== props.value) view.current!.dispatch({ changes: { from: 0, to: shown.length, insert: props.value } })
  }, [props.value])

  useEffect(() => {
    const { state } = view.current!
    const diagnostics: Diagnostic[] = (props.faults ?? []).map((fault) => {
      const line = state.doc.line(Math.min(Math.max(fault.line, 1), state.doc.lines))
      return { from: line.from, to: line.to, severity: 'error', message: fault.message }
    })
    view.current!.dispatch(setDiagnostics(state, diagnostics))
  }, [props.faults, props.value])

  return <div ref={box} class="editor" />
}

function languageOf(props: EditorProps): Extension {
  return props.language === 'yaml' ? yaml() : sql({ dialect: PostgreSQL, schema: props.tables ?? {}, upperCaseKeywords: false })
}
