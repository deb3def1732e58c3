import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, identify } from './api/client'
import { useAction, useLoad } from './api/load'
import { keepCredential } from './api/session'
import { loadConfig, SignInError, signInProblem, startSignIn } from './oidc'
import { Button, Note, ProblemNote, TextField } from './ui/parts'

/** The first page of somebody who is not signed in. */
export function SignIn() {
  const [key, setKey] = useState('')
  const [problem, setProblem] = useState(signInProblem)
  const config = useLoad(loadConfig, [])
  const form = useRef<HTMLFormElement>(null)
  // Browsers heed `autofocus` once only: not again after a sign-out.
  useEffect(() => {
    document.title = 'Sign in · Sluice'
    form.current!.querySelector('input')!.focus()
  }, [])
  const check = useAction(async () => {
    await identify(key.trim()).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) Object.assign(error.problem, { title: 'This key is not valid', detail: 'Check that it is whole, and not expired or revoked.' })
      throw error
    })
    keepCredential(key.trim())
  })
  return (
    <main class="sign-in">
      <h1>Sluice</h1>
      {problem && <Note tone="bad">{problem}</Note>}
      {config.data?.issuer && (
        <Button
          look="primary"
          onClick={() =>
            startSignIn(config.data!).catch((error: unknown) => {
              if (!(error instanceof SignInError)) throw error
              setProblem(error.message)
            })
          }
        >
          Sign in at {new URL(config.data.issuer).host}
        </Button>
      )}
      <form
        ref={form}
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          check.run()
        }}
      >
        <TextField
          label="API key"
          type="password"
          value={key}
          onInput={setKey}
          required
          help={
            <>
              It is kept for this tab only. On a laptop, it is <code>api_key</code> in <code>.local/stack.json</code>; otherwise
              ask an administrator for one.
            </>
          }
        />
        <ProblemNote error={check.error} />
        <Button look="primary" type="submit" busy={check.busy} disabled={!key.trim()}>
          Sign in
        </Button>
      </form>
    </main>
  )
}
