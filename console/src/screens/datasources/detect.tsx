/** What an address offers: the proposed document, why each of its fields is so, and its first records. */
import { useState } from 'preact/hooks'
import type { Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { Badge, Button, Note, Panel, ProblemNote, SelectField, TextField, type Tone, Words } from '../../ui/parts'
import './datasources.css'
import { textOf } from './editor/document'
import { PreviewTable } from './editor/trial'
import { written } from './kinds'
import { detect, type Detection } from './requests'

type Auth = Schemas['DetectRequest']['auth']

const CONFIDENCE: Record<Schemas['DetectionReason']['confidence'], Tone> = { verified: 'good', likely: 'plain', guess: 'warn' }
const AUTH = [
  { value: 'none', text: 'none' },
  { value: 'bearer', text: 'bearer token' },
  { value: 'api_key', text: 'API key in a header' },
  { value: 'basic', text: 'user name and password' },
]

export function Detect({ onTake }: { onTake: (document: Detection['document']) => void }) {
  const [url, setUrl] = useState('')
  const [type, setType] = useState('none')
  const [secret, setSecret] = useState('')
  const [name, setName] = useState('')
  const [found, setFound] = useState<Detection | null>(null)
  const looking = useAction(async () => {
    setFound(null)
    const auth = authOf(type, secret.trim(), name.trim())
    setFound(await detect(url.trim(), auth))
  })
  const isMissing = type !== 'none' && looking.error?.problem.type === 'urn:sluice:problem:secret-missing'
  return (
    <>
      <Panel title="Find out from an address">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            looking.run()
          }}
        >
          <TextField
            label="Address of an API"
            type="url"
            value={url}
            onInput={setUrl}
            required
            autoFocus
            placeholder="https://api.example.com/v1/coins?limit=100"
            wrong={looking.error?.at('/url')}
            help="Its first pages are requested, some more than once, to propose format, columns, key and pagination. Nothing is stored."
          />
          <div class="columns">
            <SelectField label="Credentials" value={type} options={AUTH} onChange={setType} />
            {(type === 'api_key' || type === 'basic') && (
              <TextField
                label={type === 'basic' ? 'User name' : 'Name of the header'}
                value={name}
                onInput={setName}
                required
                placeholder={type === 'basic' ? '' : 'X-API-Key'}
                wrong={looking.error?.at(type === 'basic' ? '/auth/username' : '/auth/name')}
              />
            )}
            {type !== 'none' && (
              <TextField
                label="Secret"
                value={secret}
                onInput={setSecret}
                required
                wrong={isMissing ? looking.error!.problem.detail : looking.error?.at('/auth/secret')}
                help="The name of a secret, not its value."
              />
            )}
          </div>
          <ProblemNote error={isMissing ? undefined : looking.error} />
          <div class="row">
            <Button look="primary" type="submit" busy={looking.busy}>
              Detect
            </Button>
            {looking.busy && <span role="status">Asking the upstream …</span>}
          </div>
        </form>
      </Panel>
      {found && <Proposal found={found} onTake={onTake} />}
    </>
  )
}

function authOf(type: string, secret: string, name: string): Auth {
  if (type === 'bearer') return { type, secret }
  if (type === 'basic') return { type, secret, username: name }
  if (type === 'api_key') return { type, secret, in: 'header', name }
  return { type: 'none' }
}

function Proposal({ found, onTake }: { found: Detection; onTake: (document: Detection['document']) => void }) {
  return (
    <>
      <Panel
        title="The proposal"
        actions={
          <>
            <span class="muted">{found.requests === 1 ? '1 request' : `${found.requests} requests`}</span>
            <Button look="primary" onClick={() => onTake(found.document)}>
              Take it over
            </Button>
          </>
        }
      >
        <div class="stack">
          {found.warnings.map((warning) => (
            <Note key={warning} tone="warn">
              <Words text={warning} />
            </Note>
          ))}
          <div class="columns">
            <pre class="proposal">{textOf(written(found.document, { slug: true }))}</pre>
            <ul class="plain reasons" aria-label="Why">
              {found.reasons.map((reason) => (
                <li key={reason.pointer + reason.reason}>
                  <div class="row">
                    <code>{reason.pointer}</code>
                    <Badge tone={CONFIDENCE[reason.confidence]}>{reason.confidence}</Badge>
                  </div>
                  <Words text={reason.reason} />
                </li>
              ))}
            </ul>
          </div>
        </div>
      </Panel>
      {found.sample && <PreviewTable preview={found.sample} title="First records" />}
    </>
  )
}
