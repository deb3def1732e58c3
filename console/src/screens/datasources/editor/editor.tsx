/** The editor of a datasource: form and YAML side by side, with a try of what it would fetch. */
import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import type { ApiError } from '../../../api/client'
import { Editor } from '../../../ui/editor'
import { Note, Panel, ProblemNote } from '../../../ui/parts'
import { change, lineOf, parse, type Parsed } from './document'
import type { FormField } from './fields'
import { DocumentForm } from './form'
import { Trial } from './trial'

/**
 * @param text the document as YAML.
 * @param error the API's problem with the document, shown at its fields and lines.
 */
export function DatasourceEditor(props: {
  text: string
  onChange: (text: string) => void
  error: ApiError | undefined
  actions: (parsed: Parsed) => ComponentChildren
}) {
  const { text, error } = props
  const parsed = useMemo(() => parse(text), [text])
  const faults = useMemo(
    () =>
      parsed.fault
        ? [parsed.fault]
        : (error?.problem.errors ?? []).map((fault) => ({ line: lineOf(text, fault.pointer), message: fault.message })),
    [parsed, error, text],
  )
  const set = (field: FormField, value: unknown) => {
    // The schedule is one thing: without its expression it is nothing.
    const path = field.path[0] === 'schedule' && value === undefined ? ['schedule'] : field.path
    props.onChange(change(text, path, value))
  }
  return (
    <>
      <div class="columns">
        <Panel title="Form">
          {parsed.fault ? (
            <Note tone="warn">
              The YAML cannot be read: line {parsed.fault.line}: {parsed.fault.message}
            </Note>
          ) : (
            <DocumentForm value={parsed.value} error={error} onChange={set} />
          )}
        </Panel>
        <div class="stack">
          <Panel title="YAML">
            <div class="stack">
              <Editor label="Document as YAML" language="yaml" value={text} onChange={props.onChange} faults={faults} />
              <ProblemNote error={error} />
              <div class="row">{props.actions(parsed)}</div>
            </div>
          </Panel>
          <Trial parsed={parsed} />
        </div>
      </div>
    </>
  )
}
