/** A value of a datasource: where it stands in the page that it was received in. */
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { Link, path } from '../../router'
import { Show } from '../../ui/parts'
import { Time } from '../../ui/values'
import { loadContent, type Content } from '../received/content'
import { PageText } from '../received/page-text'
import { CellValue } from './cell-value'
import { findPlace, type FoundPlace, type ReadingSpec, type WantedRecord } from './find-record'
import { Pointer } from './source-card'
import type { OpenCell } from './table-view'

// Further pages are not searched: they would take long to load.
const MOST_PAGES = 40
const MOST_BYTES = 30_000_000

export function SourceCell(props: OpenCell) {
  const { table, row, column } = props
  const version = table.version!
  const may = useMayOn({ run: version.run })
  const known = row !== null && table.rows !== undefined
  return (
    <CellValue {...props}>
      {known && may('run.read_pages') ? (
        <Origin
          version={version}
          column={column}
          row={row}
          wanted={{
            spec: (version.spec.datasource ?? {}) as ReadingSpec,
            columns: table.columns.map(({ name, type }, index) => ({ name, type, value: table.rows!.value(row, index) })),
          }}
        />
      ) : (
        <p class="muted">
          It was fetched by <Link to={path`/runs/${version.run}`}>this run</Link>.
        </p>
      )}
    </CellValue>
  )
}

interface Found {
  page: Schemas['PageReceiptView']
  content: Content
  place: FoundPlace
}

type OriginProps = { version: Schemas['VersionDetail']; column: string; row: number; wanted: WantedRecord }

function Origin({ version, column, row, wanted }: OriginProps) {
  const found = useLoad(() => search(version, row, wanted, column), [version, row, column])
  const run = <Link to={path`/runs/${version.run}`}>the run that made this version</Link>
  return (
    <Show from={found}>
      {(result) =>
        result ? (
          <div class="stack tight">
            <dl class="facts">
              <dt>Received from</dt>
              <dd class="mono">{result.page.url}</dd>
              <dt>When</dt>
              <dd>
                <Time at={result.page.fetched_at} />, on{' '}
                <Link to={path`/runs/${version.run}/pages/${String(result.page.number)}`} query={{ pointer: result.place.pointer }}>
                  page {result.page.number}
                </Link>{' '}
                of {run}
              </dd>
              <dt>Place</dt>
              <dd>
                <Pointer text={result.place.pointer} />
                {!result.place.exact && result.place.expression && (
                  <div>
                    This is the record; its value is computed by <code>{result.place.expression}</code>
                  </div>
                )}
                <Doubts place={result.place} />
              </dd>
            </dl>
            <PageText content={result.content} pointer={result.place.pointer} name="The page as received" />
          </div>
        ) : (
          <p class="muted">The record is not found in the pages of {run}. An earlier run may have fetched it.</p>
        )
      }
    </Show>
  )
}

/** Why what is marked may not be what the table has. */
function Doubts({ place }: { place: FoundPlace }) {
  return (
    <>
      {place.alike > 1 && <div>{place.alike} records of this page fit this row equally well; the first of them is marked.</div>}
      {place.differs && <div>The table has another value: this one was converted, or another record of the same key came after it.</div>}
    </>
  )
}

/** The page of the run that has the record, or a record of its key; null if none of those searched has it. */
async function search(version: Schemas['VersionDetail'], row: number, wanted: WantedRecord, column: string): Promise<Found | null> {
  const { items } = await ok(
    api.GET('/v1/runs/{run_id}/pages', { params: { path: { run_id: version.run }, query: { limit: 200 } } }),
  )
  let bytes = 0
  let doubtful: Found | null = null
  for (const page of likelyFirst(items.filter((page) => page.ok && !page.check && page.hash !== null), row).slice(0, MOST_PAGES)) {
    if ((bytes += page.bytes) > MOST_BYTES) break
    const reading = { ...wanted.spec.csv, mediaType: page.media_type }
    const content = await loadContent(path`/v1/runs/${version.run}/pages/${String(page.number)}/content`, () => reading)
    const place = content.text === null ? null : findPlace(content.text, wanted, column)
    if (place?.certain) return { page, content, place }
    doubtful ??= place && { page, content, place }
  }
  return doubtful
}

/** The pages in the order in which to search them: first the one that has the row if nothing is sorted. */
function likelyFirst(pages: Schemas['PageReceiptView'][], row: number): Schemas['PageReceiptView'][] {
  let before = 0
  const likely = pages.find((page) => row < (before += page.rows ?? 0))
  return likely ? [likely, ...pages.filter((page) => page !== likely)] : pages
}
