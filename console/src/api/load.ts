/** Answers of the API in components: loaded when something changes, asked again while something is going on. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './client'

export interface Loaded<T> {
  /** The newest answer; undefined before the first one, and after a change of the dependencies. */
  data: T | undefined
  error: ApiError | undefined
  loading: boolean
  /** Ask again; the present answer stays until the next one arrives. */
  reload: () => void
}

/**
 * Load something, and load it again when one of the dependencies changes.
 *
 * @param request what to ask; null asks nothing.
 * @param dependencies what the request depends on.
 * @param every milliseconds until it is asked again, by the newest answer; 0 ends it. Pauses in a hidden tab.
 */
export function useLoad<T>(
  request: (() => Promise<T>) | null,
  dependencies: unknown[],
  every: (data: T) => number = () => 0,
): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: ApiError; loading: boolean }>({ loading: request !== null })
  const [asked, setAsked] = useState(0)
  const reload = useCallback(() => setAsked((count) => count + 1), [])
  const newest = useRef({ request, every })
  newest.current = { request, every }
  const previous = useRef<unknown[] | null>(null)

  useEffect(() => {
    if (newest.current.request === null) {
      setState({ loading: false })
      return
    }
    const changed = previous.current === null || dependencies.some((value, index) => value !== previous.current![index])
    previous.current = dependencies
    // The answer to another question is not shown while the new one is asked.
    setState((state) => (changed ? { loading: true } : { ...state, loading: true }))
    let ended = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = () => {
      if (document.hidden && timer !== undefined) {
        timer = setTimeout(ask, 2000)
        return
      }
      newest.current.request!().then(
        (data) => {
          if (ended) return
          setState({ data, loading: false })
          const wait = newest.current.every(data)
          if (wait > 0) timer = setTimeout(ask, wait)
        },
        (error: unknown) => {
          if (ended) return
          if (!(error instanceof ApiError)) throw error
          setState((state) => ({ data: state.data, error, loading: false }))
          // What is watched may answer again.
          if (timer !== undefined) timer = setTimeout(ask, 10_000)
        },
      )
    }
    ask()
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }, [...dependencies, asked, request === null])

  return { data: state.data, error: state.error, loading: state.loading, reload }
}

export interface Action<A extends unknown[]> {
  /** Do it; a problem is kept in `error`, and the promise resolves to whether it went well. */
  run: (...values: A) => Promise<boolean>
  busy: boolean
  error: ApiError | undefined
  clear: () => void
}

/** Something that the user starts, such as saving a form: whether it is going on, and the API's problem with it. */
export function useAction<A extends unknown[]>(work: (...values: A) => Promise<unknown>): Action<A> {
  const [state, setState] = useState<{ busy: boolean; error?: ApiError }>({ busy: false })
  const newest = useRef(work)
  newest.current = work
  const turn = useRef(0)
  const run = useCallback(async (...values: A) => {
    const mine = ++turn.current
    // An earlier one that ends later says nothing about this one.
    const end = (error?: ApiError) => mine === turn.current && setState({ busy: false, error })
    setState({ busy: true })
    try {
      await newest.current(...values)
      end()
      return true
    } catch (error) {
      end(error instanceof ApiError ? error : undefined)
      if (!(error instanceof ApiError)) throw error
      return false
    }
  }, [])
  const clear = useCallback(() => setState({ busy: false }), [])
  return { run, busy: state.busy, error: state.error, clear }
}
