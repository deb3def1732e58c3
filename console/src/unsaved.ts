/** Changes that are not saved yet: whatever would lose them asks first. */
import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks'

interface Place {
  path: string
  query: URLSearchParams
}

interface Question {
  leave: () => void
  stay: () => void
}

const guards = new Set<{ parameters: readonly string[] }>()
let question: Question | null = null
let listener: (question: Question | null) => void = () => undefined

function setQuestion(next: Question | null): void {
  question = next
  listener(next)
}

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

/**
 * Nothing is to be saved any more: it has just been saved, it is given up, or what it belongs to is deleted.
 *
 * Who was asked whether to leave meanwhile, leaves.
 */
export function forgetUnsaved(): void {
  guards.clear()
  removeEventListener('beforeunload', keepTab)
  const asked = question
  setQuestion(null)
  asked?.leave()
}

/**
 * A function to call when something has been saved. It does `next` as soon as the page is drawn with that, unless there
 * are changes then: somebody has gone on typing while it was being saved, and stays.
 */
export function useOnceSaved(next: () => void): () => void {
  const [saves, setSaves] = useState(0)
  useEffect(() => {
    if (saves > 0 && guards.size === 0) next()
  }, [saves])
  return useCallback(() => setSaves((count) => count + 1), [])
}

/** Keep the changes, and what is shown. */
export function stay(): void {
  const asked = question
  setQuestion(null)
  asked?.stay()
}

/** Whether going from one place to another loses changes. */
export function losesChanges(from: Place, to: Place): boolean {
  return [...guards].some(
    ({ parameters }) => from.path !== to.path || parameters.some((name) => from.query.get(name) !== to.query.get(name)),
  )
}

/** Ask whether to lose the changes. */
export function askToLeave(leave: () => void, keep: () => void = () => undefined): void {
  setQuestion({ leave, stay: keep })
}

/** Do something that closes all editors, at once or after asking. */
export function unlessUnsaved(work: () => void): void {
  if (guards.size === 0) work()
  else askToLeave(work)
}

/** Call `change` whenever there is a question, or none any more; only the newest can be answered. */
export function onQuestion(change: (isAsked: boolean) => void): void {
  listener = (present) => change(present !== null)
}
