/** Links that open a report or an endpoint without a key. */
import { useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useParameter } from '../../router'
import { ConfirmButton, Dialog } from '../../ui/dialog'
import { Button, Empty, ProblemNote, SelectField, Show } from '../../ui/parts'
import { formatAge } from '../../ui/values'
import { Who } from '../../ui/who'
import { Copy } from '../sql/parts'

const EXPIRY = [
  { value: '3600', text: 'an hour' },
  { value: '86400', text: 'a day' },
  { value: '604800', text: 'a week' },
  { value: '2592000', text: '30 days' },
]

/** A button that opens the links of a target, such as `reports/weekly/latest`. */
export function ShareButton({ slug, target }: { slug: string; target: string }) {
  const [open, setOpen] = useParameter('share')
  return (
    <>
      <Button onClick={() => setOpen('1')}>Share</Button>
      {open && <Share slug={slug} target={target} onClose={() => setOpen(null)} />}
    </>
  )
}

function Share({ slug, target, onClose }: { slug: string; target: string; onClose: () => void }) {
  const [seconds, setSeconds] = useState('604800')
  const [made, setMade] = useState<Schemas['LinkView'] | null>(null)
  const links = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects/{slug}/links', { params: { path: { slug }, query: { cursor, limit: 200 } } }))),
    [slug],
  )
  const create = useAction(async () => {
    const body = { target, expires_in_seconds: Number(seconds) }
    setMade(await ok(api.POST('/v1/projects/{slug}/links', { params: { path: { slug } }, body })))
    links.reload()
  })
  return (
    <Dialog title="Share by link" onClose={onClose}>
      <p>Whoever has the link can read this without a key, until it expires or you revoke it.</p>
      <form
        class="row end"
        onSubmit={(event) => {
          event.preventDefault()
          void create.run()
        }}
      >
        <SelectField label="It expires in" value={seconds} options={EXPIRY} onChange={setSeconds} wrong={create.error?.at('/expires_in_seconds')} />
        <Button type="submit" look="primary" busy={create.busy}>
          Create a link
        </Button>
      </form>
      <ProblemNote error={create.error} />
      {made && <Copy label="New link" text={made.url} />}
      <h3>Links that work now</h3>
      <Show from={links}>
        {(items) => {
          const here = items.filter((link) => link.target.split('?')[0] === target).reverse()
          if (here.length === 0) return <Empty title="There are none." />
          return (
            <ul class="plain stack">
              {here.map((link) => (
                <li key={link.id} class="row spread">
                  <span>
                    Created {formatAge(link.created_at)} by <Who id={link.created_by} />, expires {formatAge(link.expires_at)}
                  </span>
                  <span class="row">
                    <a class="button" href={link.url} target="_blank" rel="noreferrer">
                      Open
                    </a>
                    <ConfirmButton
                      look="danger"
                      text="Revoke"
                      question="Revoke this link? Whoever has it can no longer open it."
                      work={async () => {
                        await ok(api.DELETE('/v1/projects/{slug}/links/{link_id}', { params: { path: { slug, link_id: link.id } } }))
                        if (made?.id === link.id) setMade(null)
                        links.reload()
                      }}
                    />
                  </span>
                </li>
              ))}
            </ul>
          )
        }}
      </Show>
    </Dialog>
  )
}
