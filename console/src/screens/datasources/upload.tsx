/** Files dropped on the page: each goes to the inbox, and the run that reads it is shown. */
import { useRef, useState } from 'preact/hooks'
import { ApiError, api, ok, type Schemas } from '../../api/client'
import { Button, Note, Panel } from '../../ui/parts'
import { formatBytes } from '../../ui/values'
import './datasources.css'
import { RunProgress, type Run } from './run-progress'

interface Sent {
  id: number
  name: string
  size: number
  sent: number
  error?: string
  run?: string
}

const RUN_WAIT_MS = 500
const RUN_ATTEMPTS = 120

/**
 * @param storedAs the name under which the file is kept for later runs, such as a SQLite file; null: each file starts a
 *   run of its own.
 */
export function Upload(props: { slug: string; storedAs: string | null; onRunEnd: (run: Run) => void }) {
  const { slug, storedAs } = props
  const [files, setFiles] = useState<Sent[]>([])
  const [over, setOver] = useState(false)
  const picker = useRef<HTMLInputElement>(null)
  const count = useRef(0)
  const change = (id: number, values: Partial<Sent>) =>
    setFiles((files) => files.map((file) => (file.id === id ? { ...file, ...values } : file)))

  const sendOne = async (id: number, file: File) => {
    try {
      const known = await runIds(slug)
      const body = { filename: storedAs ?? file.name }
      const form = await ok(api.POST('/v1/datasources/{slug}/uploads', { params: { path: { slug } }, body }))
      await post(form, file, (sent) => change(id, { sent }))
      change(id, { sent: file.size })
      if (storedAs === null) change(id, { run: await newRun(slug, known) })
    } catch (error) {
      change(id, { error: error instanceof Error ? error.message : String(error) })
    }
  }
  const sendAll = async (list: Iterable<File>) => {
    const chosen = [...list].map((file) => ({ id: ++count.current, file }))
    setFiles((files) => [...chosen.map(({ id, file }) => ({ id, name: file.name, size: file.size, sent: 0 })), ...files])
    // One after the other, so that each one's run is known.
    for (const { id, file } of chosen) await sendOne(id, file)
  }
  return (
    <Panel title="Upload files">
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
          void sendAll(event.dataTransfer?.files ?? [])
        }}
      >
        <strong>Drop files here</strong>
        <span class="muted">
          {storedAs === null ? 'Each file starts a run that reads it.' : `It is kept as ${storedAs}, and the next run reads it.`}
        </span>
        <Button onClick={() => picker.current!.click()}>Choose files</Button>
        <input
          ref={picker}
          type="file"
          multiple={storedAs === null}
          hidden
          aria-label="Files to upload"
          onChange={(event) => {
            void sendAll(event.currentTarget.files ?? [])
            event.currentTarget.value = ''
          }}
        />
      </div>
      {files.length > 0 && (
        <ul class="plain uploads">
          {files.map((file) => (
            <li key={file.id}>
              <UploadState file={file} kept={storedAs !== null} onRunEnd={props.onRunEnd} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function UploadState({ file, kept, onRunEnd }: { file: Sent; kept: boolean; onRunEnd: (run: Run) => void }) {
  const done = file.sent >= file.size
  return (
    <>
      <div class="row">
        <strong>{file.name}</strong>
        <span class="muted">
          {done ? formatBytes(file.size) : `${formatBytes(file.sent)} of ${formatBytes(file.size)}`}
          {done && !file.run && !file.error && (kept ? ', kept' : ', waiting for its run …')}
        </span>
      </div>
      {!done && !file.error && <progress aria-label={`Upload of ${file.name}`} value={file.sent} max={file.size} />}
      {file.error && <Note tone="bad">{file.error}</Note>}
      {file.run && <RunProgress id={file.run} onEnd={onRunEnd} />}
    </>
  )
}

/** Only XMLHttpRequest tells how much has been sent. */
function post(form: Schemas['UploadForm'], file: File, onSent: (bytes: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const data = new FormData()
    for (const [name, value] of Object.entries(form.fields)) data.append(name, value)
    data.append('file', file)
    const request = new XMLHttpRequest()
    request.upload.onprogress = (event) => onSent(Math.min(event.loaded, file.size - 1))
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(refusal(request))))
    request.onerror = () => reject(new Error('The file could not be sent. Check the connection, then try again.'))
    request.open('POST', form.url)
    request.send(data)
  })
}

/** What S3 says in its XML. */
function refusal(request: XMLHttpRequest): string {
  const message = /<Message>([^<]*)<\/Message>/.exec(request.responseText)?.[1]
  return `The storage refused the file with ${request.status}${message ? `: ${message}` : ''}.`
}

async function runIds(slug: string): Promise<Set<string>> {
  const { items } = await ok(api.GET('/v1/runs', { params: { query: { datasource: slug, limit: 20 } } }))
  return new Set(items.map((run) => run.id))
}

/** The run that a file has started; the drop is told to the platform by an event, which takes a moment. */
async function newRun(slug: string, known: Set<string>): Promise<string> {
  for (let attempt = 0; attempt < RUN_ATTEMPTS; attempt++) {
    const { items } = await ok(api.GET('/v1/runs', { params: { query: { datasource: slug, limit: 20 } } }))
    const found = items.filter((run) => run.trigger === 'drop' && !known.has(run.id)).at(-1)
    if (found) return found.id
    await new Promise((resolve) => setTimeout(resolve, RUN_WAIT_MS))
  }
  const detail = 'The file is stored, but no run has read it within a minute. Look at the list of runs later.'
  throw new ApiError(0, { type: 'about:blank', title: 'No run', status: 0, detail })
}
