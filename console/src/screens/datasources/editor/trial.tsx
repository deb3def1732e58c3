/** Try a document without saving it: does the upstream answer, and which rows would come. */
import { api, ok, type Schemas } from '../../../api/client'
import { useAction } from '../../../api/load'
import { useState } from 'preact/hooks'
import { DataGrid } from '../../../ui/grid'
import { Badge, Button, Note, Panel, ProblemNote } from '../../../ui/parts'
import { unchecked } from '../requests'
import type { Parsed } from './document'

export function Trial({ parsed }: { parsed: Parsed }) {
  const [check, setCheck] = useState<Schemas['CheckResult'] | null>(null)
  const [preview, setPreview] = useState<Schemas['Preview'] | null>(null)
  const body = unchecked(parsed.value)
  const asking = useAction(async () => setCheck(await ok(api.POST('/v1/datasources/check', { body }))))
  const fetching = useAction(async () => setPreview(await ok(api.POST('/v1/datasources/preview', { body }))))
  const disabled = Boolean(parsed.fault)
  return (
    <Panel
      title="Try it"
      actions={
        <>
          <Button busy={asking.busy} disabled={disabled} onClick={() => asking.run()}>
            Check
          </Button>
          <Button busy={fetching.busy} disabled={disabled} onClick={() => fetching.run()}>
            Preview
          </Button>
        </>
      }
    >
      <div class="stack">
        {!check && !preview && !asking.error && !fetching.error && (
          <p class="muted">Check asks the upstream once. Preview shows the first rows as they would be stored. Neither saves anything.</p>
        )}
        <ProblemNote error={asking.error ?? fetching.error} />
        {check && !asking.error && <CheckNote check={check} />}
        {preview && !fetching.error && <PreviewRows preview={preview} />}
      </div>
    </Panel>
  )
}

function CheckNote({ check }: { check: Schemas['CheckResult'] }) {
  return (
    <Note tone={check.ok ? 'info' : 'bad'}>
      <Badge tone={check.ok ? 'good' : 'bad'}>{check.ok ? 'ok' : 'failed'}</Badge> {check.status && `HTTP ${check.status}, `}
      {check.elapsed_ms} ms{check.records !== null && `, ${check.records} records`}. {check.reason}
    </Note>
  )
}

/** The first rows of a preview, with the types of their columns. */
export function PreviewRows({ preview }: { preview: Schemas['Preview'] }) {
  const columns = preview.schema
  if (preview.records.length === 0) return <Note tone="warn">There are no records.</Note>
  return (
    <>
      {preview.warnings.map((warning) => (
        <Note tone="warn" key={warning}>
          {warning}
        </Note>
      ))}
      <p class="muted">
        {preview.records.length} rows of {preview.pages} {preview.pages === 1 ? 'page' : 'pages'};{' '}
        {columns.map((column) => `${column.name} ${column.type}`).join(', ')}
      </p>
      <DataGrid
        label="Preview"
        columns={columns}
        rows={preview.records.length}
        value={(row, column) => preview.records[row]?.[columns[column]!.name]}
        height="20rem"
      />
    </>
  )
}
