/** Writes that hold only for what the user has seen. */
import { ApiError, ONLY_NEW } from './client'

/** The headers of a write that is refused (412) unless the resource is as it was seen; null: that there was none. */
export function onlyAs(seen: { etag: string } | null | undefined): Record<string, string> {
  return seen ? { 'If-Match': `"${seen.etag}"` } : ONLY_NEW
}

/** What a request finds; null if the API answers that there is no such thing (404). */
export async function found<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}
