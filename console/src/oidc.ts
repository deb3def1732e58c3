/** Sign-in at an OpenID Connect issuer: the authorization code flow with PKCE (RFC 7636), for a public client. */
import { ApiError, identify } from './api/client'
import { keepCredential } from './api/session'

const PENDING = 'sluice.sign-in'
const REFUSED =
  'You are signed in at the issuer, but this stack does not accept its token. ' +
  'An administrator should compare the stack’s audience and role claim with those of the issuer.'
const CHANNEL = 'sluice.sign-in'

/** What the console needs to know of the stack before anybody is signed in. */
export interface ConsoleConfig {
  issuer: string | null
  client_id: string | null
  scope: string
}

interface Pending {
  issuer: string
  state: string
  verifier: string
  place: string
  token_endpoint: string
  client_id: string
  /** Whether the sign-in goes on in a window beside the page, which waits for its credential. */
  beside: boolean
}

/** What the window beside the page tells it. */
interface Told {
  state: string
  credential?: string
  problem?: string
}

/** An issuer that could not be asked, or that refused. */
export class SignInError extends Error {}

let problem: string | null = null

/** Why the sign-in that ended on this page failed; null if it did not. */
export function signInProblem(): string | null {
  return problem
}

/** The configuration that the stack serves to everybody. */
export async function loadConfig(): Promise<ConsoleConfig> {
  const response = await fetch(new URL('config.json', document.baseURI))
  return response.ok ? response.json() : { issuer: null, client_id: null, scope: '' }
}

/** Leave the page for the issuer's sign-in; the issuer sends the browser back to it. */
export async function startSignIn(config: ConsoleConfig): Promise<void> {
  const { pending, address } = await prepare(config, false)
  sessionStorage.setItem(PENDING, JSON.stringify(pending))
  location.assign(address)
}

/**
 * The issuer's sign-in in a window of its own, so that the page stays.
 *
 * @returns the credential.
 * @throws SignInError if the window is blocked or the issuer refuses.
 */
export async function signInBeside(config: ConsoleConfig): Promise<string> {
  // At once: browsers block a window that opens only after an answer.
  const beside = open('', '', 'popup,width=520,height=700')
  if (!beside) throw new SignInError('The browser has blocked the window of the sign-in. Allow it, then try again.')
  const { pending, address } = await prepare(config, true).catch((error: unknown) => {
    beside.close()
    throw error
  })
  beside.sessionStorage.setItem(PENDING, JSON.stringify(pending))
  beside.location.assign(address)
  return new Promise((resolve, reject) => {
    const channel = new BroadcastChannel(CHANNEL)
    channel.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.state !== pending.state) return
      channel.close()
      if (data.credential) resolve(data.credential)
      else reject(new SignInError(data.problem!))
    }
  })
}

async function prepare(config: ConsoleConfig, beside: boolean): Promise<{ pending: Pending; address: URL }> {
  const discovery = await fetch(`${config.issuer!.replace(/\/$/, '')}/.well-known/openid-configuration`).catch(() => null)
  if (!discovery?.ok) throw new SignInError(`The issuer ${config.issuer} does not answer.`)
  const { issuer, authorization_endpoint, token_endpoint } = await discovery.json()
  // Else what one issuer has answered would be taken to another one.
  if (issuer !== config.issuer) throw new SignInError(`The issuer ${config.issuer} calls itself ${issuer}.`)
  if (![authorization_endpoint, token_endpoint].every(isWebAddress)) throw new SignInError(`The issuer ${issuer} has no usable addresses.`)
  const [state, verifier] = [randomText(), randomText()]
  const pending: Pending = { issuer, state, verifier, place: location.hash, token_endpoint, client_id: config.client_id!, beside }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const address = new URL(authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: config.client_id!,
    redirect_uri: redirectAddress(),
    scope: config.scope,
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value)
  return { pending, address }
}

/** If the issuer has sent the browser back: exchange its code for a token, and return to where the sign-in began. */
export async function finishSignIn(): Promise<void> {
  const answer = new URLSearchParams(location.search)
  const text = sessionStorage.getItem(PENDING)
  const isAnswer = answer.has('code') || answer.has('error')
  const pending: Pending | null = text && isAnswer ? JSON.parse(text) : null
  // A code must not stay in the address, and so get into links, even if this tab did not ask for it.
  if (location.search) history.replaceState(history.state, '', location.pathname + (pending?.place ?? location.hash))
  if (!pending) return
  sessionStorage.removeItem(PENDING)
  try {
    if (answer.get('state') !== pending.state) throw new SignInError('The answer belongs to another sign-in; try again.')
    if (answer.has('iss') && answer.get('iss') !== pending.issuer) throw new SignInError('The answer is from another issuer; try again.')
    if (answer.has('error')) throw new SignInError(answer.get('error_description') ?? answer.get('error')!)
    const credential = await exchange(pending, answer.get('code')!)
    await requireAccepted(credential)
    if (pending.beside) tell({ state: pending.state, credential })
    else keepCredential(credential)
  } catch (error) {
    problem = error instanceof SignInError ? error.message : 'The issuer did not answer; try again.'
    if (pending.beside) tell({ state: pending.state, problem })
  }
}

/** Before the token is kept: the sign-in page can say why the API refuses it. */
async function requireAccepted(token: string): Promise<void> {
  try {
    await identify(token)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new SignInError(error.status === 401 ? REFUSED : error.problem.detail)
  }
}

/** Tell the page that waits, and end: this window is only for the sign-in. */
function tell(told: Told): void {
  sessionStorage.clear()
  new BroadcastChannel(CHANNEL).postMessage(told)
  close()
}

async function exchange(pending: Pending, code: string): Promise<string> {
  const response = await fetch(pending.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      client_id: pending.client_id,
      code_verifier: pending.verifier,
      redirect_uri: redirectAddress(),
    }),
  })
  if (!response.ok) throw new SignInError('The issuer did not accept its own code; try again.')
  const tokens = await response.json()
  // The id token names the audience; some issuers' access tokens do not.
  return tokens.id_token ?? tokens.access_token
}

function isWebAddress(address: unknown): boolean {
  return typeof address === 'string' && URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)
}

function redirectAddress(): string {
  return location.origin + location.pathname
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
