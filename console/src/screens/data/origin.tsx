/** Where a value was received: from whom, when, at which place, and the page with the value highlighted. */
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { Link, path } from '../../router'
import { Time } from '../../ui/values'
import { LoadedPage } from '../received/loaded-page'

type Citation = Pick<Schemas['SourceValue'], 'page' | 'pointer' | 'exact' | 'expression'>
type CitedPage = NonNullable<Citation['page']>

/** How a version's datasource reads CSV, as its manifest has it. */
interface ReadingSpec {
  csv?: { encoding?: string | null; delimiter?: string | null } | null
}

/** Of a value of a version of a datasource. */
interface Place {
  citation: Citation
  datasource: string
  version: number
}

export function Origin(place: Place) {
  const { page } = place.citation
  if (!page) return <p class="muted">This version has no pages: it was not made from something received.</p>
  return (
    <>
      <Facts citation={place.citation} page={page} />
      <ReceivedPage {...place} page={page} />
    </>
  )
}

function Facts({ citation, page }: { citation: Citation; page: CitedPage }) {
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
        <Pointer text={citation.pointer} />
        {!citation.exact && (
          <div class="muted">
            {citation.expression ? (
              <>
                This is the record; its value is computed by <code>{citation.expression}</code>
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

function ReceivedPage({ citation, datasource, version, page }: Place & { page: CitedPage }) {
  const mayRead = useMayOn({ run: page.run })('run.read_pages')
  if (page.removed) return <p class="muted">The datasource’s retention has removed this page.</p>
  if (page.hash === null || !mayRead) return <p class="muted">Editors of its datasource can read the page as it was received.</p>
  const reading = async () => {
    const params = { path: { slug: datasource, number: String(version) } }
    const { spec } = await ok(api.GET('/v1/datasources/{slug}/versions/{number}', { params }))
    const { csv } = (spec.datasource ?? {}) as ReadingSpec
    const { items } = await receiptsOf(page.run)
    return { ...csv, mediaType: items.find((one) => one.number === page.number)?.media_type }
  }
  return <LoadedPage from={path`/v1/runs/${page.run}/pages/${String(page.number)}/content`} pointer={citation.pointer} reading={reading} />
}
