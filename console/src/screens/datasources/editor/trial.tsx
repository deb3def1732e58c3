/** Trying a datasource without storing anything: one request to its upstream, or its first records. */
import { useState } from 'preact/hooks'
import type { ApiError, Schemas } from '../../../api/client'
import { useAction } from '../../../api/load'
import { cellText } from '../../../ui/grid'
import { Button, Empty, Note, Panel, ProblemNote } from '../../../ui/parts'
import { formatNumber, formatSeconds } from '../../../ui/values'

export type Preview = Schemas['Preview']
type Check = Schemas['CheckResult']

const NUMBERS = /^(bigint|double|decimal)/

export interface Trials {
  check: () => Promise<Check>
  preview: () => Promise<Preview>
}

export interface TrialState {
  buttons: { check: () => void; preview: () => void; busy: 'check' | 'preview' | null }
  error: ApiError | undefined
  result: Check | Preview | null
  /** Forget what came of the last one. */
  clear: () => void
}

/** Both trials and what came of the last one. */
export function useTrials(trials: Trials): TrialState {
  const [result, setResult] = useState<Check | Preview | null>(null)
  const [last, setLast] = useState<'check' | 'preview'>('check')
  const check = useAction(async () => setResult(await trials.check()))
  const preview = useAction(async () => setResult(await trials.preview()))
  const start = (which: 'check' | 'preview') => {
    setLast(which)
    setResult(null)
    void (which === 'check' ? check : preview).run()
  }
  return {
    buttons: {
      check: () => start('check'),
      preview: () => start('preview'),
      busy: check.busy ? 'check' : preview.busy ? 'preview' : null,
    },
    error: (last === 'check' ? check : preview).error,
    result,
    clear: () => {
      setResult(null)
      check.clear()
      preview.clear()
    },
  }
}

export function TrialButtons({ buttons }: { buttons: TrialState['buttons'] }) {
  return (
    <>
      <Button onClick={buttons.check} busy={buttons.busy === 'check'} disabled={buttons.busy !== null}>
        Check
      </Button>
      <Button onClick={buttons.preview} busy={buttons.busy === 'preview'} disabled={buttons.busy !== null}>
        Preview
      </Button>
    </>
  )
}

/** What came of a trial; a problem only if `problem` is not shown elsewhere. */
export function TrialResult({ trial, problem = true }: { trial: TrialState; problem?: boolean }) {
  const { result, error } = trial
  if (trial.buttons.busy) return <div class="loading" role="status">Asking the upstream …</div>
  if (error) return problem ? <ProblemNote error={error} /> : null
  if (!result) return null
  return 'ok' in result ? <CheckNote result={result} /> : <PreviewTable preview={result} title="Preview" />
}

function CheckNote({ result }: { result: Check }) {
  const facts = [
    result.status !== null && `status ${result.status}`,
    `in ${formatSeconds(result.elapsed_ms / 1000)}`,
    result.records !== null && `${formatNumber(result.records)} records on the first page`,
  ].filter(Boolean)
  return (
    <div role="status">
      <Note tone={result.ok ? 'info' : 'bad'}>
        <strong>{result.ok ? 'The upstream answers.' : 'The check failed.'}</strong> {result.reason} ({facts.join(', ')})
      </Note>
    </div>
  )
}

/** The first records with their columns and types. */
export function PreviewTable({ preview, title }: { preview: Preview; title: string }) {
  const { records, schema } = preview
  return (
    <Panel
      title={title}
      actions={
        <span class="muted">
          {formatNumber(records.length)} rows of {formatNumber(preview.pages)} {preview.pages === 1 ? 'page' : 'pages'}
        </span>
      }
      flush
    >
      {preview.warnings.length > 0 && (
        <div class="stack warnings">
          {preview.warnings.map((warning) => (
            <Note key={warning} tone="warn">
              {warning}
            </Note>
          ))}
        </div>
      )}
      {records.length === 0 ? (
        <Empty title="There are no records.">Check where the records are in the page.</Empty>
      ) : (
        <div class="preview" role="region" aria-label={`${title}: rows`} tabIndex={0}>
          <table class="plain">
            <thead>
              <tr>
                {schema.map((column) => (
                  <th key={column.name} scope="col" class={NUMBERS.test(column.type) ? 'number' : undefined}>
                    {column.name}
                    <div class="column-type" title={column.nullable ? 'has nulls in these rows' : 'has no nulls in these rows'}>
                      {column.type}
                      {column.nullable && '?'}
                    </div>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {records.map((record, index) => (
                <tr key={index}>
                  {schema.map((column) => (
                    <td key={column.name} class={NUMBERS.test(column.type) ? 'number' : undefined}>
                      <PreviewCell value={record[column.name]} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}

function PreviewCell({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span class="muted">null</span>
  const text = cellText(value)
  return <span title={text.length > 40 ? text : undefined}>{text}</span>
}
