/** One datasource: how it stands, who uses it, its runs, and what can be done with it. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useKept } from '../../api/kept'
import { type Loaded, useAction, useLoad } from '../../api/load'
import { useMay, useMayOn, type May } from '../../api/me'
import { href, path, useParameter } from '../../router'
import { Badge, Button, Panel, ProblemNote, Show } from '../../ui/parts'
import type { ScreenProps } from '../registry'
import { DeleteButton, EnableButton } from './changes'
import './datasources.css'
import { Erase } from './erase'
import { Facts, ProjectsOf, Stats } from './facts'
import { Push } from './push'
import { loadDatasource, startRun, type Datasource } from './requests'
import { RunProgress } from './run-progress'
import { RunsOf } from './runs-of'
import { DatasourcePage } from './tabs'
import { TrialButtons, TrialResult, useTrials } from './editor/trial'
import { Upload } from './upload'

const UPSTREAM = ['http', 'sql', 'mongo', 'stream']

export default function DatasourceOverview({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const datasource = useLoad(() => loadDatasource(slug), [slug])
  return datasource.data ? (
    <Overview present={datasource.data} from={datasource} />
  ) : (
    <DatasourcePage slug={slug} from={datasource} title={slug} first>
      <Show from={datasource}>{() => null}</Show>
    </DatasourcePage>
  )
}

function Overview({ present, from }: { present: Datasource; from: Loaded<Datasource> }) {
  const slug = present.slug!
  const may = useMayOn({ datasource: slug })
  const mayTry = useMay('datasource.try')
  const [turn, setTurn] = useState(0)
  // In the address, so that a link shows the same run.
  const [run, setRun] = useParameter('run')
  const versions = useLoad(
    () => ok(api.GET('/v1/datasources/{slug}/versions', { params: { path: { slug }, query: { limit: 1 } } })),
    [slug, turn],
  )
  const start = useAction(async () => setRun((await startRun(slug)).id))
  const trial = useTrials({
    check: () => ok(api.POST('/v1/datasources/{slug}/check', { params: { path: { slug } } })),
    preview: () => ok(api.POST('/v1/datasources/{slug}/preview', { params: { path: { slug } } })),
  })
  const callable = UPSTREAM.includes(present.kind)
  const again = () => setTurn((turn) => turn + 1)
  const kept = useKept(versions.data, slug)
  const version = kept && (kept.items[0] ?? null)
  return (
    <DatasourcePage
      slug={slug}
      from={from}
      first
      title={
        <>
          {present.name} {present.enabled === false && <Badge>disabled</Badge>}
        </>
      }
      actions={
        <>
          {may('datasource.run') && callable && (
            <Button look="primary" busy={start.busy} onClick={() => start.run()}>
              Run now
            </Button>
          )}
          {mayTry && callable && <TrialButtons buttons={trial.buttons} />}
          <Actions present={present} may={may} reload={from.reload} version={version} onErased={again} />
        </>
      }
    >
      <ProblemNote error={start.error ?? versions.error} />
      {run && (
        <Panel title="The run" actions={<Button onClick={() => setRun(null)}>Hide</Button>}>
          <RunProgress key={run} id={run} onEnd={again} />
        </Panel>
      )}
      <TrialResult trial={trial} />
      {may('datasource.push') && takesFiles(present) && <Upload slug={slug} storedAs={fileName(present)} onRunEnd={again} />}
      {may('datasource.push') && present.kind === 'push' && <Push slug={slug} example={example(present)} onRunEnd={again} />}
      <div class="columns">
        <Facts present={present} version={version} />
        <div class="stack">
          <ProjectsOf slug={slug} />
          {present.kind === 'http' && <Stats slug={slug} turn={turn} />}
        </div>
      </div>
      <RunsOf slug={slug} turn={turn} onEnd={again} />
    </DatasourcePage>
  )
}

function Actions(props: {
  present: Datasource
  may: May
  reload: () => void
  version: Schemas['VersionView'] | null | undefined
  onErased: () => void
}) {
  const { present, may } = props
  const [erasing, setErasing] = useState(false)
  const types = new Map(props.version?.schema.map((column) => [column.name, column.type]))
  const keys = (present.primary_key ?? []).map((name) => ({ name, type: types.get(name) }))
  return (
    <>
      {may('datasource.update') && (
        <>
          <a class="button" href={href(path`/datasources/${present.slug!}/edit`)}>
            Edit
          </a>
          <EnableButton present={present} onDone={props.reload} />
        </>
      )}
      {may('datasource.erase') && keys.length > 0 && props.version && <Button onClick={() => setErasing(true)}>Erase a record</Button>}
      {may('datasource.delete') && <DeleteButton present={present} onDone={props.reload} />}
      {erasing && <Erase slug={present.slug!} keys={keys} onClose={() => setErasing(false)} onDone={props.onErased} />}
    </>
  )
}

function takesFiles(present: Datasource): boolean {
  return present.kind === 'file' || fileName(present) !== null
}

/** The name of a SQLite file in the datasource's folder of the inbox; null for all others. */
function fileName(present: Datasource): string | null {
  return present.kind === 'sql' && present.sql.key ? present.sql.key.slice(present.slug!.length + 1) : null
}

/** A record with the key's columns, to begin with. */
function example(present: Datasource): Record<string, unknown> {
  return Object.fromEntries((present.primary_key ?? ['id']).map((name) => [name, 1]))
}
