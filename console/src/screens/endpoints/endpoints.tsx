/** A project's endpoints: queries under addresses of their own. */
import { useMemo } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, Link, useArrival, useParameter } from '../../router'
import { Conflict, useDraft } from '../../ui/conflict'
import { ConfirmButton } from '../../ui/dialog'
import { Editor } from '../../ui/editor'
import { NotThere } from '../../ui/gone'
import { Badge, Button, Empty, Panel, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { useUnsaved } from '../../unsaved'
import { ProjectPage } from '../projects/tabs'
import type { ScreenProps } from '../registry'
import { ShareButton } from '../reports/share'
import { toYaml } from '../sql/document'
import { OtherFaults } from '../sql/parts'
import { sqlFaults } from '../sql/query'
import { useMentioned, useTables, type Tables } from '../sql/tables'
import { EndpointFields, endpointForm, endpointOf, shownPointers } from './form'
import { TryEndpoint } from './try'

export default function Endpoints({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const mayOn = useMayOn({ project: slug })
  const tables = useTables(slug)
  const [name] = useParameter('endpoint')
  const endpoints = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects/{slug}/endpoints', { params: { path: { slug }, query: { cursor, limit: 200 } } }))),
    [slug],
  )
  const create = mayOn('project.update') && (
    <Link to="/sql" class="button primary" query={{ project: slug }}>
      New endpoint in SQL
    </Link>
  )
  return (
    <ProjectPage slug={slug} from={endpoints} title="Endpoints" actions={endpoints.data?.length ? create : undefined}>
      <Show from={endpoints} and={mayOn.answer}>
        {(items) => {
          if (items.length === 0) {
            return (
              <Panel>
                <Empty title="There are no endpoints yet." action={create}>
                  An endpoint publishes a query under its own address, for programs, Excel and Power BI. Write it in SQL, then
                  save it as an endpoint.
                </Empty>
              </Panel>
            )
          }
          const chosen = name === null ? items[0]! : items.find((one) => one.name === name)
          return (
            <div class="chosen">
              <nav aria-label="Endpoints of the project">
                {items.map((one) => (
                  <Link key={one.name} to={path`/projects/${slug}/endpoints`} query={{ endpoint: one.name }} aria-current={one === chosen ? 'true' : undefined}>
                    {one.name} {one.public && <Badge>public</Badge>}
                  </Link>
                ))}
              </nav>
              {chosen ? (
                <OneEndpoint key={chosen.name} endpoint={chosen} tables={tables} mayUpdate={mayOn('project.update')} mayLink={mayOn('project.link')} onChange={endpoints.reload} />
              ) : (
                <NotThere what="endpoint" id={name!} list={{ to: path`/projects/${slug}/endpoints`, text: `Endpoints of ${slug}` }} />
              )}
            </div>
          )
        }}
      </Show>
    </ProjectPage>
  )
}

function OneEndpoint(props: {
  endpoint: Schemas['EndpointView']
  tables: Tables
  mayUpdate: boolean
  mayLink: boolean
  onChange: () => void
}) {
  const { endpoint, mayUpdate } = props
  const arrive = useArrival()
  const params = { path: { slug: endpoint.project, name: endpoint.name } }
  const remove = async () => {
    await ok(api.DELETE('/v1/projects/{slug}/endpoints/{name}', { params }))
    toast(`The endpoint ${endpoint.name} is deleted.`)
    arrive(path`/projects/${endpoint.project}/endpoints`)
    props.onChange()
  }
  return (
    <div class="stack">
      <div class="row spread">
        <div class="row">
          <h2>{endpoint.name}</h2>
          <Badge>{endpoint.public ? 'public' : 'needs a key'}</Badge>
          <span class="muted">
            changed <Time at={endpoint.updated_at} />
          </span>
        </div>
        <div class="row">
          {props.mayLink && <ShareButton slug={endpoint.project} target={`endpoints/${endpoint.name}`} />}
          <Link class="button" to="/sql" query={{ project: endpoint.project, sql: endpoint.sql }}>
            Open in SQL
          </Link>
          {mayUpdate && (
            <ConfirmButton look="danger" text="Delete" question={`Delete the endpoint ${endpoint.name}? Its callers get no more answers.`} work={remove} />
          )}
        </div>
      </div>
      {endpoint.description && <p>{endpoint.description}</p>}
      <TryEndpoint endpoint={endpoint} />
      <EditEndpoint {...props} />
    </div>
  )
}

function EditEndpoint({ endpoint, tables, mayUpdate, onChange }: Parameters<typeof OneEndpoint>[0]) {
  const draft = useDraft(endpoint, (stored) => ({ sql: stored.sql, fields: endpointForm(stored) }))
  const { sql, fields } = draft.form
  useMentioned(tables, sql)
  const save = useAction(async () => {
    const params = { path: { slug: endpoint.project, name: endpoint.name }, header: { 'If-Match': draft.base.etag } }
    const saved = await ok(api.PUT('/v1/projects/{slug}/endpoints/{name}', { params, body: endpointOf(fields, sql) }))
    draft.saved(saved, draft.form)
    toast(`The endpoint ${endpoint.name} is published.`)
    onChange()
  })
  const faults = useMemo(() => sqlFaults(save.error), [save.error])
  useUnsaved(draft.changed, ['endpoint'])
  const conflict = save.error?.status === 412
  return (
    <Panel
      title="Document"
      actions={
        mayUpdate && (
          <Button look="primary" busy={save.busy} disabled={!draft.changed} onClick={() => save.run()}>
            Save
          </Button>
        )
      }
    >
      <div class="stack">
        <Editor label="SQL of the endpoint" language="sql" value={sql} onChange={(sql) => draft.setForm({ ...draft.form, sql })} tables={tables.completion} faults={faults} readOnly={!mayUpdate} />
        {conflict ? (
          <Conflict
            name={endpoint.name}
            load={() => ok(api.GET('/v1/projects/{slug}/endpoints/{name}', { params: { path: { slug: endpoint.project, name: endpoint.name } } }))}
            text={(theirs) => toYaml({ ...endpointOf(endpointForm(theirs), theirs.sql) })}
            onTake={(theirs) => (save.clear(), draft.begin(theirs))}
            onKeep={(theirs) => (save.clear(), draft.setBase(theirs))}
          />
        ) : (
          <OtherFaults error={save.error} shown={shownPointers(fields, sql)} />
        )}
        <EndpointFields form={fields} sql={sql} onChange={(fields) => draft.setForm({ ...draft.form, fields })} error={save.error} readOnly={!mayUpdate} />
      </div>
    </Panel>
  )
}
