/** The merge of a project, edited in a form or as YAML beside a preview of what it would give. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { writeJson } from '../../api/json'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { useParameter } from '../../router'
import { Conflict } from '../../ui/conflict'
import { Badge, Button, Panel, ProblemNote, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { forgetUnsaved, useUnsaved } from '../../unsaved'
import type { ScreenProps } from '../registry'
import { tableName } from './lineage/nodes'
import { draftOf, isOfDocuments, type Draft, type Merge, type Project } from './merge/document'
import { Overrides } from './merge/overrides'
import { PreviewPanel, usePreview, type Preview } from './merge/preview'
import { ResultPanel, SourcesPanel } from './merge/reshape'
import { COLUMNS, RulesPanel, StrategyPanel } from './merge/rules'
import { Sources } from './merge/sources'
import { TestsPanel } from './merge/tests'
import type YamlPanel from './merge/yaml'
import './projects.css'
import { ProjectPage } from './tabs'

type May = (action: string) => boolean

export default function MergePage({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const project = useLoad(() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug } } })), [slug])
  const may = useMayOn({ project: slug })
  return (
    <ProjectPage slug={slug} from={project} title="Merge">
      <Show from={project}>{(data) => <EditMerge project={data} may={may} reload={project.reload} />}</Show>
      <Overrides slug={slug} mayRemove={may('project.override')} />
    </ProjectPage>
  )
}

function EditMerge({ project, may, reload }: { project: Project; may: May; reload: () => void }) {
  const slug = project.slug!
  const [draft, setDraft] = useState(() => draftOf(project))
  // Which project the draft began with: saving compares its etag with the present one.
  const [base, setBase] = useState(project)
  const [turn, setTurn] = useState(0)
  // Whether the YAML is no document at present; the draft is the last one that was.
  const [broken, setBroken] = useState(false)
  const [edition, setEdition] = useState(0)
  const begin = (from: Project) => {
    setBase(from)
    setDraft(draftOf(from))
    setBroken(false)
    setEdition((count) => count + 1)
  }
  const changed = writeJson(draft) !== writeJson(draftOf(base))
  useUnsaved(changed || broken)
  useEffect(() => {
    if (!changed && project.etag !== base.etag) begin(project)
  }, [project])
  const assignments = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects/{slug}/datasources', { params: { path: { slug }, query: { cursor, limit: 200 } } }))),
    [slug, turn],
  )
  const save = useAction(async () => {
    const params = { path: { slug }, header: { 'If-Match': `"${base.etag}"` } }
    begin(await ok(api.PUT('/v1/projects/{slug}', { params, body: draft as Schemas['Project'] })))
    forgetUnsaved()
    toast('The merge is saved. The next refresh uses it.')
    reload()
  })
  const preview = usePreview(slug, may('project.try') && assignments.data?.length ? draft.merge : null, turn)
  const mayUpdate = may('project.update')
  return (
    <>
      <Sources
        slug={slug}
        assignments={assignments}
        mayAssign={may('project.assign')}
        onChanged={() => setTurn((count) => count + 1)}
      />
      <div class="merge">
        <div class="stack">
          <ViewTabs broken={broken} />
          <Form
            key={edition}
            draft={draft}
            onChange={(draft) => {
              setBroken(draft === null)
              if (draft) setDraft(draft)
            }}
            preview={preview}
            assignments={assignments.data ?? []}
            save={save}
            readOnly={!mayUpdate}
          />
          {mayUpdate && (
            <SaveBar
              changed={changed}
              broken={broken}
              save={save}
              slug={slug}
              onDiscard={() => {
                save.clear()
                begin(project)
              }}
              onTake={begin}
              onKeep={setBase}
            />
          )}
        </div>
        {may('project.try') && (
          <div class="beside">
            <PreviewPanel preview={preview} merge={draft.merge} />
          </div>
        )}
      </div>
    </>
  )
}

function ViewTabs({ broken }: { broken: boolean }) {
  const [view, setView] = useParameter('view')
  return (
    <div class="row" role="group" aria-label="How to edit">
      <Button look={view === 'yaml' ? undefined : 'primary'} aria-pressed={view !== 'yaml'} disabled={broken} onClick={() => setView(null)}>
        Form
      </Button>
      <Button look={view === 'yaml' ? 'primary' : undefined} aria-pressed={view === 'yaml'} onClick={() => setView('yaml')}>
        YAML
      </Button>
    </div>
  )
}

type Save = ReturnType<typeof useAction<[]>>

function Form(props: {
  draft: Draft
  onChange: (draft: Draft | null) => void
  preview: Preview
  assignments: Schemas['AssignmentView'][]
  save: Save
  readOnly: boolean
}) {
  const { draft, onChange, preview, assignments } = props
  const [view] = useParameter('view')
  const error = props.save.error ?? preview.error
  if (view === 'yaml') return <Yaml draft={draft} onChange={onChange} error={error} readOnly={props.readOnly} />
  const setMerge = (merge: Merge) => onChange({ ...draft, merge })
  const { merge } = draft
  const hasRows = !isOfDocuments(merge.strategy)
  return (
    <fieldset class="bare stack" disabled={props.readOnly}>
      <datalist id={COLUMNS}>
        {(preview.answer?.schema ?? []).map((column) => (
          <option key={column.name} value={column.name} />
        ))}
      </datalist>
      <StrategyPanel merge={merge} onChange={setMerge} error={error} datasources={assignments.map((one) => one.datasource)} />
      {hasRows && (
        <SourcesPanel merge={merge} onChange={setMerge} error={error} datasources={assignments.map((one) => one.datasource)} />
      )}
      {merge.strategy === 'join' && <RulesPanel merge={merge} onChange={setMerge} error={error} />}
      {hasRows && <ResultPanel merge={merge} onChange={setMerge} error={error} />}
      {hasRows && (
        <TestsPanel
          tests={draft.tests ?? {}}
          tables={['merged', ...assignments.map(tableName)]}
          onChange={(tests) => onChange({ ...draft, tests: Object.keys(tests).length > 0 ? tests : undefined })}
          error={props.save.error}
        />
      )}
    </fieldset>
  )
}

/** The editor of YAML with its parser, which the form does without. */
function Yaml(props: Parameters<typeof YamlPanel>[0]) {
  const [Loaded, setLoaded] = useState<ComponentType<typeof props> | null>(null)
  useEffect(() => {
    import('./merge/yaml').then((module) => setLoaded(() => module.default))
  }, [])
  return Loaded ? <Loaded {...props} /> : <Panel><div class="loading" role="status">Loading the editor …</div></Panel>
}

function SaveBar(props: {
  changed: boolean
  broken: boolean
  save: Save
  slug: string
  onDiscard: () => void
  onTake: (theirs: Project) => void
  onKeep: (theirs: Project) => void
}) {
  const { save, changed, broken, slug } = props
  const outdated = save.error?.status === 412
  return (
    <div class="stack merge-save">
      {outdated ? (
        <Conflict
          name={slug}
          load={() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug } } }))}
          text={(theirs) => JSON.stringify(draftOf(theirs), null, 2)}
          onTake={(theirs) => (save.clear(), props.onTake(theirs))}
          onKeep={(theirs) => (save.clear(), props.onKeep(theirs))}
        />
      ) : (
        <ProblemNote error={save.error} />
      )}
      <div class="row">
        <Button look="primary" busy={save.busy} disabled={!changed || broken} onClick={() => save.run()}>
          Save
        </Button>
        <Button disabled={!changed && !broken} onClick={props.onDiscard}>
          Discard
        </Button>
        {broken && <Badge tone="bad">the YAML is not valid</Badge>}
        {!broken && changed && <Badge tone="warn">not saved yet</Badge>}
        {!broken && !changed && <span class="muted">Everything is saved.</span>}
      </div>
    </div>
  )
}
