/** The versions of an input: who wrote each and why, what differs between two, and a way back. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { writeJson } from '../../api/json'
import { useList } from '../../api/list'
import { useAction } from '../../api/load'
import { Link, path, setParameters, usePlace } from '../../router'
import { FormDialog } from '../../ui/dialog'
import { shortened } from '../../ui/grid'
import { CardTable, numeric, ShowList, TableHead } from '../../ui/list'
import { Badge, Button, Empty, Note, Panel, TextField, type Tone } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { formatBytes, Time } from '../../ui/values'
import { Who } from '../../ui/who'
import './inputs.css'

export function Versions({ slug, mayRestore }: { slug: string; mayRestore: boolean }) {
  const { query } = usePlace()
  const [restored, setRestored] = useState<number | null>(null)
  const list = useList((cursor) => ok(api.GET('/v1/inputs/{slug}/versions', { params: { path: { slug }, query: { cursor, limit: 50 } } })), [slug])
  const latest = list.items?.[0]
  const to = Number(query.get('to')) || latest?.number
  const from = Number(query.get('from')) || list.items?.find((one) => one.number < (to ?? 0))?.number
  return (
    <>
      {latest?.deleted_at && (
        <Note tone="warn">
          This input was deleted <Time at={latest.deleted_at} /> by <span class="mono">{latest.deleted_by}</span>. Restore a version to recover it.
        </Note>
      )}
      <Panel title="Versions" flush>
        <ShowList from={list} empty={<Empty title="There are no versions." />}>
          {(items) => (
            <CardTable class="versions">
              <TableHead columns={['Older', 'Newer', numeric('Version'), 'Comment', 'Written', 'By', numeric('Size'), { text: 'Restore', look: 'hidden' }]} />
              <tbody>
                {items.map((version) => (
                  <tr key={version.number}>
                    <td>
                      <input type="radio" name="from" aria-label={`Compare from version ${version.number}`} checked={version.number === from} onChange={() => setParameters({ from: version.number })} />
                    </td>
                    <td>
                      <input type="radio" name="to" aria-label={`Compare to version ${version.number}`} checked={version.number === to} onChange={() => setParameters({ to: version.number })} />
                    </td>
                    <td class="number">
                      <Link to={path`/inputs/${slug}`} query={{ version: version.number }}>{version.number}</Link>
                    </td>
                    <td>
                      {version.comment ?? <span class="muted">–</span>}{' '}
                      {version.restored_from !== null && <Badge>restores {version.restored_from}</Badge>}
                    </td>
                    <td><Time at={version.created_at} /></td>
                    <td><Who id={version.created_by} /></td>
                    <td class="number">{formatBytes(version.size)}</td>
                    <td>
                      {mayRestore && (version !== latest || latest.deleted_at) && (
                        <Button onClick={() => setRestored(version.number)} aria-label={`Restore version ${version.number}`}>Restore</Button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </CardTable>
          )}
        </ShowList>
      </Panel>
      {from && to && from !== to && <Difference key={`${from} ${to}`} slug={slug} from={from} to={to} />}
      {restored !== null && (
        <Restore slug={slug} version={restored} onClose={() => setRestored(null)} onDone={() => (setRestored(null), setParameters({ from: null, to: null }, { replace: true }), list.reload())} />
      )}
    </>
  )
}

function Restore(props: { slug: string; version: number; onClose: () => void; onDone: () => void }) {
  const { slug, version } = props
  const [comment, setComment] = useState('')
  const action = useAction(async () => {
    const view = await ok(api.POST('/v1/inputs/{slug}/restore', { params: { path: { slug } }, body: { version, comment: comment.trim() || null } }))
    toast(`Version ${view.version} has the document of version ${version}.`)
    props.onDone()
  })
  return (
    <FormDialog title={`Restore version ${version}`} submit="Restore" action={action} onClose={props.onClose}>
      <p>Its document becomes a new version. Nothing is overwritten.</p>
      <TextField label="Why" value={comment} onInput={setComment} placeholder={`Restored version ${version}.`} wrong={action.error?.at('/comment')} autoFocus />
    </FormDialog>
  )
}

function Difference({ slug, from, to }: { slug: string; from: number; to: number }) {
  const list = useList(
    (cursor) => ok(api.GET('/v1/inputs/{slug}/diff', { params: { path: { slug }, query: { from, to, cursor, limit: 100 } } })),
    [slug, from, to],
  )
  return (
    <Panel title={`From version ${from} to ${to}`} flush>
      <ShowList from={list} empty={<Empty title="The documents are the same." />}>
        {(items) => <Changes items={items} names={[`Version ${from}`, `Version ${to}`]} />}
      </ShowList>
    </Panel>
  )
}

const TONES: Record<string, Tone> = { added: 'good', removed: 'bad', changed: 'warn' }

/** Differences of two documents, one a row. */
export function Changes(props: { items: Schemas['InputChange'][]; names: [string, string] }) {
  return (
    <CardTable>
      <thead>
        <tr>
          <th scope="col">Change</th>
          <th scope="col">Where</th>
          <th scope="col">{props.names[0]}</th>
          <th scope="col">{props.names[1]}</th>
        </tr>
      </thead>
      <tbody>
        {props.items.map((item, index) => (
          <tr key={index}>
            <td><Badge tone={TONES[item.change]}>{item.change}</Badge></td>
            <td class="difference" title={item.pointer ?? item.old_pointer ?? undefined}>{item.label.split('/').slice(1).join(' › ') || 'the whole'}</td>
            <td class="difference mono">{item.change !== 'added' && <del>{short(item.old)}</del>}</td>
            <td class="difference mono">{item.change !== 'removed' && <ins>{short(item.new)}</ins>}</td>
          </tr>
        ))}
      </tbody>
    </CardTable>
  )
}

function short(value: unknown): string {
  return shortened(writeJson(value) ?? '', 300)
}
