/** Who is signed in: the credential is kept for this tab only, and goes to no other host than the API's own. */

import type { Schemas } from './client'

const CREDENTIAL = 'sluice.credential'

/** The address of the API without `/v1`, such as `https://host/live`; the console lies below it. */
export const apiRoot = new URL('../..', document.baseURI).href.replace(/\/$/, '')

/**
 * From signing in to signing out. A credential that has expired or was revoked does not end it: what is on the page
 * stays, and requests wait until the same person has signed in again.
 */
export interface Session {
  /** Of the sessions of this page. */
  number: number
  credential: string
  /** Null until it is known. */
  owner: Schemas['Identity'] | null
  /** Whether the API refuses the credential. */
  refused: boolean
}

let count = 0
const kept = sessionStorage.getItem(CREDENTIAL)
let session: Session | null = kept ? begin(kept) : null
const listeners = new Set<() => void>()

function begin(credential: string): Session {
  return { number: ++count, credential, owner: null, refused: false }
}

function announce(): void {
  listeners.forEach((listener) => listener())
}

/** The session of this tab; null if nobody is signed in. */
export function currentSession(): Session | null {
  return session
}

/** Keep an API key or token for this tab: a new session, which finds nothing of the one before. */
export function keepCredential(credential: string): void {
  session = begin(credential)
  sessionStorage.clear()
  sessionStorage.setItem(CREDENTIAL, credential)
  announce()
}

/** Go on with the present session by another credential of its owner; requests that wait are sent again. */
export function renewCredential(credential: string): void {
  Object.assign(session!, { credential, refused: false })
  sessionStorage.setItem(CREDENTIAL, credential)
  announce()
}

/** Forget the credential, and whatever else this tab keeps of the session. */
export function signOut(): void {
  session = null
  sessionStorage.clear()
  announce()
}

/**
 * The API has refused a credential. If its session goes on, its owner is asked to sign in again.
 *
 * @returns when the request can be sent again; false if the session has ended instead.
 */
export async function signedInAgain(of: Session, credential: string): Promise<boolean> {
  if (of !== session) return false
  if (of.credential !== credential) return true
  if (of.owner === null) {
    // Nothing is shown yet that could be lost.
    signOut()
    return false
  }
  of.refused = true
  announce()
  return new Promise((resolve) => {
    const end = onSessionChange(() => {
      if (of === session && of.refused) return
      end()
      resolve(of === session)
    })
  })
}

/** Call `listener` when somebody signs in or out, or must sign in again; returns the function that ends it. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
