/** Answers that stay in view while the next one is loaded. */
import { useRef } from 'preact/hooks'

/**
 * The newest answer, or the one before it while the next is loaded: a chart that vanishes at each zoom is hard to follow.
 *
 * @param key what the answers are about; an answer about something else is never shown.
 */
export function useKept<T>(data: T | undefined, key: string): T | undefined {
  const kept = useRef<{ key: string; data: T } | null>(null)
  // Right after a change of the key, the answer is still that to the question before.
  if (data !== undefined && data !== kept.current?.data) kept.current = { key, data }
  return kept.current?.key === key ? kept.current.data : undefined
}
