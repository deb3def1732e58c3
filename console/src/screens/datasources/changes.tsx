/** Pausing and deleting a datasource. */
import { useState } from 'preact/hooks'
import { all, api, ok } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { ConfirmButton, Dialog } from '../../ui/dialog'
import { Button, ProblemNote, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { unchecked, type Datasource } from './requests'

type Props = { present: Datasource; onDone: () => void }

export function EnableButton({ present, onDone }: Props) {
  const slug = present.slug!
  const enabled = present.enabled !== false
  const change = async () => {
    const params = { path: { slug }, header: { 'If-Match': `"${present.etag}"` } }
    await ok(
      api.PATCH('/v1/datasources/{slug}', {
        params,
        body: unchecked({ enabled: !enabled }),
        headers: { 'Content-Type': 'application/merge-patch+json' },
      }),
    )
    toast(`${present.name} is ${enabled ? 'disabled' : 'enabled'}.`)
    onDone()
  }
  return enabled ? (
    <ConfirmButton
      text="Disable"
      question={`The schedule of ${present.name} no longer starts runs, and refreshes use its published data as it is.`}
      work={change}
    />
  ) : (
    <ConfirmButton text="Enable" look="primary" question={`The schedule of ${present.name} starts runs again.`} work={change} />
  )
}

/** Deletes; while projects use the datasource, only after a second question. */
export function DeleteButton({ present, onDone }: Props) {
  const slug = present.slug!
  const [open, setOpen] = useState(false)
  const remove = useAction(async (force: boolean) => {
    const header = { 'If-Match': `"${present.etag}"` }
    await ok(api.DELETE('/v1/datasources/{slug}', { params: { path: { slug }, header, query: force ? { force } : {} } }))
    toast(`${present.name} is deleted. It can be restored.`)
    setOpen(false)
    onDone()
  })
  const used = remove.error?.status === 409
  const close = () => {
    setOpen(false)
    remove.clear()
  }
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        Delete
      </Button>
      {open && (
        <Dialog title={`Delete ${present.name}`} onClose={close}>
          <div>Its runs stop and its data is no longer read. It can be restored from its page.</div>
          <ProblemNote error={remove.error} />
          {used && <UsedBy slug={slug} />}
          <div class="row">
            <Button look="danger" busy={remove.busy} onClick={() => remove.run(used)}>
              {used ? 'Delete it nevertheless' : 'Delete'}
            </Button>
            <Button onClick={close}>Cancel</Button>
          </div>
        </Dialog>
      )}
    </>
  )
}

/** What a deletion ends that a restore does not bring back. */
function UsedBy({ slug }: { slug: string }) {
  const assigned = useLoad(
    () => all((cursor) => ok(api.GET('/v1/datasources/{slug}/projects', { params: { path: { slug }, query: { cursor, limit: 100 } } }))),
    [slug],
  )
  return (
    <Show from={assigned}>
      {(items) => (
        <div>
          It is taken out of {items.map((item) => item.project).join(', ') || 'projects that you do not see'}, with its place among
          their sources; restoring it does not put it back there.
        </div>
      )}
    </Show>
  )
}
