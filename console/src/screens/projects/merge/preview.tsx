/** What the merge would give: the first rows, and what the API has to say about it. Nothing is stored. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, ApiError, ok, type Schemas } from '../../../api/client'
import { parseJson, writeJson } from '../../../api/json'
import { DataGrid } from '../../../ui/grid'
import { Button, Note, Panel, ProblemNote, State } from '../../../ui/parts'
import { formatNumber, Json } from '../../../ui/values'
import { isOfDocuments, type Merge } from './document'

type Answer = Schemas['MergePreview']
const PAUSE_MS = 400

export interface Preview {
  /** The answer to the newest valid merge. */
  answer: Answer | undefined
  error: ApiError | undefined
  busy: boolean
  again: () => void
}

/**
 * The preview of a merge, a moment after its last change.
 *
 * @param merge null: nothing is asked.
 * @param turn another number asks again, for what the merge depends on besides.
 */
export function usePreview(slug: string, merge: Merge | null, turn: number): Preview {
  const [state, setState] = useState<Omit<Preview, 'again'>>({ answer: undefined, error: undefined, busy: false })
  const [asked, setAsked] = useState(0)
  const first = useRef(true)
  const text = merge && writeJson(merge)
  useEffect(() => {
    if (text === null) {
      setState((state) => ({ ...state, busy: false }))
      return
    }
    let ended = false
    setState((state) => ({ ...state, busy: true }))
    const ask = async () => {
      const params = { path: { slug } }
      const body = { merge: parseJson(text), inputs: {} } as Schemas['PreviewRequest']
      try {
        const answer = await ok(api.POST('/v1/projects/{slug}/merge/preview', { params, body }))
        if (!ended) setState({ answer, error: undefined, busy: false })
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (!ended) setState((state) => ({ ...state, error, busy: false }))
      }
    }
    const timer = setTimeout(ask, first.current ? 0 : PAUSE_MS)
    first.current = false
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }, [slug, text, turn, asked])
  return { ...state, again: () => setAsked((count) => count + 1) }
}

export function PreviewPanel({ preview, merge }: { preview: Preview; merge: Merge }) {
  const { answer, error, busy } = preview
  return (
    <Panel
      title="Preview"
      actions={
        <>
          {answer && <State value={answer.completeness} title={answer.completeness_reasons.join(' ')} />}
          {answer && <span class="muted">{sizeOf(answer, merge)}</span>}
          <Button onClick={preview.again} busy={busy}>
            Preview again
          </Button>
        </>
      }
    >
      <div class="stack" aria-busy={busy}>
        <ProblemNote error={error} />
        {!answer && busy && <div class="loading" role="status">Merging …</div>}
        {answer && error && <p class="muted">Below is the preview of the last merge that was valid.</p>}
        {answer && <Result answer={answer} merge={merge} />}
        {answer && answer.warnings.length > 0 && (
          <Note tone="warn">
            <ul>
              {answer.warnings.map((warning) => (
                <li key={warning}>{warning}</li>
              ))}
            </ul>
          </Note>
        )}
        {answer && answer.inputs.length > 0 && (
          <p class="muted">
            Of {answer.inputs.map((input) => `${input.datasource} version ${input.version} (${formatNumber(input.rows)} rows)`).join(', ')}.
          </p>
        )}
      </div>
    </Panel>
  )
}

function sizeOf(answer: Answer, merge: Merge): string {
  if (isOfDocuments(merge.strategy)) return `${formatNumber(answer.size ?? null)} elements`
  const all = `${formatNumber(answer.rows)} rows`
  return answer.items.length < answer.rows ? `the first ${answer.items.length} of ${all}` : all
}

function Result({ answer, merge }: { answer: Answer; merge: Merge }) {
  if (isOfDocuments(merge.strategy) || answer.schema.length === 0) return <Json value={answer.items[0] ?? null} />
  const items = answer.items as Record<string, unknown>[]
  return (
    <DataGrid
      label="Preview of the merged rows"
      columns={answer.schema}
      rows={items.length}
      value={(row, column) => items[row]?.[answer.schema[column]!.name]}
      height="min(60vh, 34rem)"
    />
  )
}
