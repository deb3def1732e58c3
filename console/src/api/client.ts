/** The public API, with types generated from its OpenAPI document. The console has no other way to the platform. */
import { isDots } from '../router'
import { parseJson, writeJson } from './json'
import createClient, { type Client, type Middleware } from 'openapi-fetch'
import type { components, paths } from './schema'
import { apiRoot, currentCredential, signOut } from './session'

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

const credentials: Middleware = {
  onRequest({ request }) {
    const credential = currentCredential()
    // Never x-api-key: browsers drop Authorization when an answer redirects to the lake, which is another host.
    if (credential) request.headers.set('Authorization', `Bearer ${credential}`)
    return request
  },
  onResponse({ response }) {
    if (response.status === 401 && currentCredential()) signOut()
  },
}

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

const ATTEMPTS = 5

/** Ask again while the API is too busy, as long as it says, and a little longer each time: a 429 has done nothing yet. */
async function patientFetch(request: Request): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(request.clone()).catch((error: unknown) => {
      // A read that a change of the network has ended, as when a laptop wakes up.
      const again = request.method === 'GET' && attempt < 3 && error instanceof TypeError
      if (!again) throw error
    })
    if (!response) {
      await new Promise((resolve) => setTimeout(resolve, 300 * attempt))
      continue
    }
    const busy = response.status === 429 || (response.status === 503 && request.method === 'GET')
    if (!busy || attempt === ATTEMPTS) return response
    const asked = Number(response.headers.get('Retry-After')) || 0.5
    await new Promise((resolve) => setTimeout(resolve, Math.min(asked, 5) * 1000 * attempt))
  }
}

// Without credentials of its own, the browser does not answer a 401 by asking for a password.
/** One method for each HTTP method, as in `api.GET('/v1/projects/{slug}', { params: { path: { slug } } })`. */
export const api = exactly(
  createClient<paths>({
    baseUrl: apiRoot,
    credentials: 'omit',
    fetch: patientFetch,
    bodySerializer: (body) => ((body as unknown) instanceof FormData ? body : writeJson(body)),
  }),
)
api.use(credentials, dots)

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
  const headers = new Headers(init.headers)
  const credential = currentCredential()
  if (credential) headers.set('Authorization', `Bearer ${credential}`)
  let response: Response
  try {
    const ask = () => patientFetch(new Request(apiRoot + path, { credentials: 'omit', ...init, headers }))
    response = path.split('?', 1)[0]!.split('/').some(isDots) ? noSuchName() : await ask()
  } catch (error) {
    throw unreachable(error)
  }
  if (response.status === 401 && credential) signOut()
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

function unreachable(error: unknown): ApiError {
  if (error instanceof DOMException && error.name === 'AbortError') throw error
  const detail = 'The API did not answer. Check the connection, then try again.'
  return new ApiError(0, { type: 'about:blank', title: 'No answer', status: 0, detail })
}

function problemOf(response: Response, body: unknown): ApiError {
  if (body && typeof body === 'object' && 'detail' in body) return new ApiError(response.status, body as Problem)
  const detail = `The API answered ${response.status} without saying why.`
  return new ApiError(response.status, { type: 'about:blank', title: response.statusText, status: response.status, detail })
}
