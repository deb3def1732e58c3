/** The version of a project that its readers get: after a promotion it need not be the newest one. */
import { api, ApiError, ok, type Schemas } from './client'

type Version = Schemas['VersionView']

/** A project's versions, as far as its state needs them; both are null before the first one. */
export interface Standing {
  newest: Version | null
  published: Version | null
}

export async function standingOf(slug: string): Promise<Standing> {
  const { items } = await ok(api.GET('/v1/projects/{slug}/versions', { params: { path: { slug }, query: { limit: 1 } } }))
  // Not asked before there is a version: browsers log every 404 as an error.
  return items[0] ? { newest: items[0], published: await publishedOf(slug) } : { newest: null, published: null }
}

/** The published version of a project that has versions; null if none of them is. */
export async function publishedOf(slug: string): Promise<Version | null> {
  const params = { path: { slug, number: 'published' } }
  try {
    return await ok(api.GET('/v1/projects/{slug}/versions/{number}', { params }))
  } catch (error) {
    if (error instanceof ApiError && error.problem.type.endsWith(':not-published')) return null
    throw error
  }
}
