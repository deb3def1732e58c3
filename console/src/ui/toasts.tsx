/** Short messages about what has just happened; screen readers announce them. */
import { useEffect, useState } from 'preact/hooks'
import { currentSession, onSessionChange } from '../api/session'

type Toast = { id: number; text: string }
let toasts: Toast[] = []
let count = 0
const listeners = new Set<() => void>()

function change(next: Toast[]): void {
  toasts = next
  listeners.forEach((listener) => listener())
}

// They are for who was signed in.
onSessionChange(() => currentSession() === null && change([]))

/** Show a message for six seconds. */
export function toast(text: string): void {
  const id = ++count
  change([...toasts, { id, text }])
  setTimeout(() => change(toasts.filter((one) => one.id !== id)), 6000)
}

export function Toasts() {
  const [, draw] = useState(0)
  useEffect(() => {
    const listener = () => draw((turn) => turn + 1)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }, [])
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map((one) => (
        <div class="note" key={one.id}>
          {one.text}
        </div>
      ))}
    </div>
  )
}
