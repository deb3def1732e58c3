/** The result of a run: its numbers, the network, its tables, and what can be downloaded. */
import { api, jsonOf, ok, send, type Schemas } from '../../api/client'
import { isNested } from '../../api/json'
import { useAction, useLoad } from '../../api/load'
import { path, setParameters, usePlace } from '../../router'
import { saveAs } from '../../ui/download'
import { DataGrid } from '../../ui/grid'
import { Button, Empty, Panel, ProblemNote, Show } from '../../ui/parts'
import { formatBytes, formatNumber } from '../../ui/values'
import { nextOrder, sortedBy } from '../data/query'
import { wholeTable } from './arrow'
import { NetworkResult } from './network/network-result'
import { isNetwork } from './network/model'

type Run = Schemas['RunView']
type Document = Record<string, unknown>

/** The document of a run's result, whatever its size. */
export async function resultOf(id: string): Promise<Document> {
  return jsonOf(await send(path`/v1/runs/${id}/result`))
}

export function Result({ run }: { run: Run }) {
  const { query } = usePlace()
  const network = isNetwork(run.algorithm)
  const view = query.get('view') ?? (network ? 'network' : 'summary')
  const outputs = useLoad(() => ok(api.GET('/v1/runs/{run_id}/outputs', { params: { path: { run_id: run.id } } })), [run.id])
  const document = useLoad(() => resultOf(run.id), [run.id])
  return (
    <Show from={outputs}>
      {(made) => (
        <>
          <Show from={document}>{(result) => <Numbers document={result} />}</Show>
          <nav class="tabs" aria-label="Parts of the result">
            {network && <ViewButton view={view} value="network" text="Network" />}
            <ViewButton view={view} value="summary" text="Files" />
            {made.tables.map((table) => (
              <ViewButton key={table.name} view={view} value={table.name} text={`${table.name} ${formatNumber(table.rows)}`} />
            ))}
          </nav>
          {view === 'summary' && <Files run={run} outputs={made} />}
          {view === 'network' && network && <Show from={document}>{(result) => <NetworkResult run={run} document={result} />}</Show>}
          {made.tables.some((table) => table.name === view) && <Table key={view} run={run.id} name={view} />}
        </>
      )}
    </Show>
  )
}

function ViewButton(props: { view: string; value: string; text: string }) {
  const current = props.view === props.value
  return (
    <button type="button" class="tab" aria-current={current ? 'page' : undefined} onClick={() => setParameters({ view: props.value, order: null })}>
      {props.text}
    </button>
  )
}

/** The numbers near the root of a result: what it says in short. */
export function numbersOf(document: Document): [string, number | string | boolean][] {
  const statistics = (document.statistics ?? {}) as Document
  return Object.entries({ ...document, ...statistics }).filter((entry): entry is [string, number | string | boolean] =>
    entry[1] !== null && !isNested(entry[1]),
  )
}

export function formatAny(value: unknown): string {
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : formatNumber(value as number | null | undefined)
}

function Numbers({ document }: { document: Document }) {
  const numbers = numbersOf(document)
  if (numbers.length === 0) return null
  return (
    <dl class="tiles" aria-label="Summary">
      {numbers.map(([name, value]) => (
        <div key={name}>
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>{formatAny(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Files({ run, outputs }: { run: Run; outputs: Schemas['ResultOutputs'] }) {
  const files = [
    { name: 'result.json', bytes: outputs.document.bytes, at: path`/v1/runs/${run.id}/result` },
    ...outputs.files.map((file) => ({ name: file.name, bytes: file.bytes, at: path`/v1/runs/${run.id}/files/${file.name}` })),
  ]
  const download = useAction(async (name: string, at: string) => saveAs(await send(at), name))
  return (
    <Panel title="Files" flush>
      <ProblemNote error={download.error} />
      <table class="plain">
        <tbody>
          {files.map((file) => (
            <tr key={file.name}>
              <td class="mono">{file.name}</td>
              <td class="number">{formatBytes(file.bytes)}</td>
              <td><Button busy={download.busy} onClick={() => download.run(file.name, file.at)} aria-label={`Download ${file.name}`}>Download</Button></td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="below-table muted">
        {outputs.restarts > 1 && `The best of ${outputs.restarts} restarts was number ${outputs.selected + 1}. `}
        SHA-256 of the result: <span class="mono">{outputs.document.sha256}</span>
      </p>
    </Panel>
  )
}

function Table({ run, name }: { run: string; name: string }) {
  const { query } = usePlace()
  const order = query.get('order') ?? undefined
  const table = useLoad(() => wholeTable(run, name, order), [run, name, order])
  const download = useAction(async () => saveAs(await send(`${path`/v1/runs/${run}/tables/${name}`}?format=xlsx`), `${name}.xlsx`))
  return (
    <div class="stack">
      <div class="row">
        <span class="muted">A column’s header sorts by it.</span>
        <Button busy={download.busy} onClick={() => download.run()}>Download XLSX</Button>
      </div>
      <ProblemNote error={download.error} />
      <Show from={table}>
        {(data) =>
          data.rows === 0 ? (
            <Panel><Empty title="This table has no rows." /></Panel>
          ) : (
            <DataGrid
              label={name}
              columns={data.columns}
              rows={data.rows}
              value={data.value}
              sorted={sortedBy(order ?? '')}
              onSort={(column) => setParameters({ order: nextOrder(order ?? '', column) })}
            />
          )
        }
      </Show>
    </div>
  )
}
