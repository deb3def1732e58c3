/** A part of a page that scrolls by itself, by keyboard, too. */
import type { ComponentChildren } from 'preact'
import './algorithms.css'

export function Scroll(props: { label: string; tall?: boolean; children: ComponentChildren }) {
  return (
    <div class={`scroll ${props.tall ? 'tall' : ''}`} role="region" aria-label={props.label} tabIndex={0}>
      {props.children}
    </div>
  )
}
