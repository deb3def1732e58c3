/** What a run of an algorithm has made. */
import { api, ok, send } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { saveAs } from '../../ui/download'
import { Button, Panel, ProblemNote, Show } from '../../ui/parts'
import { formatBytes, formatNumber } from '../../ui/values'
import type { Run } from './words'

export function Outputs({ run }: { run: Run }) {
  const outputs = useLoad(() => ok(api.GET('/v1/runs/{run_id}/outputs', { params: { path: { run_id: run.id } } })), [run.id])
  const save = useAction(async (below: string, name: string) => saveAs(await send(path`/v1/runs/${run.id}` + below), name))
  return (
    <Panel
      title="Results"
      actions={
        run.project &&
        run.algorithm && (
          <Link class="button" to={path`/projects/${run.project}/algorithms/${run.algorithm}`} query={{ run: run.id }}>
            Show the results
          </Link>
        )
      }
    >
      <ProblemNote error={save.error} />
      <Show from={outputs}>
        {({ tables, files }) => (
          <ul class="plain outputs">
            {tables.map((table) => (
              <li key={table.name} class="row">
                <Button look="quiet" busy={save.busy} onClick={() => save.run(path`/tables/${table.name}` + '?format=csv', `${table.name}.csv`)}>
                  {table.name}.csv
                </Button>
                <span class="muted">{formatNumber(table.rows)} rows</span>
              </li>
            ))}
            {files.map((file) => (
              <li key={file.name} class="row">
                <Button look="quiet" busy={save.busy} onClick={() => save.run(path`/files/${file.name}`, file.name)}>
                  {file.name}
                </Button>
                <span class="muted">{formatBytes(file.bytes)}</span>
              </li>
            ))}
          </ul>
        )}
      </Show>
    </Panel>
  )
}
