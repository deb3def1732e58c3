/** Documents from workbooks: the blank workbook to fill in, and a place to drop it. It is checked, not stored. */
import { useRef, useState } from 'preact/hooks'
import { ApiError, jsonOf, send } from '../../api/client'
import { useAction } from '../../api/load'
import { path } from '../../router'
import { saveAs } from '../../ui/download'
import { Button, ProblemNote } from '../../ui/parts'
import { faultsOf, withoutErrors, type Fault } from './faults'
import type { Document, Kind } from './kinds'

export interface Received {
  name: string
  document: Document
  faults: Fault[]
}

// A check stores nothing, so any slug that nobody uses will do for an input that does not exist yet.
const NO_SLUG = 'not-stored-yet'

export function Workbook(props: { slug: string | null; kind: Kind; onReceived: (received: Received) => void }) {
  const { kind } = props
  const chooser = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const check = useAction(async (file: File) => props.onReceived(await checked(props.slug ?? NO_SLUG, kind, file)))
  const template = useAction(async () => saveAs(await send(path`/v1/inputs/templates/${kind.name}`), `${kind.name}.xlsx`))
  const take = (files: FileList | null | undefined) => {
    if (files?.[0]) void check.run(files[0])
    if (chooser.current) chooser.current.value = ''
  }
  return (
    <>
      <div
        class={`drop ${over ? 'over' : ''}`}
        onDragOver={(event) => (event.preventDefault(), setOver(true))}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          take(event.dataTransfer?.files)
        }}
      >
        <span>Drop an XLSX workbook here. Its cells are checked first; nothing is stored until you save.</span>
        <input
          ref={chooser}
          type="file"
          class="hidden-text"
          accept=".xlsx"
          tabIndex={-1}
          aria-label="Workbook"
          onChange={(event) => take(event.currentTarget.files)}
        />
        <div class="row">
          <Button busy={check.busy} onClick={() => chooser.current!.click()}>
            Choose a workbook
          </Button>
          <Button look="quiet" busy={template.busy} onClick={() => template.run()}>
            Download a blank one
          </Button>
        </div>
      </div>
      <ProblemNote error={check.error ?? template.error} />
    </>
  )
}

/** What is in a workbook, with its errors; rejects if it cannot be read at all. */
async function checked(slug: string, kind: Kind, file: File): Promise<Received> {
  const query = new URLSearchParams({ kind: kind.name, check: 'true' })
  try {
    const answer = await send(`${path`/v1/inputs/${slug}/import`}?${query}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: await file.arrayBuffer(),
    })
    const { document } = await jsonOf<{ document: Document }>(answer)
    return { name: file.name, document, faults: [] }
  } catch (error) {
    if (!(error instanceof ApiError) || !error.problem.document) throw error
    const document = withoutErrors(error.problem.document as Document)
    return { name: file.name, document, faults: faultsOf(error, kind, document) }
  }
}
