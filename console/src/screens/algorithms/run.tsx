/** A run of an algorithm: how far it is, how it was started, and its result. */
import { api, ok, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { Link, path } from '../../router'
import { ConfirmButton } from '../../ui/dialog'
import { Badge, Button, Note, Panel, ProblemNote, ProblemText, Show, State } from '../../ui/parts'
import { formatNumber, formatSeconds, secondsBetween, Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { Chosen } from './project'
import { Result } from './result'

type Run = Schemas['RunView']
const REFRESH_MS = 700
const SUBTASKS = ['succeeded', 'running', 'retried', 'failed', 'pending'] as const

export function RunPage({ id, algorithm, project }: { id: string; algorithm: Schemas['AlgorithmView']; project: string }) {
  const run = useLoad(
    () => ok(api.GET('/v1/runs/{run_id}', { params: { path: { run_id: id } } })),
    [id],
    (data) => (data.finished_at ? 0 : REFRESH_MS),
  )
  return (
    <Show from={run}>
      {(data) => (
        <>
          <Facts run={data} algorithm={algorithm} project={project} onChange={run.reload} />
          {!data.finished_at && <Progress run={data} />}
          {data.error && (
            <Note tone="bad">
              <ProblemText problem={data.error} />
            </Note>
          )}
          {data.warnings.length > 0 && (
            <Note tone="warn">
              <ul>
                {data.warnings.map((warning) => (
                  <li key={warning}>{warning}</li>
                ))}
              </ul>
            </Note>
          )}
          {data.status === 'succeeded' && <Result run={data} />}
        </>
      )}
    </Show>
  )
}

function Facts({ run, algorithm, project, onChange }: { run: Run; algorithm: Schemas['AlgorithmView']; project: string; onChange: () => void }) {
  const may = useMayOn({ run: run.id })
  const redrive = useAction(async () => {
    await ok(api.POST('/v1/runs/{run_id}/redrive', { params: { path: { run_id: run.id } } }))
    onChange()
  })
  const cancel = async () => {
    await ok(api.POST('/v1/runs/{run_id}/cancel', { params: { path: { run_id: run.id } } }))
    onChange()
  }
  const { request } = run
  return (
    <Panel
      title={<><State value={run.status} /> {run.kind === 'manual' && <Badge>by hand</Badge>} {request?.comment}</>}
      actions={
        <>
          {!run.finished_at && may('run.stop') && <ConfirmButton text="Cancel the run" look="danger" question="What it has computed so far is kept, so that it can be continued." work={cancel} />}
          {(run.status === 'failed' || run.status === 'cancelled') && may('run.redrive') && (
            <Button look="primary" busy={redrive.busy} onClick={() => redrive.run()}>Continue the run</Button>
          )}
        </>
      }
    >
      <ProblemNote error={redrive.error} />
      <dl class="facts-list">
        <dt>Started</dt>
        <dd>
          <Time at={run.created_at} /> by <Who id={run.created_by} />, took {formatSeconds(secondsBetween(run.started_at, run.finished_at))}
          {run.attempt > 1 && `, attempt ${run.attempt}`}
        </dd>
        <dt>Inputs</dt>
        <dd>
          {Object.entries(request?.inputs ?? {}).map(([name, input]) => (
            <span class="used" key={name}>
              {name}: <Used input={input} project={project} />
            </span>
          ))}
        </dd>
        <dt>Parameters</dt>
        <dd class="mono"><Chosen run={run} algorithm={algorithm} /></dd>
        <dt>Seed</dt>
        <dd>{request?.seed}</dd>
      </dl>
    </Panel>
  )
}

function Used({ input, project }: { input: Schemas['InputUseView']; project: string }) {
  if (input.input) return <Link to={path`/inputs/${input.input}`} query={{ version: input.version }}>{input.reference}</Link>
  if (input.run) return <Link to={path`/projects/${project}/algorithms/${input.kind.replace('run:', '')}`} query={{ run: input.run }}>{input.reference}</Link>
  return <code>{input.reference}</code>
}

function Progress({ run }: { run: Run }) {
  const { progress } = run
  const subtasks = progress?.subtasks
  const [done, total] = subtasks ? [subtasks.succeeded + subtasks.failed, subtasks.total] : [progress?.current ?? 0, progress?.total ?? null]
  return (
    <Panel title={progress ? `Working: ${progress.stage}` : 'Waiting to begin'}>
      <div class="stack" role="status">
        <progress aria-label="Progress" value={total ? done : undefined} max={total ?? 1} />
        <div class="row">
          {progress?.text}
          {subtasks
            ? SUBTASKS.filter((name) => subtasks[name] > 0).map((name) => <Badge key={name} tone={TONES[name]}>{formatNumber(subtasks[name])} {name}</Badge>)
            : total !== null && `${formatNumber(done)} of ${formatNumber(total)}`}
          {subtasks && <span class="muted">of {formatNumber(subtasks.total)} restarts</span>}
        </div>
      </div>
    </Panel>
  )
}

const TONES = { succeeded: 'good', running: 'busy', retried: 'warn', failed: 'bad', pending: 'plain' } as const
