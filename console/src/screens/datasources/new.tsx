/** A new datasource: found out from an address, or from the template of a kind. */
import { useState } from 'preact/hooks'
import { stringify } from 'yaml'
import { api, ok } from '../../api/client'
import { useAction } from '../../api/load'
import { navigate, path, useParameter } from '../../router'
import { Badge, Button, Note, Page, Panel, ProblemNote, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { DatasourceEditor } from './editor/editor'
import { KINDS } from './editor/fields'
import { PreviewRows } from './editor/trial'
import { detect, unchecked, type Detection } from './requests'
import { DATASOURCE_CRUMBS } from './tabs'

const CONFIDENCE = { verified: 'good', likely: 'busy', guess: 'warn' } as const

export default function NewDatasource() {
  const [kind, setKind] = useParameter('kind')
  const [text, setText] = useState<string | null>(null)
  const shown = text ?? (kind && KINDS[kind]?.template) ?? null
  const create = useAction(async (value: Record<string, unknown>) => {
    const created = await ok(api.POST('/v1/datasources', { body: unchecked(value) }))
    toast(`The datasource ${created.slug} is created.`)
    navigate(path`/datasources/${created.slug!}`)
  })
  return (
    <Page title="New datasource" crumbs={DATASOURCE_CRUMBS}>
      {shown === null ? (
        <>
          <Detect onTake={(document) => setText(stringify(document, { lineWidth: 0 }))} />
          <Panel title="Or begin with a kind">
            <div class="row">
              {Object.entries(KINDS).map(([name, { text }]) => (
                <Button key={name} onClick={() => setKind(name)}>
                  {name}: {text}
                </Button>
              ))}
            </div>
          </Panel>
        </>
      ) : (
        <DatasourceEditor
          text={shown}
          onChange={setText}
          error={create.error}
          actions={(parsed) => (
            <>
              <Button look="primary" busy={create.busy} disabled={Boolean(parsed.fault)} onClick={() => create.run(parsed.value)}>
                Create
              </Button>
              <Button
                onClick={() => {
                  setText(null)
                  setKind(null)
                  create.clear()
                }}
              >
                Begin again
              </Button>
            </>
          )}
        />
      )}
    </Page>
  )
}

/** Asks the API to look at an address, and shows its proposal with the reason of each field. */
function Detect({ onTake }: { onTake: (document: Detection['document']) => void }) {
  const [url, setUrl] = useState('')
  const [found, setFound] = useState<Detection | null>(null)
  const looking = useAction(async () => {
    setFound(null)
    setFound(await detect(url.trim()))
  })
  return (
    <Panel title="Detect an API">
      <div class="stack">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            looking.run()
          }}
        >
          <TextField
            label="Address of its first page"
            type="url"
            value={url}
            onInput={setUrl}
            required
            autoFocus
            placeholder="https://api.example.com/v1/items"
            wrong={looking.error?.at('/url')}
            help="It is asked a few times; nothing is saved."
          />
          <div>
            <Button look="primary" type="submit" busy={looking.busy}>
              Detect
            </Button>
          </div>
        </form>
        <ProblemNote error={looking.error} />
        {found && (
          <>
            {found.warnings.map((warning) => (
              <Note tone="warn" key={warning}>
                {warning}
              </Note>
            ))}
            <dl>
              {found.reasons.map((reason) => (
                <>
                  <dt class="mono">{reason.pointer}</dt>
                  <dd>
                    <Badge tone={CONFIDENCE[reason.confidence]}>{reason.confidence}</Badge> {reason.reason}
                  </dd>
                </>
              ))}
            </dl>
            {found.sample && <PreviewRows preview={found.sample} />}
            <div>
              <Button look="primary" onClick={() => onTake(found.document)}>
                Use this proposal
              </Button>
            </div>
          </>
        )}
      </div>
    </Panel>
  )
}
