/** What can be done with a run: cancel, redrive, replay. */
import { api, ok } from '../../api/client'
import { useAction } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, useArrival } from '../../router'
import { ConfirmButton } from '../../ui/dialog'
import { Button, ProblemNote } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { isActive, type Run } from './words'

export function RunActions({ run, onChange }: { run: Run; onChange: () => void }) {
  const may = useMayOn({ run: run.id })
  const arrive = useArrival()
  const mayOnDatasource = useMayOn(run.datasource ? { datasource: run.datasource } : { run: run.id })
  const params = { path: { run_id: run.id } }
  const redrive = useAction(async () => {
    await ok(api.POST('/v1/runs/{run_id}/redrive', { params }))
    toast('The run continues from where it stopped.')
    onChange()
  })
  const replay = useAction(async () => {
    const started = await ok(
      api.POST('/v1/datasources/{slug}/runs', { params: { path: { slug: run.datasource! } }, body: { replay: run.version } }),
    )
    arrive(path`/runs/${started.id}`)
  })
  const canRedrive = ['failed', 'partial', 'cancelled'].includes(run.status)
  const canReplay = run.kind === 'ingest' && run.datasource !== null && run.version !== null && !isActive(run)
  return (
    <>
      <ProblemNote error={redrive.error ?? replay.error} />
      {isActive(run) && may('run.stop') && (
        <ConfirmButton
          text="Cancel the run"
          look="danger"
          question="The run stops. What it has stored stays, and a redrive continues from there."
          work={async () => {
            await ok(api.POST('/v1/runs/{run_id}/cancel', { params }))
            onChange()
          }}
        />
      )}
      {canRedrive && may('run.redrive') && (
        <Button look="primary" busy={redrive.busy} onClick={() => redrive.run()} title="Go on from where it stopped, with what it has stored">
          Redrive
        </Button>
      )}
      {canReplay && mayOnDatasource('datasource.replay') && (
        <Button busy={replay.busy} onClick={() => replay.run()} title="Read the same raw pages again, without a request to the upstream">
          Replay its pages
        </Button>
      )}
    </>
  )
}
