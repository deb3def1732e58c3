/** Changing a stored datasource. */
import { useState } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { navigate, path } from '../../router'
import { Button, Note, Page, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import type { ScreenProps } from '../registry'
import { textOf } from './editor/document'
import { DatasourceEditor } from './editor/editor'
import { loadDatasource, unchecked, type Datasource } from './requests'
import { DATASOURCE_CRUMBS, DatasourceTabs } from './tabs'

export default function EditDatasource({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const stored = useLoad(() => loadDatasource(slug), [slug])
  return (
    <Page title={stored.data?.name ?? slug} crumbs={DATASOURCE_CRUMBS}>
      <DatasourceTabs slug={slug} />
      <Show from={stored}>{(data) => <Edit key={data.etag} slug={slug} stored={data} reload={stored.reload} />}</Show>
    </Page>
  )
}

function Edit({ slug, stored, reload }: { slug: string; stored: Datasource; reload: () => void }) {
  const [text, setText] = useState(() => textOf(stored as Record<string, unknown>))
  const maySave = useMayOn({ datasource: slug })('datasource.update')
  const save = useAction(async (value: Record<string, unknown>) => {
    const params = { path: { slug }, header: { 'If-Match': `"${stored.etag}"` } }
    await ok(api.PUT('/v1/datasources/{slug}', { params, body: unchecked(value) }))
    toast('The datasource is saved.')
    navigate(path`/datasources/${slug}`)
  })
  const conflict = save.error?.status === 412
  return (
    <>
      {conflict && (
        <Note tone="warn">
          Somebody has changed this datasource since you opened it. Copy what you want to keep, then{' '}
          <Button look="quiet" onClick={reload}>
            load the present one
          </Button>
        </Note>
      )}
      <DatasourceEditor
        text={text}
        onChange={setText}
        error={save.error}
        actions={(parsed) =>
          maySave && (
            <Button look="primary" busy={save.busy} disabled={Boolean(parsed.fault)} onClick={() => save.run(parsed.value)}>
              Save
            </Button>
          )
        }
      />
    </>
  )
}
