/** One page of a run as it was received, with its receipt. */
import { useState } from 'preact/hooks'
import { api, ok, send, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMay, useMayOn } from '../../api/me'
import { Link, path, useParameter } from '../../router'
import { saveAs } from '../../ui/download'
import { Gone, isGone } from '../../ui/gone'
import { Badge, Button, Note, Page, Panel, ProblemNote, Show } from '../../ui/parts'
import { formatBytes, formatNumber, Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import { loadContent } from '../received/content'
import { LoadedPage } from '../received/loaded-page'
import { PageText } from '../received/page-text'
import { PageState } from './pages'
import { runTitle } from './words'
import './runs.css'

type Receipt = Schemas['PageReceiptView']

export default function RawPage({ parameters }: ScreenProps) {
  const id = parameters.id!
  const number = Number(parameters.number)
  const [pointer] = useParameter('pointer')
  const may = useMayOn({ run: id })
  const run = useLoad(() => ok(api.GET('/v1/runs/{run_id}', { params: { path: { run_id: id } } })), [id])
  const found = useLoad(() => findReceipt(id, number), [id, number])
  const address = path`/v1/runs/${id}/pages/${String(number)}/content`
  const readable = may('run.read_pages') && found.data?.receipt?.hash !== null && found.data?.receipt !== undefined
  const content = useLoad(readable ? () => loadContent(address, () => ({ mediaType: found.data!.receipt!.media_type })) : null, [address, readable])
  const save = useAction(async () => saveAs(await send(address), `${id}-page-${number}`))
  if (isGone(run)) return <Gone what="run" id={id} list={{ to: '/runs', text: 'Runs' }} />
  return (
    <Page
      title={`Page ${number}`}
      crumbs={[
        { to: '/runs', text: 'Runs' },
        { to: path`/runs/${id}`, text: run.data ? runTitle(run.data) : id },
      ]}
      actions={
        <>
          {number > 1 && (
            <Link class="button" to={path`/runs/${id}/pages/${String(number - 1)}`}>
              Page before
            </Link>
          )}
          {found.data?.hasNext && (
            <Link class="button" to={path`/runs/${id}/pages/${String(number + 1)}`}>
              Next page
            </Link>
          )}
          {readable && (
            <Button busy={save.busy} onClick={() => save.run()}>
              Download
            </Button>
          )}
        </>
      }
    >
      <ProblemNote error={save.error} />
      <Show from={found}>
        {({ receipt }) => (receipt ? <ReceiptPanel receipt={receipt} /> : <Note tone="warn">The run has no page {number}.</Note>)}
      </Show>
      {readable && <Show from={content}>{(loaded) => <PageText content={loaded} pointer={pointer} name="The page as received" whole />}</Show>}
      {found.data?.receipt && may.answer.data && !may('run.read_pages') && <p class="muted">Editors can read the page as it was received.</p>}
      {found.data?.receipt?.hash === null && <p class="muted">Nothing was received.</p>}
    </Page>
  )
}

/** A page's receipt: the list has them in order, so only the pages of the list before it are read. */
async function findReceipt(run: string, number: number): Promise<{ receipt: Receipt | undefined; hasNext: boolean }> {
  let cursor: string | undefined
  do {
    const page = await ok(api.GET('/v1/runs/{run_id}/pages', { params: { path: { run_id: run }, query: { cursor, limit: 200 } } }))
    const index = page.items.findIndex((receipt) => receipt.number === number)
    if (index >= 0) return { receipt: page.items[index], hasNext: index + 1 < page.items.length || page.next !== null }
    cursor = page.next ?? undefined
  } while (cursor)
  return { receipt: undefined, hasNext: false }
}

function ReceiptPanel({ receipt }: { receipt: Receipt }) {
  const facts: [string, string | null][] = [
    ['Type', receipt.media_type],
    ['File', receipt.filename],
    ['Size', formatBytes(receipt.bytes)],
    ['Records', receipt.rows === null ? null : formatNumber(receipt.rows)],
    ['Total that it states', receipt.total === null ? null : formatNumber(receipt.total)],
    ['ETag', receipt.etag],
    ['Last-Modified', receipt.last_modified],
    ['SHA-256', receipt.hash],
    ['Replaces', receipt.replaced],
  ]
  return (
    <Panel title="Receipt">
      <dl class="facts-wide">
        <dt>From</dt>
        <dd class="mono">
          {receipt.url.startsWith('http') && `${receipt.method} `}
          {receipt.url}
        </dd>
        <dt>Status</dt>
        <dd>
          <PageState page={receipt} />
        </dd>
        <dt>Received</dt>
        <dd>
          <Time at={receipt.fetched_at} /> <span class="muted mono">{receipt.fetched_at}</span>
          {receipt.attempt > 1 && `, in attempt ${receipt.attempt}`}
        </dd>
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <>
                <dt>{name}</dt>
                <dd class={name === 'SHA-256' || name === 'ETag' || name === 'Replaces' ? 'mono' : ''}>{value}</dd>
              </>
            ),
        )}
      </dl>
      {receipt.open_ended && (
        <p class="muted">The response had neither a length nor an end marker, so a truncated one would look complete.</p>
      )}
      {receipt.failures.map((failure) => (
        <Failure key={failure.at} failure={failure} />
      ))}
    </Panel>
  )
}

/** A request that failed, with what the upstream answered. */
function Failure({ failure }: { failure: Schemas['FailedRequest'] }) {
  const mayRead = useMay('page.read')
  const [open, setOpen] = useState(false)
  return (
    <div class="stack failure">
      <div class="row">
        <Badge tone="bad">{failure.status ?? 'no answer'}</Badge> {failure.reason}, <Time at={failure.at} />
        {failure.hash && mayRead && (
          <Button look="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide the answer' : 'Show the answer'}
          </Button>
        )}
      </div>
      {open && failure.hash && <LoadedPage from={path`/v1/pages/${failure.hash}`} pointer={null} reading={() => ({})} />}
    </div>
  )
}
