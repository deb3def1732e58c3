/** Changes that are not saved yet: whatever would lose them asks first. */
import { useLayoutEffect } from 'preact/hooks'

interface Place {
  path: string
  query: URLSearchParams
}

interface Question {
  leave: () => void
  stay: () => void
}

const guards = new Set<{ parameters: readonly string[] }>()
let listener: (question: Question) => void = () => undefined

/** Lets the browser ask before the tab is closed or loaded again. */
function keepTab(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

/**
 * Let the user be asked before changes are lost.
 *
 * @param changed whether there are changes that are not saved.
 * @param parameters of the place's query without whose present values the editor is gone; another path always ends it.
 */
export function useUnsaved(changed: boolean, parameters: readonly string[] = []): void {
  // As soon as it is drawn: the next click may be a link.
  useLayoutEffect(() => {
    if (!changed) return
    const guard = { parameters }
    guards.add(guard)
    addEventListener('beforeunload', keepTab)
    return () => {
      guards.delete(guard)
      if (guards.size === 0) removeEventListener('beforeunload', keepTab)
    }
  }, [changed, ...parameters])
}

/** Nothing is to be saved any more: it has just been saved, or what it belongs to is deleted. */
export function forgetUnsaved(): void {
  guards.clear()
  removeEventListener('beforeunload', keepTab)
}

/** Whether going from one place to another loses changes. */
export function losesChanges(from: Place, to: Place): boolean {
  return [...guards].some(
    ({ parameters }) => from.path !== to.path || parameters.some((name) => from.query.get(name) !== to.query.get(name)),
  )
}

/** Ask whether to lose the changes. */
export function askToLeave(leave: () => void, stay: () => void = () => undefined): void {
  listener({ leave, stay })
}

/** Do something that closes all editors, at once or after asking. */
export function unlessUnsaved(work: () => void): void {
  if (guards.size === 0) work()
  else askToLeave(work)
}

/** Call `ask` with each question; only one can be answered at a time, the newest. */
export function onQuestion(ask: (question: Question) => void): void {
  listener = ask
}
