/** The projects whose runs take an input: a pinned version of it, or always the latest one. */
import { useState } from 'preact/hooks'
import { all, api, ok, ONLY_NEW, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMay, useMayOn } from '../../api/me'
import { Link, path } from '../../router'
import { ConfirmButton } from '../../ui/dialog'
import { CardTable, numeric, TableHead } from '../../ui/list'
import { Badge, Button, Empty, Panel, ProblemNote, SelectField, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'

type Pin = Schemas['PinView']

/** The pins of an input, and the projects that may still pin it. */
async function pinsOf(slug: string): Promise<{ pins: Pin[]; others: string[] }> {
  const [pins, projects] = await Promise.all([
    all((cursor) => ok(api.GET('/v1/inputs/{slug}/projects', { params: { path: { slug }, query: { cursor, limit: 100 } } }))),
    all((cursor) => ok(api.GET('/v1/projects', { params: { query: { cursor, limit: 100 } } }))),
  ])
  const pinned = new Set(pins.map((pin) => pin.project))
  const others = projects.map((project) => project.slug!).filter((project) => !pinned.has(project))
  return { pins: pins.sort((a, b) => a.project.localeCompare(b.project)), others: others.sort() }
}

export function Pins({ slug }: { slug: string }) {
  const loaded = useLoad(() => pinsOf(slug), [slug])
  const mayAssign = useMay('project.assign')
  return (
    <Show from={loaded}>
      {({ pins, others }) => (
        <>
          <Panel title="Projects that use it" flush>
            {pins.length === 0 ? (
              <Empty title="No project uses this input yet.">Pin it in a project, so that the project’s algorithms can take it.</Empty>
            ) : (
              <CardTable>
                <TableHead columns={['Project', 'Pinned', numeric('Its runs take'), 'Comment of that version', { text: 'Change', look: 'hidden' }]} />
                <tbody>
                  {pins.map((pin) => (
                    <PinRow key={pin.project} pin={pin} onChange={loaded.reload} />
                  ))}
                </tbody>
              </CardTable>
            )}
          </Panel>
          {mayAssign && others.length > 0 && <NewPin slug={slug} projects={others} onDone={loaded.reload} />}
        </>
      )}
    </Show>
  )
}

/** @param present the pin that is changed; without one there must be none. */
async function pin(project: string, slug: string, version: number | null, present?: Pin): Promise<void> {
  const headers = present ? { 'If-Match': present.etag } : ONLY_NEW
  const params = { path: { slug: project, input_slug: slug } }
  await ok(api.PUT('/v1/projects/{slug}/inputs/{input_slug}', { params, headers, body: { version } }))
  toast(version === null ? `The runs of ${project} take the latest version.` : `The runs of ${project} take version ${version}.`)
}

function PinRow({ pin: present, onChange }: { pin: Pin; onChange: () => void }) {
  const mayOn = useMayOn({ project: present.project })
  const follow = useAction(async () => {
    await pin(present.project, present.input, present.version === null ? present.latest : null, present)
    onChange()
  })
  const remove = async () => {
    await ok(api.DELETE('/v1/projects/{slug}/inputs/{input_slug}', { params: { path: { slug: present.project, input_slug: present.input } } }))
    onChange()
  }
  return (
    <tr>
      <td><Link to={path`/projects/${present.project}`}>{present.project}</Link></td>
      <td>{present.version === null ? <Badge>the latest</Badge> : <Badge tone={present.version < present.latest ? 'warn' : 'good'}>version {present.version} of {present.latest}</Badge>}</td>
      <td class="number">{present.current}</td>
      <td>{present.comment ?? <span class="muted">–</span>}</td>
      <td>
        {mayOn('project.assign') && (
          <div class="row">
            <Button busy={follow.busy} onClick={() => follow.run()}>
              {present.version === null ? `Pin version ${present.latest}` : 'Follow the latest'}
            </Button>
            <ConfirmButton text="Remove" question={`The algorithms of ${present.project} no longer take it by itself.`} work={remove} />
          </div>
        )}
        <ProblemNote error={follow.error} />
      </td>
    </tr>
  )
}

function NewPin({ slug, projects, onDone }: { slug: string; projects: string[]; onDone: () => void }) {
  const [project, setProject] = useState(projects[0]!)
  const action = useAction(async () => {
    await pin(project, slug, null)
    onDone()
  })
  const chosen = projects.includes(project) ? project : projects[0]!
  return (
    <Panel title="Use it in a project">
      <form class="row" onSubmit={(event) => (event.preventDefault(), void action.run())}>
        <SelectField label="Project" value={chosen} options={projects} onChange={setProject} />
        <Button type="submit" look="primary" busy={action.busy}>Use the latest version</Button>
      </form>
      <ProblemNote error={action.error} />
    </Panel>
  )
}
