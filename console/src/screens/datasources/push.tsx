/** Records written by hand and posted to a push datasource. */
import { useState } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { writeJson } from '../../api/json'
import { useAction } from '../../api/load'
import { Button, Field, Panel, ProblemNote } from '../../ui/parts'
import { RunProgress, type Run } from './run-progress'

/** @param example a record to begin with. */
export function Push({ slug, example, onRunEnd }: { slug: string; example: unknown; onRunEnd: (run: Run) => void }) {
  const [text, setText] = useState(() => writeJson([example], 2))
  const [run, setRun] = useState<string | null>(null)
  const read = records(text)
  const push = useAction(async () => {
    const params = { path: { slug } }
    // As it was typed: read and written again, numbers would lose digits.
    const receipt = await ok(api.POST('/v1/datasources/{slug}/records', { params, body: read.records ?? [], bodySerializer: () => text }))
    setRun(receipt.run)
  })
  return (
    <Panel title="Push records">
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          push.run()
        }}
      >
        <Field label="Records" wrong={read.wrong} help="A JSON array of objects.">
          {(attributes) => (
            <textarea
              {...attributes}
              class="mono"
              rows={Math.min(Math.max(text.split('\n').length, 5), 16)}
              spellcheck={false}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <ProblemNote error={push.error} />
        <div class="row">
          <Button look="primary" type="submit" busy={push.busy} disabled={read.records === undefined}>
            Push {read.records?.length === 1 ? '1 record' : `${read.records?.length ?? 0} records`}
          </Button>
        </div>
        {run && <RunProgress id={run} onEnd={onRunEnd} />}
      </form>
    </Panel>
  )
}

function records(text: string): { records?: unknown[]; wrong?: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value.length > 0 ? { records: value } : { wrong: 'There is no record yet.' }
    return { wrong: 'Put the records in an array: [{…}, {…}].' }
  } catch (error) {
    return { wrong: `This is no JSON: ${error instanceof Error ? error.message : ''}` }
  }
}
