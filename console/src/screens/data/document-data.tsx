/** A merged document as a tree; each value leads to the pages that it comes from. */
import { useState } from 'preact/hooks'
import { api, ok, send, type Schemas } from '../../api/client'
import { ExactNumber, isNested } from '../../api/json'
import { useAction, useLoad } from '../../api/load'
import { setParameters, useParameter } from '../../router'
import { Dialog } from '../../ui/dialog'
import { saveAs } from '../../ui/download'
import { cellText } from '../../ui/grid'
import { Badge, Button, Panel, ProblemNote, Show } from '../../ui/parts'
import { formatNumber } from '../../ui/values'
import { BigValue } from './cell-value'
import { Tombstones } from './explain'
import { isNotPublished, NotPublished } from './not-published'
import { useDataQuery } from './query'
import { useTable } from './rows'
import type { TableSource } from './source'
import { Pointer } from './origin'
import { SourceCard } from './source-card'
import { VersionBar } from './version-bar'
import './data.css'

// Of longer lists and objects the rest is shown on demand.
const MOST_CHILDREN = 100
// Small parts of the document are open at first.
const FEW_CHILDREN = 20

export function DocumentData({ source }: { source: TableSource }) {
  const query = useDataQuery()
  const table = useTable(source, query)
  const [pointer] = useParameter('pointer')
  const number = table.page?.version
  const save = useAction(async () =>
    saveAs(await send(`${source.path}/data?version=${number}&format=jsonl`), `${source.name}-v${number}.json`),
  )
  if (isNotPublished(table)) return <NotPublished source={source} table={table} query={query} />
  return (
    <>
      <VersionBar source={source} table={table} query={query} />
      <ProblemNote error={table.error ?? save.error} retry={table.error && table.reload} />
      {!table.page && table.loading && <div class="loading" role="status">Loading …</div>}
      {table.page && (
        <Panel
          title="The merged document"
          actions={
            <Button busy={save.busy} onClick={() => save.run()}>
              Download JSON
            </Button>
          }
        >
          <ul class="plain tree">
            <Node name={null} value={table.page.items[0] ?? null} pointer="" open />
          </ul>
        </Panel>
      )}
      {pointer !== null && number !== undefined && (
        <ExplainPart slug={source.slug} version={number} pointer={pointer} onClose={() => setParameters({ pointer: null, source: null }, { replace: true })} />
      )}
    </>
  )
}

function Node(props: { name: string | null; value: unknown; pointer: string; open?: boolean }) {
  const { name, value, pointer } = props
  const [open, setOpen] = useState((props.open && (pointer === '' || sizeOf(value) <= FEW_CHILDREN)) ?? false)
  const [shown, setShown] = useState(MOST_CHILDREN)
  const explain = () => setParameters({ pointer, source: null })
  const label = name !== null && <span class="tree-name">{name}</span>
  if (!isNested(value)) {
    return (
      <li>
        {label}
        <button type="button" class={`tree-value ${value instanceof ExactNumber ? 'number' : typeof value}`} title="Where it comes from" onClick={explain}>
          {typeof value === 'string' ? JSON.stringify(value) : cellText(value)}
        </button>
      </li>
    )
  }
  const children = Object.entries(value)
  const size = Array.isArray(value) ? `[ ${formatNumber(children.length)} ]` : `{ ${formatNumber(children.length)} }`
  return (
    <li>
      <button type="button" class="tree-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span aria-hidden="true">{open ? '▾' : '▸'}</span> {label || 'document'} <span class="muted">{size}</span>
      </button>
      <button type="button" class="link tree-why" onClick={explain}>
        where from<span class="hidden-text"> is {pointer || 'the document'}</span>
      </button>
      {open && (
        <ul class="plain">
          {children.slice(0, shown).map(([key, child]) => (
            <Node key={key} name={key} value={child} pointer={`${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`} open={pointer === ''} />
          ))}
          {children.length > shown && (
            <li>
              <Button look="quiet" onClick={() => setShown(shown + 10 * MOST_CHILDREN)}>
                Show {formatNumber(Math.min(children.length - shown, 10 * MOST_CHILDREN))} more
              </Button>
            </li>
          )}
        </ul>
      )}
    </li>
  )
}

function sizeOf(value: unknown): number {
  return isNested(value) ? Object.keys(value).length : 0
}

const RULES: Record<string, string> = {
  recursive: 'The documents of the sources are merged part by part: objects by their keys, other values into lists without repetitions.',
  concatenation: 'The documents of the sources stand beside each other, unchanged.',
}

function ExplainPart(props: { slug: string; version: number; pointer: string; onClose: () => void }) {
  const { slug, version, pointer } = props
  const [chosen, choose] = useParameter('source')
  const open = chosen === null ? 0 : Number(chosen)
  const answer = useLoad(
    () =>
      ok(api.GET('/v1/projects/{slug}/explain', { params: { path: { slug }, query: { pointer, version } } })) as Promise<
        Schemas['DocumentExplanation']
      >,
    [slug, version, pointer],
  )
  return (
    <Dialog side title={<><span class="muted">Where from: </span><Pointer text={pointer} /></>} onClose={props.onClose}>
      <Show from={answer}>
        {(part) => (
          <>
            <Tombstones erased={part.erased ?? []} />
            <section class="explain-top">
              <BigValue value={part.value} type={undefined} />
              <p>
                <Badge tone="busy">{part.rule}</Badge> {RULES[part.rule]}
              </p>
            </section>
            <section class="stack tight">
              <h3>{part.winners.length === 1 ? 'It comes from' : `It comes from ${part.winners.length} sources`}</h3>
              {part.winners.map((value, index) => (
                <SourceCard
                  key={index}
                  value={value}
                  won
                  open={index === open}
                  onToggle={() => choose(index === open ? 'none' : String(index))}
                />
              ))}
            </section>
          </>
        )}
      </Show>
    </Dialog>
  )
}
