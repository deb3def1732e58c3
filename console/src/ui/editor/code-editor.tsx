import { autocompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { sql, PostgreSQL, SQLDialect } from '@codemirror/lang-sql'
import { yaml } from '@codemirror/lang-yaml'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { Annotation, Compartment, EditorState, type Extension } from '@codemirror/state'
import { keymap } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { basicSetup, EditorView } from 'codemirror'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import './code-editor.css'

/** What can be done to an editor from beside it. */
export interface EditorHandle {
  /** Put a text where the cursor is, or in place of what is selected. */
  insert: (text: string) => void
}

export interface EditorProps {
  label: string
  language: 'sql' | 'yaml'
  value: string
  onChange: (value: string) => void
  /** Tables with the names of their columns, which SQL is completed with. */
  tables?: Record<string, string[]>
  /** Called by Ctrl-Enter. */
  onRun?: () => void
  /** Messages at lines, counted from 1; with a column, from there to the end of the word. */
  faults?: { line: number; column?: number; message: string }[]
  readOnly?: boolean
  /** Set to the editor's handle as long as it is drawn. */
  handle?: RefObject<EditorHandle>
}

// Of the theme's colours, so that both languages can be read in the dark, too.
const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--chart-4)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--chart-3)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--chart-2)' },
  { tag: [tags.typeName, tags.special(tags.name)], color: 'var(--chart-6)' },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--chart-1)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--muted)', fontStyle: 'italic' },
])

/** Marks a change that `value` made. */
const FROM_VALUE = Annotation.define<boolean>()

/** CodeMirror. Tab leaves the editor, as everywhere on the page. */
export function CodeEditor(props: EditorProps) {
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>()
  const newest = useRef(props)
  newest.current = props
  const language = useRef(new Compartment())
  // Texts that `onChange` was called with and that have not come back as `value`. Whoever types fast is ahead of it.
  const sent = useRef<string[]>([])

  useEffect(() => {
    view.current = new EditorView({
      parent: box.current!,
      state: EditorState.create({
        doc: props.value,
        extensions: [
          keymap.of([{ key: 'Mod-Enter', run: () => (newest.current.onRun?.(), true) }]),
          basicSetup,
          autocompletion({ icons: false }),
          syntaxHighlighting(COLOURS),
          lintGutter(),
          language.current.of(languageOf(props)),
          // Within what scrolls, something must take the focus by Tab even while it is read only.
          EditorView.contentAttributes.of({ 'aria-label': props.label, tabindex: '0' }),
          EditorView.lineWrapping,
          EditorState.readOnly.of(props.readOnly ?? false),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged || update.transactions.some((one) => one.annotation(FROM_VALUE))) return
            const text = update.state.doc.toString()
            sent.current.push(text)
            newest.current.onChange(text)
          }),
        ],
      }),
    })
    const { handle } = props
    if (handle) {
      handle.current = {
        insert: (text) => {
          view.current!.dispatch(view.current!.state.replaceSelection(text))
          view.current!.focus()
        },
      }
    }
    return () => {
      if (handle) handle.current = null
      view.current!.destroy()
    }
  }, [])

  useEffect(() => {
    view.current!.dispatch({ effects: language.current.reconfigure(languageOf(newest.current)) })
  }, [props.tables, props.language])

  useEffect(() => {
    const answered = sent.current.indexOf(props.value)
    sent.current.splice(0, answered < 0 ? Infinity : answered + 1)
    const shown = view.current!.state.doc.toString()
    if (answered >= 0 || shown === props.value) return
    view.current!.dispatch({ changes: { from: 0, to: shown.length, insert: props.value }, annotations: FROM_VALUE.of(true) })
  }, [props.value])

  useEffect(() => {
    const { state } = view.current!
    const diagnostics: Diagnostic[] = (props.faults ?? []).map((fault) => {
      const line = state.doc.line(Math.min(Math.max(fault.line, 1), state.doc.lines))
      const from = Math.min(line.from + (fault.column ?? 1) - 1, line.to)
      const word = fault.column === undefined ? null : state.wordAt(from)
      // At the end of a line there is nothing to underline: the line is, then.
      const whole = fault.column === undefined || from === line.to
      return { from: whole ? line.from : from, to: whole ? line.to : (word?.to ?? from + 1), severity: 'error', message: fault.message }
    })
    view.current!.dispatch(setDiagnostics(state, diagnostics))
  }, [props.faults, props.value])

  return <div ref={box} class="editor" />
}

// Most words that PostgreSQL reserves for something, such as name, rank and id, are columns here.
const DIALECT = SQLDialect.define({
  ...PostgreSQL.spec,
  keywords:
    'all and any as asc asof between by case cast cross current_date current_timestamp desc distinct else end except exclude ' +
    'exists false filter first following from full group having ilike in inner intersect interval into is join last lateral ' +
    'left like limit natural not null nulls offset on or order outer over partition preceding qualify recursive replace right ' +
    'row rows select semi then true unbounded union using values when where window with',
  types:
    'bigint blob boolean date decimal double float hugeint int integer interval json real smallint struct time timestamp ' +
    'timestamptz tinyint varchar',
  // Parameters.
  specialVar: '$',
  doubleDollarQuotedStrings: false,
})

function languageOf(props: EditorProps): Extension {
  if (props.language === 'yaml') return yaml()
  const tables = props.tables ?? {}
  const columns = DIALECT.language.data.of({ autocomplete: (context: CompletionContext) => completedColumn(context, tables) })
  return [sql({ dialect: DIALECT, schema: tables, upperCaseKeywords: false }), columns]
}

/**
 * The columns of the tables that the text names, or of all while it names none.
 *
 * The language itself completes columns after the name of their table only.
 */
function completedColumn(context: CompletionContext, tables: Record<string, string[]>): CompletionResult | null {
  const word = context.matchBefore(/\w+$/)
  if (!word && !context.explicit) return null
  const from = word?.from ?? context.pos
  if (context.state.sliceDoc(from - 1, from) === '.') return null
  const words = new Set(context.state.doc.toString().toLowerCase().match(/\w+/g))
  const named = Object.entries(tables).filter(([table]) => words.has(table.toLowerCase()))
  const columns = (named.length > 0 ? named : Object.entries(tables)).flatMap(([table, names]) =>
    names.map((label) => ({ label, type: 'property', detail: table, boost: 1 })),
  )
  return columns.length > 0 ? { from, options: columns, validFor: /^\w*$/ } : null
}
