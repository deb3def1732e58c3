/** Who is signed in: the credential is kept for this tab only, and goes to no other host than the API's own. */

const CREDENTIAL = 'sluice.credential'

/** The address of the API without `/v1`, such as `https://host/live`; the console lies below it. */
export const apiRoot = new URL('../..', document.baseURI).href.replace(/\/$/, '')

let credential: string | null = sessionStorage.getItem(CREDENTIAL)
const listeners = new Set<() => void>()

/** The API key or access token of this tab; null if nobody is signed in. */
export function currentCredential(): string | null {
  return credential
}

/** Keep an API key or token for this tab. */
export function keepCredential(value: string): void {
  credential = value
  sessionStorage.setItem(CREDENTIAL, value)
  listeners.forEach((listener) => listener())
}

/** Forget the credential, and whatever else this tab keeps of the session. */
export function signOut(): void {
  credential = null
  sessionStorage.clear()
  listeners.forEach((listener) => listener())
}

/** Call `listener` when somebody signs in or out; returns the function that ends it. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
