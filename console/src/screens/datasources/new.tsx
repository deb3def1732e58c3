/** A new datasource: proposed from an address, or begun from a template. */
import { useState } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useAction } from '../../api/load'
import { path, useArrival, useParameter } from '../../router'
import { Button, Page, Panel } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { unlessUnsaved, useUnsaved } from '../../unsaved'
import { Detect } from './detect'
import { textOf } from './editor/document'
import { KINDS, TEMPLATES, written, type Kind } from './kinds'
import { DocumentEditor } from './editor/editor'
import { unchecked } from './requests'

const CRUMBS = [{ to: '/datasources', text: 'Datasources' }]

export default function New() {
  const [kind, setKind] = useParameter('kind')
  const [taken, setTaken] = useState<string | null>(null)
  const template = kind && Object.hasOwn(TEMPLATES, kind) ? textOf(TEMPLATES[kind as Kind]) : null
  const text = taken ?? template
  const again = () => {
    setTaken(null)
    setKind(null)
  }
  return (
    <Page title="New datasource" crumbs={CRUMBS} actions={text !== null && <Button onClick={() => unlessUnsaved(again)}>Begin again</Button>}>
      {text === null ? (
        <>
          <Detect onTake={(document) => setTaken(textOf(written(document, { slug: true })))} />
          <Templates onChoose={setKind} />
        </>
      ) : (
        <Create key={text} first={text} />
      )}
    </Page>
  )
}

function Templates({ onChoose }: { onChoose: (kind: string) => void }) {
  return (
    <Panel title="Begin from a template">
      <ul class="plain kinds">
        {KINDS.map(({ kind, name, about }) => (
          <li key={kind}>
            <button type="button" class="kind" onClick={() => onChoose(kind)}>
              <strong>{name}</strong>
              <span class="muted">{about}</span>
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Create({ first }: { first: string }) {
  const [text, setText] = useState(first)
  useUnsaved(text !== first, ['kind'])
  const arrive = useArrival()
  const create = useAction(async (document: Record<string, unknown>) => {
    const made = await ok(api.POST('/v1/datasources', { body: unchecked(document) }))
    toast(`${made.name} is created.`)
    arrive(path`/datasources/${made.slug!}`)
  })
  return <DocumentEditor text={text} onText={setText} created={false} save={{ ...create, text: 'Create' }} />
}
