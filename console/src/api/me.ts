/** Who is signed in, and what the access policy lets them do: no button is drawn that would answer 403. */
import { createContext } from 'preact'
import { useContext, useEffect } from 'preact/hooks'
import { api, ok, type Schemas } from './client'
import { useLoad, type Loaded } from './load'

const RETRY_MS = 5000

export const Me = createContext<Schemas['Identity'] | null>(null)

/** The caller. */
export function useMe(): Schemas['Identity'] {
  return useContext(Me)!
}

/** Whether the caller may do an action of the access policy on what is their own, such as `project.create`. */
export function useMay(action: string): boolean {
  return useMe().actions.includes(action)
}

/** Whether the caller may do an action of the access policy on one resource. */
export interface May {
  (action: string): boolean
  /** Until it is there, nothing is allowed. Buttons may come late; an editor that is drawn before is none. */
  answer: Loaded<Schemas['Identity']>
}

/**
 * Which actions of the access policy the caller may do on one resource; none until it is known.
 *
 * @param resource such as `{ project: 'top-coins' }`.
 */
export function useMayOn(resource: { project?: string; datasource?: string; input?: string; run?: string }): May {
  const answer = useLoad(() => ok(api.GET('/v1/me', { params: { query: resource } })), [JSON.stringify(resource)])
  // Without the answer, a page has no buttons.
  useEffect(() => {
    if (!answer.error) return
    const timer = setTimeout(answer.reload, RETRY_MS)
    return () => clearTimeout(timer)
  }, [answer.error])
  return Object.assign((action: string) => answer.data?.actions.includes(action) ?? false, { answer })
}
