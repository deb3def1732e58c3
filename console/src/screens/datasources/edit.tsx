/** The definition of a datasource: edited by form and YAML, or only read. */
import { api, ok } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, navigate, useArrival } from '../../router'
import { Conflict, useDraft } from '../../ui/conflict'
import { Editor } from '../../ui/editor'
import { Button, Panel, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { useOnceSaved, useUnsaved } from '../../unsaved'
import type { ScreenProps } from '../registry'
import { written } from './kinds'
import { loadDatasource, unchecked, type Datasource } from './requests'
import { DocumentEditor } from './editor/editor'
import { DatasourcePage } from './tabs'
import { textOf } from './editor/document'

export default function Edit({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const datasource = useLoad(() => loadDatasource(slug), [slug])
  const may = useMayOn({ datasource: slug })
  return (
    <DatasourcePage slug={slug} from={datasource} title="Definition">
      <Show from={datasource} and={may.answer}>
        {(present) =>
          may('datasource.update') ? (
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
  const arrive = useArrival()
  const draft = useDraft(present, (stored) => textOf(written(stored)))
  const { base, form: text, setForm: setText } = draft
  const onceSaved = useOnceSaved(() => arrive(path`/datasources/${slug}`))
  const save = useAction(async (document: Record<string, unknown>) => {
    const params = { path: { slug }, header: { 'If-Match': `"${base.etag}"` } }
    draft.saved(await ok(api.PUT('/v1/datasources/{slug}', { params, body: unchecked({ ...document, slug }) })), text)
    toast('The datasource is saved.')
    onceSaved()
  })
  useUnsaved(draft.changed)
  const conflict = save.error?.status === 412
  return (
    <>
      {conflict && (
        <Conflict
          name={slug}
          load={() => loadDatasource(slug)}
          text={(theirs) => textOf(written(theirs))}
          onTake={(theirs) => (save.clear(), draft.begin(theirs))}
          onKeep={(theirs) => (save.clear(), draft.setBase(theirs))}
        />
      )}
      <DocumentEditor
        text={text}
        onText={setText}
        created
        save={{ text: 'Save', busy: save.busy, error: conflict ? undefined : save.error, run: save.run, clear: save.clear }}
        more={
          <>
            {draft.changed && <Button onClick={() => setText(textOf(written(base)))}>Undo the changes</Button>}
            <Button onClick={() => navigate(path`/datasources/${slug}`)}>Cancel</Button>
          </>
        }
      />
    </>
  )
}
