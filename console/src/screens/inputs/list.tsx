/** The inputs of algorithms, by kind; and a new one. */
import { useState } from 'preact/hooks'
import { ApiError, api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useMay } from '../../api/me'
import { Link, path, setParameters, useArrival, usePlace } from '../../router'
import { CardTable, numeric, ShowList, TableHead } from '../../ui/list'
import { Button, Empty, Page, Panel, SelectField, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { formatBytes, Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { DocumentEditor } from './editor'
import { KINDS, kindOf } from './kinds'
import { saveVersion } from './save-version'

type KindName = 'document' | 'topology' | 'traffic_matrix' | 'clusters'

export default function Inputs() {
  const { query } = usePlace()
  const mayCreate = useMay('input.create')
  return query.get('new') === null || !mayCreate ? <InputList /> : <NewInput />
}

function InputList() {
  const { query } = usePlace()
  const kind = query.get('kind') ?? ''
  const deleted = query.get('deleted') === 'true'
  const mayCreate = useMay('input.create')
  const list = useList(
    (cursor) => ok(api.GET('/v1/inputs', { params: { query: { cursor, limit: 50, kind: (kind || undefined) as KindName | undefined, deleted: deleted || undefined } } })),
    [kind, deleted],
  )
  const create = (text: string) =>
    mayCreate && (
      <Button look="primary" onClick={() => setParameters({ new: kind || 'topology' })}>
        {text}
      </Button>
    )
  return (
    <Page
      title="Inputs"
      actions={create('Create an input')}
    >
      <div class="row">
        <SelectField
          label="Kind"
          value={kind}
          options={[{ value: '', text: 'All kinds' }, ...KINDS.map(({ name, title }) => ({ value: name, text: title }))]}
          onChange={(value) => setParameters({ kind: value })}
        />
        <SelectField
          label="Show"
          value={deleted ? 'true' : ''}
          options={[{ value: '', text: 'Present ones' }, { value: 'true', text: 'Deleted ones' }]}
          onChange={(value) => setParameters({ deleted: value })}
        />
      </div>
      <Panel flush>
        <ShowList
          from={list}
          empty={
            <Empty title={deleted ? 'No input is deleted.' : 'There are no inputs yet.'} action={!deleted && create('Create the first input')}>
              {!deleted && 'An input is a document that algorithms read, such as a network’s topology. It is kept in versions.'}
            </Empty>
          }
        >
          {(items) => (
            <CardTable>
              <TableHead columns={['Input', 'Kind', numeric('Version'), 'Comment', numeric('Size'), 'Changed', 'By']} />
              <tbody>
                {items.map((item) => (
                  <tr key={item.slug}>
                    <td>
                      <Link to={path`/inputs/${item.slug}`} query={deleted ? { part: 'versions' } : {}}>
                        {item.slug}
                      </Link>
                    </td>
                    <td>{kindOf(item.kind).title}</td>
                    <td class="number">{item.version}</td>
                    <td>{item.comment ?? <span class="muted">–</span>}</td>
                    <td class="number">{formatBytes(item.size)}</td>
                    <td><Time at={item.deleted_at ?? item.updated_at} /></td>
                    <td><Who id={item.updated_by} /></td>
                  </tr>
                ))}
              </tbody>
            </CardTable>
          )}
        </ShowList>
      </Panel>
    </Page>
  )
}

function NewInput() {
  const { query } = usePlace()
  const kind = kindOf(query.get('new') || 'topology')
  const [slug, setSlug] = useState('')
  const [wrong, setWrong] = useState<string>()
  // It is still edited here if somebody has gone on typing while it was being created.
  const [created, setCreated] = useState<Schemas['InputView'] | null>(null)
  const arrive = useArrival()
  const save = async (document: Record<string, unknown>, comment: string | null) => {
    if (created) {
      setCreated(await saveVersion(created.slug, created.etag, document, comment))
      return
    }
    setWrong(undefined)
    try {
      setCreated(await ok(api.POST('/v1/inputs', { body: { slug, kind: kind.name, document, comment } })))
    } catch (error) {
      if (error instanceof ApiError) setWrong(error.status === 409 ? error.problem.detail : error.at('/slug'))
      throw error
    }
    toast(`The input ${slug} was created.`)
  }
  return (
    <Page title={created ? created.slug : 'New input'} crumbs={[{ to: '/inputs', text: 'Inputs' }]}>
      {!created && (
        <Panel>
          <div class="columns">
            <TextField label="Slug" value={slug} onInput={setSlug} help="Its name in addresses: lower-case letters, digits and hyphens. It never changes." wrong={wrong} required autoFocus />
            <SelectField
              label="Kind"
              value={kind.name}
              options={KINDS.map(({ name, title }) => ({ value: name, text: title }))}
              onChange={(value) => setParameters({ new: value, table: null, view: null })}
              help={kind.about}
            />
          </div>
        </Panel>
      )}
      <DocumentEditor
        key={kind.name}
        slug={created?.slug ?? null}
        kind={kind}
        document={kind.empty}
        save={save}
        onSaved={() => arrive(path`/inputs/${created!.slug}`)}
      />
    </Page>
  )
}
