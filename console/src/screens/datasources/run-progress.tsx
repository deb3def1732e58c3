/** One run while it goes on: its stage, how far it is, and how it ended. */
import { useEffect, useRef } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { Note, ProblemNote, State } from '../../ui/parts'
import { formatNumber, formatSeconds, secondsBetween } from '../../ui/values'

export type Run = Schemas['RunView']
const POLL_MS = 700

export function isActive(run: Run): boolean {
  return run.status === 'pending' || run.status === 'running'
}

/**
 * @param onEnd called once, when the run has ended.
 * @param saidAlready a warning that is left out, since its place says the same.
 */
export function RunProgress(props: { id: string; onEnd?: (run: Run) => void; saidAlready?: string }) {
  const { id } = props
  const run = useLoad(
    () => ok(api.GET('/v1/runs/{run_id}', { params: { path: { run_id: id } } })),
    [id],
    (run) => (isActive(run) ? POLL_MS : 0),
  )
  const ended = useRef<string | null>(null)
  useEffect(() => {
    if (!run.data || isActive(run.data) || ended.current === id) return
    ended.current = id
    props.onEnd?.(run.data)
  }, [run.data])
  return (
    <div class="stack" role="status">
      <ProblemNote error={run.error} />
      {run.data ? <RunState run={run.data} warnings={run.data.warnings.filter((warning) => warning !== props.saidAlready)} /> : <span class="muted">The run is starting …</span>}
    </div>
  )
}

function RunState({ run, warnings }: { run: Run; warnings: string[] }) {
  const { progress } = run
  const known = progress?.total ? { value: progress.current, max: progress.total } : {}
  return (
    <>
      <div class="row">
        <State value={run.status} />
        <span>{isActive(run) ? stageText(run) : endText(run)}</span>
        <Link to={path`/runs/${run.id}`}>Open the run</Link>
      </div>
      {isActive(run) && <progress aria-label="Progress of the run" {...known} />}
      {run.error && (
        <Note tone="bad">
          <strong>{run.error.title}.</strong> {run.error.detail}
        </Note>
      )}
      {warnings.map((warning) => (
        <Note key={warning} tone="warn">
          {warning}
        </Note>
      ))}
    </>
  )
}

function stageText({ progress }: Run): string {
  if (!progress) return 'It is about to start.'
  const count = progress.total ? ` ${progress.current} of ${progress.total}` : progress.current ? ` ${progress.current}` : ''
  return `${progress.text ?? progress.stage}${count}`
}

function endText(run: Run): string {
  const took = formatSeconds(secondsBetween(run.started_at ?? run.created_at, run.finished_at))
  if (run.rows === null || run.kind !== 'ingest') return `after ${took}`
  const unchanged = run.version === null ? ', as before' : `, version ${run.version}`
  return `${formatNumber(run.rows)} ${run.rows === 1 ? 'row' : 'rows'}${unchanged}, after ${took}`
}
