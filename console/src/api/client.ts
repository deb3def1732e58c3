/** The public API, with types generated from its OpenAPI document. The console has no other way to the platform. */
import createClient, { type Client, type Middleware } from 'openapi-fetch'
import { isDots } from '../router'
import { parseJson, writeJson } from './json'
import type { components, paths } from './schema'
import { apiRoot, currentSession, signedInAgain } from './session'

export type Schemas = components['schemas']
export type Problem = Schemas['Problem']

/** An error answer of the API, or a request without an answer (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail)
  }

  /** The faults that a form says at its fields. */
  readonly told = new Set<string>()

  /** What is wrong with one field of the request's body, by its JSON Pointer, for the form to say it there. */
  at(pointer: string): string | undefined {
    return this.tell(this.problem.errors?.find((error) => error.pointer === pointer))
  }

  /** What is wrong with a list that one field has, or with an item of it. */
  within(pointer: string): string | undefined {
    return this.tell(this.problem.errors?.find((error) => error.pointer === pointer || error.pointer.startsWith(`${pointer}/`)))
  }

  private tell(fault: { pointer: string; message: string } | undefined): string | undefined {
    if (fault) this.told.add(fault.pointer)
    return fault?.message
  }
}

/** The header of a PUT that creates: it is refused (412) if there is something of that name already. */
export const ONLY_NEW = { 'If-None-Match': '*' }

/** Without asking: `/v1/projects/..` would be another route's address. */
const dots: Middleware = {
  onRequest({ params }) {
    if (Object.values(params.path ?? {}).some((name) => isDots(String(name)))) return noSuchName()
  },
}

function noSuchName(): Response {
  const detail = 'There is no such name.'
  return Response.json({ type: 'about:blank', title: 'The resource does not exist', status: 404, detail }, { status: 404 })
}

const KEY = 'Idempotency-Key'
const ATTEMPTS = 5

/**
 * Ask again while the API is too busy, as long as it says, and a little longer each time: a 429 has done nothing yet.
 * What has an idempotency key is done once, however often it is asked.
 */
async function patientFetch(request: Request): Promise<Response> {
  const repeatable = request.method === 'GET' || request.headers.has(KEY)
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(request.clone()).catch((error: unknown) => {
      // A change of the network has ended it, as when a laptop wakes up.
      const again = repeatable && attempt < 3 && error instanceof TypeError
      if (!again) throw error
    })
    if (!response) {
      await new Promise((resolve) => setTimeout(resolve, 300 * attempt))
      continue
    }
    if (attempt === ATTEMPTS || !(await isBusy(request, response))) return response
    const asked = Number(response.headers.get('Retry-After')) || 0.5
    await new Promise((resolve) => setTimeout(resolve, Math.min(asked, 5) * 1000 * attempt))
  }
}

async function isBusy(request: Request, response: Response): Promise<boolean> {
  if (response.status === 429 || (response.status === 503 && request.method === 'GET')) return true
  if (response.status !== 409 || !request.headers.has(KEY)) return false
  const problem = await response.clone().json().catch(() => null)
  return String(problem?.type).endsWith('request-running')
}

/** Ask as the session's user. If the credential is refused, the request waits until they have signed in again. */
async function sessionFetch(request: Request): Promise<Response> {
  const session = currentSession()
  if (!session) return patientFetch(request)
  for (;;) {
    const { credential } = session
    const signed = request.clone()
    // Never x-api-key: browsers drop Authorization when an answer redirects to the lake, which is another host.
    signed.headers.set('Authorization', `Bearer ${credential}`)
    const response = await patientFetch(signed)
    const again = response.status === 401 && (await signedInAgain(session, credential))
    if (again) continue
    // Whoever has signed out sees no more answers, and the next user none of the former one.
    if (session !== currentSession()) throw new ApiError(401, problem(401, 'Signed out', 'You have signed out meanwhile.'))
    return response
  }
}

// POSTs that only ask.
const QUESTION = /\/(query|check|preview|detect)$/
/** The keys of POSTs of which it is not known what they have done. Each is found by its address and body. */
const unanswered = new Map<string, string>()

/** Send a POST with a key: if its answer is lost, the same one again is not done twice. */
async function onceFetch(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const asks = QUESTION.test(pathname) || searchParams.get('check') === 'true'
  if (request.method !== 'POST' || asks) return sessionFetch(request)
  const body = new TextDecoder('latin1').decode(await request.clone().arrayBuffer())
  const content = `${request.url}\n${body}`
  const key = unanswered.get(content) ?? crypto.getRandomValues(new Uint32Array(4)).join('-')
  unanswered.set(content, key)
  request.headers.set(KEY, key)
  const response = await sessionFetch(request)
  if (response.status < 500) unanswered.delete(content)
  return response
}

