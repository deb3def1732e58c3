/** The merge of a project, edited in a form or as YAML beside a preview of what it would give. */
import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { all, api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn, type May } from '../../api/me'
import { useParameter } from '../../router'
import { Conflict, useDraft } from '../../ui/conflict'
import { Badge, Button, Panel, ProblemNote, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { forgetUnsaved, useOnceSaved, useUnsaved } from '../../unsaved'
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

export default function MergePage({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const project = useLoad(() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug } } })), [slug])
  const may = useMayOn({ project: slug })
  return (
    <ProjectPage slug={slug} from={project} title="Merge">
      <Show from={project} and={may.answer}>{(data) => <EditMerge project={data} may={may} reload={project.reload} />}</Show>
      <Overrides slug={slug} mayRemove={may('project.override')} />
    </ProjectPage>
  )
}

function EditMerge({ project, may, reload }: { project: Project; may: May; reload: () => void }) {
  const slug = project.slug!
  const [turn, setTurn] = useState(0)
  const assignments = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects/{slug}/datasources', { params: { path: { slug }, query: { cursor, limit: 200 } } }))),
    [slug, turn],
  )
  const edited = useEdited(project, reload)
  const { draft } = edited
  const preview = usePreview(slug, may('project.try') && assignments.data?.length ? draft.form.merge : null, turn)
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
          <ViewTabs broken={edited.broken} />
          <Form
            key={edited.edition}
            draft={draft.form}
            onChange={edited.change}
            preview={preview}
            assignments={assignments.data ?? []}
            save={edited.save}
            readOnly={!mayUpdate}
          />
          {mayUpdate && <SaveBar slug={slug} edited={edited} />}
        </div>
        {may('project.try') && (
          <div class="beside">
            <PreviewPanel preview={preview} merge={draft.form.merge} />
          </div>
        )}
      </div>
    </>
  )
}

type Edited = ReturnType<typeof useEdited>

/** The document of a project while it is edited, and how it is saved. */
function useEdited(project: Project, reload: () => void) {
  const slug = project.slug!
  const draft = useDraft<Project, Draft>(project, draftOf)
  // Whether the YAML is no document at present; the draft is the last one that was.
  const [broken, setBroken] = useState(false)
  const newestBroken = useRef(broken)
  newestBroken.current = broken
  // Whatever the form holds besides the draft, such as half an entry, belongs to one edition.
  const [edition, setEdition] = useState(0)
  useUnsaved(draft.changed || broken)
  // Who was asked meanwhile whether to leave, leaves.
  const onceSaved = useOnceSaved(forgetUnsaved)
  const begin = (from: Project) => {
    draft.begin(from)
    setBroken(false)
    setEdition((count) => count + 1)
  }
  const change = (form: Draft | null) => {
    setBroken(form === null)
    if (form) draft.setForm(form)
  }
  const save = useAction(async () => {
    const params = { path: { slug }, header: { 'If-Match': `"${draft.base.etag}"` } }
    const saved = await ok(api.PUT('/v1/projects/{slug}', { params, body: draft.form as Schemas['Project'] }))
    // A draft that is put in its place would replace the text that is being typed.
    if (newestBroken.current) draft.setBase(saved)
    else draft.saved(saved, draft.form)
    onceSaved()
    toast('The merge is saved. The next refresh uses it.')
    reload()
  })
  return { draft, broken, edition, begin, change, save }
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

function SaveBar({ slug, edited }: { slug: string; edited: Edited }) {
  const { draft, broken, save } = edited
  const { changed } = draft
  const outdated = save.error?.status === 412
  return (
    <div class="stack merge-save">
      {outdated ? (
        <Conflict
          name={slug}
          load={() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug } } }))}
          text={(theirs) => JSON.stringify(draftOf(theirs), null, 2)}
          onTake={(theirs) => (save.clear(), edited.begin(theirs))}
          onKeep={(theirs) => (save.clear(), draft.setBase(theirs))}
        />
      ) : (
        <ProblemNote error={save.error} />
      )}
      <div class="row">
        <Button look="primary" busy={save.busy} disabled={!changed || broken} onClick={() => save.run()}>
          Save
        </Button>
        <Button disabled={!changed && !broken} onClick={() => (save.clear(), edited.begin(draft.base))}>
          Discard
        </Button>
        {broken && <Badge tone="bad">the YAML is not valid</Badge>}
        {!broken && changed && <Badge tone="warn">not saved yet</Badge>}
        {!broken && !changed && <span class="muted">Everything is saved.</span>}
      </div>
    </div>
  )
}
