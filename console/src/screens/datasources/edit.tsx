/** The definition of a datasource: edited by form and YAML, or only read. */
import { useState } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { navigate, path } from '../../router'
import { Editor } from '../../ui/editor'
import { Button, Note, Panel, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { forgetUnsaved, useUnsaved } from '../../unsaved'
import type { ScreenProps } from '../registry'
import { written } from './kinds'
import { loadDatasource, unchecked, type Datasource } from './requests'
import { DocumentEditor } from './editor/editor'
import { DatasourcePage } from './tabs'
import { textOf } from './editor/document'

export default function Edit({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const datasource = useLoad(() => loadDatasource(slug), [slug])
  const mayUpdate = useMayOn({ datasource: slug })('datasource.update')
  return (
    <DatasourcePage slug={slug} kind={datasource.data?.kind} title="Definition">
      <Show from={datasource}>
        {(present) =>
          mayUpdate ? (
            <EditDocument key={slug} present={present} />
          ) : (
            <Panel>
              <Editor label="YAML" language="yaml" value={textOf(written(present))} onChange={() => undefined} readOnly />
            </Panel>
          )
        }
      </Show>
    </DatasourcePage>
  )
}

function EditDocument({ present }: { present: Datasource }) {
  const slug = present.slug!
  const [base, setBase] = useState(present)
  const [text, setText] = useState(() => textOf(written(present)))
  const save = useAction(async (document: Record<string, unknown>) => {
    const params = { path: { slug }, header: { 'If-Match': `"${base.etag}"` } }
    await ok(api.PUT('/v1/datasources/{slug}', { params, body: unchecked({ ...document, slug }) }))
    forgetUnsaved()
    toast('The datasource is saved.')
    navigate(path`/datasources/${slug}`)
  })
  const changed = text !== textOf(written(base))
  useUnsaved(changed)
  const conflict = save.error?.status === 412
  return (
    <>
      {conflict && (
        <Conflict
          slug={slug}
          onTake={(theirs) => {
            setBase(theirs)
            setText(textOf(written(theirs)))
            save.clear()
          }}
          onKeep={(theirs) => {
            setBase(theirs)
            save.clear()
          }}
        />
      )}
      <DocumentEditor
        text={text}
        onText={setText}
        created
        save={{ text: 'Save', busy: save.busy, error: conflict ? undefined : save.error, run: save.run, clear: save.clear }}
        more={
          <>
            {changed && <Button onClick={() => setText(textOf(written(base)))}>Undo the changes</Button>}
            <Button onClick={() => navigate(path`/datasources/${slug}`)}>Cancel</Button>
          </>
        }
      />
    </>
  )
}

/** Somebody else has saved it meanwhile: nothing is lost on either side before the user has chosen. */
function Conflict(props: { slug: string; onTake: (theirs: Datasource) => void; onKeep: (theirs: Datasource) => void }) {
  const { slug } = props
  const theirs = useLoad(() => loadDatasource(slug), [slug])
  return (
    <Note tone="bad">
      <div class="stack">
        <div>
          <strong>Somebody else has changed {slug} since you opened it.</strong> Nothing was saved. Your text is still below.
        </div>
        <Show from={theirs}>
          {(document) => (
            <>
              <details>
                <summary>What is saved now</summary>
                <pre>{textOf(written(document))}</pre>
              </details>
              <div class="row">
                <Button onClick={() => props.onTake(document)}>Take what is saved, drop mine</Button>
                <Button onClick={() => props.onKeep(document)}>Keep mine, to save it over theirs</Button>
              </div>
            </>
          )}
        </Show>
      </div>
    </Note>
  )
}
