/** A source's value in an explanation: where it was received, and the page with the value highlighted. */
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { Link, path } from '../../router'
import { cellText } from '../../ui/grid'
import { Badge, Button } from '../../ui/parts'
import { Time } from '../../ui/values'
import { LongText } from './cell-value'
import type { ReadingSpec } from './find-record'
import { LoadedPage } from '../received/loaded-page'

type SourceValue = Schemas['SourceValue']
type CitedPage = NonNullable<SourceValue['page']>

export function SourceCard(props: {
  value: SourceValue
  won: boolean
  priority?: number
  /** The field by which values compete, with this source's value. */
  decisive?: { name: string; value: string | undefined }
  open: boolean
  onToggle: () => void
}) {
  const { value, won, priority, decisive, open } = props
  return (
    <article class={`source-card ${won ? 'won' : 'lost'}`}>
      <div class="row spread">
        <div class="row">
          <Badge tone={won ? 'good' : 'plain'}>{won ? 'won' : 'lost'}</Badge>
          <Link to={path`/datasources/${value.datasource}`}>{value.datasource}</Link>
          <Link class="muted" to={path`/datasources/${value.datasource}/data`} query={{ version: value.version }}>
            version {value.version}
          </Link>
          {priority !== undefined && <span class="muted">priority {priority}</span>}
        </div>
        <Button look="quiet" aria-expanded={open} onClick={props.onToggle}>
          {open ? 'Hide the page' : 'Show in the page'}
        </Button>
      </div>
      <p class={`source-value ${value.value === null ? 'muted' : ''}`}><LongText text={cellText(value.value)} /></p>
      {decisive?.value !== undefined && (
        <p class="muted">
          {decisive.name} is <strong class="mono">{decisive.value}</strong>
        </p>
      )}
      {open && <Origin value={value} />}
    </article>
  )
}

function Origin({ value }: { value: SourceValue }) {
  if (!value.page) return <p class="muted">This version has no pages: it was not made from something received.</p>
  return (
    <>
      <Facts value={value} page={value.page} />
      <ReceivedPage value={value} page={value.page} />
    </>
  )
}

function Facts({ value, page }: { value: SourceValue; page: CitedPage }) {
  const receipt = useReceipt(page.run, page.number)
  const isHttp = page.url.startsWith('http')
  return (
    <dl class="facts">
      <dt>Received from</dt>
      <dd class="mono">
        {isHttp && receipt && `${receipt.method} `}
        {page.url}
      </dd>
      <dt>When</dt>
      <dd>
        {receipt ? <Time at={receipt.fetched_at} /> : '…'} by <Link to={path`/runs/${page.run}`}>this run</Link>, as its{' '}
        <Link to={path`/runs/${page.run}/pages/${String(page.number)}`}>page {page.number}</Link>
        {isHttp && receipt?.status && `, with status ${receipt.status}`}
      </dd>
      <dt>Place</dt>
      <dd>
        <Pointer text={value.pointer} />
        {!value.exact && (
          <div class="muted">
            {value.expression ? (
              <>
                This is the record; its value is computed by <code>{value.expression}</code>
              </>
            ) : (
              'This is the record of the value.'
            )}
          </div>
        )}
      </dd>
    </dl>
  )
}

/** The receipt of a page; undefined until it is known. */
function useReceipt(run: string, number: number): Schemas['PageReceiptView'] | undefined {
  // Receipts come in order, 200 to a page.
  const receipts = useLoad(
    number <= 200 ? () => receiptsOf(run) : null,
    [run, number <= 200],
  )
  return receipts.data?.items.find((receipt) => receipt.number === number)
}

function receiptsOf(run: string) {
  return ok(api.GET('/v1/runs/{run_id}/pages', { params: { path: { run_id: run }, query: { limit: 200 } } }))
}

/** A pointer as the steps that lead to the value. */
export function Pointer({ text }: { text: string }) {
  const steps = text.split('/').slice(1)
  if (steps.length === 0) return <span>the whole page</span>
  return (
    <span class="pointer" title={text}>
      {steps.map((step, index) => (
        <span key={index}>
          {index > 0 && <span aria-hidden="true"> › </span>}
          <code>{step.replaceAll('~1', '/').replaceAll('~0', '~')}</code>
        </span>
      ))}
    </span>
  )
}

function ReceivedPage({ value, page }: { value: SourceValue; page: CitedPage }) {
  const mayRead = useMayOn({ run: page.run })('run.read_pages')
  if (page.removed) return <p class="muted">The datasource’s retention has removed this page.</p>
  if (page.hash === null || !mayRead) return <p class="muted">Editors of its datasource can read the page as it was received.</p>
  const reading = async () => {
    const params = { path: { slug: value.datasource, number: String(value.version) } }
    const { spec } = await ok(api.GET('/v1/datasources/{slug}/versions/{number}', { params }))
    const { csv } = (spec.datasource ?? {}) as ReadingSpec
    const { items } = await receiptsOf(page.run)
    return { ...csv, mediaType: items.find((one) => one.number === page.number)?.media_type }
  }
  return <LoadedPage from={path`/v1/runs/${page.run}/pages/${String(page.number)}/content`} pointer={value.pointer} reading={reading} />
}
