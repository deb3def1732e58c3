/** Lists of the API that come in pages: the first is loaded at once, each further one when the user asks for it. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './client'

export interface List<T> {
  items: T[] | undefined
  error: ApiError | undefined
  loading: boolean
  /** Load the next page; null if the list is complete. */
  more: (() => void) | null
  /** Begin again at the first page. */
  reload: () => void
}

/**
 * A list that grows page by page.
 *
 * @param page asks for the page at a cursor.
 * @param dependencies what the list depends on; it begins again when one changes.
 */
export function useList<T>(
  page: (cursor?: string) => Promise<{ items: T[]; next: string | null }>,
  dependencies: unknown[],
): List<T> {
  type State = { items?: T[]; next: string | null; error?: ApiError; loading: boolean }
  const [state, setState] = useState<State>({ next: null, loading: true })
  const newest = useRef(page)
  newest.current = page
  const turn = useRef(0)

  const load = useCallback((cursor?: string, begin = false) => {
    const mine = cursor === undefined ? ++turn.current : turn.current
    // The items of another question are not shown while the new one is asked.
    setState((state) => (begin ? { next: null, loading: true } : { ...state, loading: true, error: undefined }))
    newest.current(cursor).then(
      ({ items, next }) => {
        // The answer to an earlier question comes too late.
        if (mine !== turn.current) return
        setState((state) => ({ items: cursor === undefined ? items : [...(state.items ?? []), ...items], next, loading: false }))
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error
        if (mine === turn.current) setState((state) => ({ ...state, error, loading: false }))
      },
    )
  }, [])
  useEffect(() => load(undefined, true), dependencies)
  useEffect(() => () => void ++turn.current, [])

  const { next } = state
  return {
    items: state.items,
    error: state.error,
    loading: state.loading,
    more: next && !state.loading ? () => load(next) : null,
    reload: () => load(),
  }
}
