/** The document of an input as tables or as YAML, with what is wrong at its place. Nothing is stored until it is saved. */
import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { ApiError } from '../../api/client'
import { useAction } from '../../api/load'
import { useParameter } from '../../router'
import { Dialog } from '../../ui/dialog'
import { Badge, Button, Empty, Note, Panel, ProblemNote, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { useOnceSaved, useUnsaved } from '../../unsaved'
import { EditableGrid, type Target } from './editable-grid'
import { afterChange, afterRemoval, faultsOf, type Fault } from './faults'
import { FaultTable } from './fault-table'
import { nodeNames, type Document, type Item, type Kind, type Table } from './kinds'
import { Workbook, type Received } from './workbook'
import { YamlDocument } from './yaml-document'
import './inputs.css'

/** Those of the address by which another document is shown. */
const PARAMETERS = ['part', 'version', 'new']

/**
 * @param slug the input, for the check of workbooks; null: a new one.
 * @param document as it is stored when the editor is drawn first.
 * @param save stores a document; it rejects with the API's problem.
 * @param onSaved called after a save, unless something was entered since it was sent.
 */
export function DocumentEditor(props: {
  slug: string | null
  kind: Kind
  document: Document
  readOnly?: boolean
  save: (document: Document, comment: string | null) => Promise<unknown>
  onSaved?: () => void
  /** What to do if somebody else has saved it meanwhile; it calls the function when that is decided. */
  conflict?: (decided: () => void) => ComponentChildren
}) {
  const { kind, readOnly = false } = props
  // The API stores a document as it was sent.
  const [stored, setStored] = useState(props.document)
  const [document, setDocument] = useState(stored)
  const [faults, setFaults] = useState<Fault[]>([])
  const [comment, setComment] = useState('')
  // The workbook that the document is from, and one that waits for a decision.
  const [source, setSource] = useState<Received | null>(null)
  const [offered, setOffered] = useState<Received | null>(null)
  const [target, setTarget] = useState<Target | null>(null)
  const [view, setView] = useParameter('view')
  const [tableName, setTable] = useParameter('table')
  const asYaml = kind.tables.length === 0 || view === 'yaml'
  const table = kind.tables.find((one) => one.name === tableName) ?? kind.tables[0]
  const changed = document !== stored
  useUnsaved(changed, PARAMETERS)
  const commentField = useRef<HTMLDivElement>(null)

  const onceSaved = useOnceSaved(() => props.onSaved?.())
  const saving = useAction(async () => {
    try {
      await props.save(document, comment.trim() || null)
      setStored(document)
      setFaults([])
      setSource(null)
      setComment((present) => (present === comment ? '' : present))
      onceSaved()
    } catch (error) {
      if (error instanceof ApiError) setFaults(faultsOf(error, kind, document))
      throw error
    }
  })
  const take = (received: Received) => {
    setOffered(null)
    setDocument(received.document)
    setFaults(received.faults)
    setSource(received)
    saving.clear()
    if (received.faults.length === 0) {
      toast(`${received.name} has no errors. Save it to make it a version.`)
      commentField.current?.querySelector('input')?.focus()
    }
  }
  // A check takes a while, in which the document may be edited.
  const edited = changed && document !== source?.document
  const receive = useRef(take)
  receive.current = edited ? setOffered : take
  const discard = () => {
    setDocument(stored)
    setFaults([])
    setSource(null)
    saving.clear()
  }
  const goTo = (fault: Fault) => {
    if (!fault.at) return
    setView(null)
    setTable(fault.at.table)
    setTarget({ row: fault.at.row, column: fault.at.column })
  }

  return (
    <>
      {kind.workbook && !readOnly && <Workbook slug={props.slug} kind={kind} onReceived={(received) => receive.current(received)} />}
      {offered && <Offer name={offered.name} onTake={() => take(offered)} onKeep={() => setOffered(null)} />}
      {faults.length > 0 && <FaultTable kind={kind} faults={faults} source={source?.name ?? null} onGo={goTo} />}
      {saving.error?.status === 412 && props.conflict
        ? props.conflict(saving.clear)
        : faults.length === 0 && <ProblemNote error={saving.error} />}
      <Panel
        flush={!asYaml}
        title={changed ? <>Document <Badge tone="warn">not saved</Badge></> : 'Document'}
        actions={
          kind.tables.length > 0 && (
            <div class="row" role="group" aria-label="View">
              {kind.tables.map((one) => (
                <Button
                  key={one.name}
                  look={!asYaml && one === table ? 'primary' : undefined}
                  aria-pressed={!asYaml && one === table}
                  onClick={() => (setView(null), setTable(one.name))}
                >
                  {one.title} {one.items(document).length}
                </Button>
              ))}
              <Button look={asYaml ? 'primary' : undefined} aria-pressed={asYaml} onClick={() => setView('yaml')}>
                YAML
              </Button>
            </div>
          )
        }
      >
        {asYaml ? (
          <YamlDocument document={document} faults={faults} readOnly={readOnly} onChange={setDocument} />
        ) : (
          <TableOfDocument
            table={table!}
            document={document}
            faults={faults}
            readOnly={readOnly}
            target={target}
            onChange={(changedDocument, rest) => (setDocument(changedDocument), setFaults(rest))}
            onTarget={setTarget}
          />
        )}
      </Panel>
      {!readOnly && (
        <form class="save-bar" onSubmit={(event) => (event.preventDefault(), void saving.run())}>
          <div ref={commentField}>
            <TextField
              label="Comment"
              value={comment}
              onInput={setComment}
              placeholder={source ? `From ${source.name}` : 'What changes, and why'}
              wrong={saving.error?.at('/comment')}
            />
          </div>
          <Button type="submit" look="primary" busy={saving.busy} disabled={!changed && props.slug !== null}>
            {props.slug === null ? 'Create the input' : 'Save as a new version'}
          </Button>
          {changed && <Button onClick={discard}>Discard the changes</Button>}
        </form>
      )}
    </>
  )
}

/** What to do with a workbook that would replace changes. */
function Offer(props: { name: string; onTake: () => void; onKeep: () => void }) {
  return (
    <Dialog title={`Take over ${props.name}?`} onClose={props.onKeep}>
      <p>The workbook is checked. The document has changes that are not saved: they would be replaced.</p>
      <div class="row">
        <Button look="danger" onClick={props.onTake}>
          Take it over
        </Button>
        <Button onClick={props.onKeep}>Keep the changes</Button>
      </div>
    </Dialog>
  )
}

function TableOfDocument(props: {
  table: Table
  document: Document
  faults: Fault[]
  readOnly: boolean
  target: Target | null
  onChange: (document: Document, faults: Fault[]) => void
  onTarget: (target: Target) => void
}) {
  const { table, document, faults, readOnly } = props
  const items = table.items(document)
  const change = (row: number, column: string, text: string) => {
    const changer = table.columns.find((one) => one.name === column)!
    if (changer.read(items[row]!) === text) return
    const changed = items.map((item, index): Item => (index === row ? changer.write(item, text) : item))
    props.onChange(table.replace(document, changed), afterChange(faults, table.name, row, column))
  }
  const remove = (row: number) =>
    props.onChange(
      table.replace(document, items.filter((_, index) => index !== row)),
      afterRemoval(faults, table.name, row),
    )
  const add = () => {
    props.onChange(table.replace(document, [...items, table.blank(items)]), faults)
    props.onTarget({ row: items.length, column: table.columns.find((column) => !column.fixed)!.name })
  }
  return (
    <>
      {items.length === 0 && (
        <Empty title={`There are no ${table.title.toLowerCase()} yet.`}>
          {readOnly ? 'This version has none.' : 'Add a row, or drop a workbook above.'}
        </Empty>
      )}
      {items.length > 0 && (
        <EditableGrid
          key={table.name}
          table={table}
          items={items}
          faults={faults}
          nodes={nodeNames(document)}
          readOnly={readOnly}
          target={props.target}
          onChange={change}
          onRemove={remove}
        />
      )}
      {!readOnly && (
        <div class="row below-table">
          <Button onClick={add}>Add a {table.noun}</Button>
          <span class="muted">Enter and the arrow keys go to the next row.</span>
        </div>
      )}
    </>
  )
}

/** What is to look at although a document is valid. */
export function Warnings(props: { warnings: string[] }) {
  if (props.warnings.length === 0) return null
  return (
    <Note tone="warn">
      <ul>
        {props.warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </Note>
  )
}
