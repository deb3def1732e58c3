/** A button that opens a small panel below itself; Escape or a click elsewhere closes it. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

export function Menu(props: { text: string; children: ComponentChildren }) {
  const element = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const details = element.current!
    const onClick = (event: MouseEvent) => {
      if (!details.contains(event.target as Node)) details.open = false
    }
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !details.open) return
      details.open = false
      details.querySelector('summary')!.focus()
    }
    document.addEventListener('click', onClick)
    details.addEventListener('keydown', onKey)
    return () => document.removeEventListener('click', onClick)
  }, [])
  return (
    <details class="menu" ref={element}>
      <summary class="button">{props.text}</summary>
      <div class="menu-inside stack">{props.children}</div>
    </details>
  )
}
