/** The question of a session whose credential is no longer valid. The page below it stays as it is. */
import { useState } from 'preact/hooks'
import { ApiError, identify, type Schemas } from './api/client'
import { useAction, useLoad } from './api/load'
import { keepCredential, renewCredential } from './api/session'
import { loadConfig, SignInError, signInBeside } from './oidc'
import { Dialog } from './ui/dialog'
import { Button, Note, ProblemNote, TextField } from './ui/parts'
import { forgetUnsaved } from './unsaved'

type Identity = Schemas['Identity']

/** Whether the page of one caller may stay for the next: it is the same one, or a key that may do the same. */
function mayGoOn(before: Identity, next: Identity): boolean {
  if (before.id === next.id) return true
  const keys = [before, next].every(({ id }) => id.startsWith('key/'))
  const rights = ({ role, projects }: Identity) => JSON.stringify([role, projects])
  return keys && rights(before) === rights(next)
}

export function SignInAgain({ owner, onLeave }: { owner: Identity; onLeave: () => void }) {
  const [key, setKey] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [other, setOther] = useState<{ next: Identity; credential: string } | null>(null)
  const config = useLoad(loadConfig, [])
  const use = useAction(async (credential: string) => {
    const next = await identify(credential).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) error.problem.detail = 'This is not valid, either.'
      throw error
    })
    if (mayGoOn(owner, next)) renewCredential(credential)
    else setOther({ next, credential })
  })
  const beside = () =>
    signInBeside(config.data!).then(use.run, (error: unknown) => {
      if (!(error instanceof SignInError)) throw error
      setProblem(error.message)
    })
  if (other) return <OtherUser owner={owner} {...other} onBack={() => setOther(null)} />
  return (
    <Dialog title="Sign in again" onClose={onLeave}>
      <p>
        The session of {owner.id} has ended: its key or token has expired or was revoked. The page stays as it is, and goes on
        when you have signed in.
      </p>
      {problem && <Note tone="bad">{problem}</Note>}
      {config.data?.issuer && (
        <Button look="primary" onClick={beside}>
          Sign in at {new URL(config.data.issuer).host}
        </Button>
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void use.run(key.trim())
        }}
      >
        <TextField label="API key" type="password" value={key} onInput={setKey} required autoFocus />
        <ProblemNote error={use.error} />
        <div class="row">
          <Button look="primary" type="submit" busy={use.busy} disabled={!key.trim()}>
            Sign in
          </Button>
          <Button onClick={onLeave}>Sign out</Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Somebody who may see something else: the page is theirs only if it is loaded anew. */
function OtherUser(props: { owner: Identity; next: Identity; credential: string; onBack: () => void }) {
  const { owner, next } = props
  const take = () => {
    forgetUnsaved()
    keepCredential(props.credential)
  }
  return (
    <Dialog title="Another user" onClose={props.onBack}>
      <p>
        This page is that of {owner.id}, {owner.role}. For {next.id}, {next.role}, it is loaded anew: what is not saved is lost.
      </p>
      <div class="row">
        <Button look="primary" onClick={props.onBack}>
          Back
        </Button>
        <Button look="danger" onClick={take}>
          Go on as {next.id}
        </Button>
      </div>
    </Dialog>
  )
}