// Without credentials of its own, the browser does not answer a 401 by asking for a password.
/** One method for each HTTP method, as in `api.GET('/v1/projects/{slug}', { params: { path: { slug } } })`. */
export const api = exactly(
  createClient<paths>({
    baseUrl: apiRoot,
    credentials: 'omit',
    fetch: onceFetch,
    bodySerializer: (body) => ((body as unknown) instanceof FormData ? body : writeJson(body)),
  }),
)
api.use(dots)

/** The same client, whose answers keep all digits of their numbers. */
function exactly(client: Client<paths>): Client<paths> {
  type Call = (path: string, init?: { parseAs?: string }) => Promise<Answer<unknown>>
  const read = (call: Call): Call => async (path, init) => {
    const answer = await call(path, { parseAs: 'text', ...init })
    return init?.parseAs || !answer.data ? answer : { ...answer, data: parseJson(answer.data as string) }
  }
  const methods = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
  return Object.assign({}, client, Object.fromEntries(methods.map((method) => [method, read(client[method] as Call)])))
}

/**
 * Whose credential this is; it need not be that of the session.
 *
 * @throws ApiError if the API refuses it.
 */
export async function identify(credential: string): Promise<Schemas['Identity']> {
  const headers = { Authorization: `Bearer ${credential}` }
  return jsonOf(await answerOf(patientFetch(new Request(`${apiRoot}/v1/me`, { credentials: 'omit', headers }))))
}

type Answer<T> = { data?: T; error?: unknown; response: Response }

/**
 * The JSON body of a successful answer; what has other media types too is text by `send`.
 *
 * @throws ApiError with the problem of any other answer.
 */
export async function ok<T>(request: Promise<Answer<T>>): Promise<Exclude<T, string>> {
  let answer: Answer<T>
  try {
    answer = await request
  } catch (error) {
    throw unreachable(error)
  }
  if (!answer.response.ok) throw problemOf(answer.response, answer.error)
  return answer.data as Exclude<T, string>
}

/**
 * A request whose answer is not JSON, or whose headers matter: a page as received, an Arrow file, a workbook.
 *
 * @param path below the API's address, such as `/v1/projects/x/data?format=arrow`.
 * @throws ApiError with the problem of an error answer.
 */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  if (path.split('?', 1)[0]!.split('/').some(isDots)) return answerOf(Promise.resolve(noSuchName()))
  return answerOf(onceFetch(new Request(apiRoot + path, { credentials: 'omit', ...init })))
}

async function answerOf(request: Promise<Response>): Promise<Response> {
  const response = await request.catch((error: unknown) => {
    throw unreachable(error)
  })
  if (!response.ok) throw problemOf(response, await jsonOf(response).catch(() => null))
  return response
}

/** The JSON of an answer of `send`. */
export async function jsonOf<T>(answer: Response): Promise<T> {
  return parseJson(await answer.text()) as T
}

/** All items of a list whose pages are short, in order. */
export async function all<T>(page: (cursor?: string) => Promise<{ items: T[]; next: string | null }>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const answer = await page(cursor)
    items.push(...answer.items)
    cursor = answer.next ?? undefined
  } while (cursor)
  return items
}

function unreachable(error: unknown): unknown {
  if (error instanceof ApiError || (error instanceof DOMException && error.name === 'AbortError')) return error
  return new ApiError(0, problem(0, 'No answer', 'The API did not answer. Check the connection, then try again.'))
}

const OVERTAKEN = 'Somebody else has changed it since you opened it, so nothing was saved. Load the page again to see what is saved now.'

function problemOf(response: Response, body: unknown): ApiError {
  if (body && typeof body === 'object' && 'detail' in body) {
    const answer = body as Problem
    // The API speaks of headers, which people have not written.
    return new ApiError(response.status, answer.detail.includes('If-Match') ? { ...answer, detail: OVERTAKEN } : answer)
  }
  const detail = `The API answered ${response.status} without saying why.`
  return new ApiError(response.status, problem(response.status, response.statusText, detail))
}

function problem(status: number, title: string, detail: string): Problem {
  return { type: 'about:blank', title, status, detail }
}
