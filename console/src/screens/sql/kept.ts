/** What the SQL page keeps for this tab; `api/session.ts` forgets it when the user signs out. */

export function readKept<T>(key: string): T[] {
  return JSON.parse(sessionStorage.getItem(key) ?? '[]') as T[]
}

/** Keep a list, unless it is more than the browser has room for: then the tab keeps what it had. */
export function keep<T>(key: string, items: T[]): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(items))
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error
  }
}
