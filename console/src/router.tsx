/**
 * Places in the console: `#/projects/top-coins/data?version=3`.
 *
 * Behind the `#`, because the address before it belongs to the gateway's stage and must not change, and
 * with a query of its own, so that every filter and every open panel is in the link. The small routers
 * for hashes put the query before the `#`.
 */
import type { ComponentChildren, JSX } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { askToLeave, forgetUnsaved, losesChanges } from './unsaved'

export interface Place {
  /** Such as `/projects/top-coins`. */
  path: string
  query: URLSearchParams
}

/** The place that the address bar shows. */
export function currentPlace(): Place {
  return placeOf(location.hash)
}

/** The place of an address, or of its part from the `#` on. */
function placeOf(address: string): Place {
  const text = splitOnce(address, '#')[1] || '/'
  const [path = '/', query = ''] = splitOnce(text, '?')
  return { path: path.replace(/(.)\/+$/, '$1'), query: new URLSearchParams(query) }
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

type Query = Record<string, string | number | null | undefined | readonly string[]>

/** The address of a place; empty and null values of the query are left out, and a list is a repeated parameter. */
export function href(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((one) => search.append(name, one))
    else if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return `${location.pathname}#${path}${text ? `?${text}` : ''}`
}

/** A path whose parts are encoded: `` path`/projects/${slug}/data` ``. */
export function path(texts: TemplateStringsArray, ...values: string[]): string {
  return texts.map((text, index) => text + (index < values.length ? encodeURIComponent(values[index]!) : '')).join('')
}

let shown: Place = currentPlace()
/** Where the shown place is in the tab's history, by which Back and Forward are told apart. */
let step = 0
const listeners = new Set<() => void>()

function show(): void {
  shown = currentPlace()
  listeners.forEach((listener) => listener())
}

/** Follow the tab's history from now on. */
export function followHistory(): void {
  step = stepOf(history.state) ?? 0
  history.replaceState({ step }, '')
  addEventListener('popstate', moved)
  show()
}

/** An entry of the history that `navigate` has not made has no step yet: a followed link, or an address that was typed. */
function stepOf(state: unknown): number | undefined {
  return (state as { step?: number } | null)?.step
}

/** The address has changed already. To ask, it is put back, since what is shown is still the place before. */
function moved(): void {
  const to = stepOf(history.state) ?? step + 1
  const distance = to - step
  if (distance === 0) return
  if (losesChanges(shown, currentPlace())) {
    history.go(-distance)
    askToLeave(() => history.go(distance))
    return
  }
  history.replaceState({ step: to }, '')
  step = to
  show()
}

/** Go to a place. With `replace`, the back button does not return to the present one; there is no step to the same place, either. */
export function navigate(to: string, query: Query = {}, { replace = false } = {}): void {
  const address = href(to, query)
  const go = () => {
    const stays = replace || address === `${location.pathname}${location.search}${location.hash}`
    if (!stays) step += 1
    history[stays ? 'replaceState' : 'pushState']({ step }, '', address)
    show()
  }
  // Who stays sees the present place again: a control may show the other one already.
  if (losesChanges(shown, placeOf(address))) askToLeave(go, show)
  else go()
}

/**
 * `navigate` for what follows an answer, such as the page of what was created. What the component had to save is saved
 * by then. If the component is gone, the user has left it while the answer was on its way, and stays where they are.
 */
export function useArrival(): (to: string, query?: Query) => void {
  const gone = useRef(false)
  useLayoutEffect(() => () => void (gone.current = true), [])
  return useCallback((to, query) => {
    if (gone.current) return
    forgetUnsaved()
    navigate(to, query)
  }, [])
}

/** The present place; the component is drawn again when it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(currentPlace)
  useEffect(() => {
    const update = () => setPlace(currentPlace())
    listeners.add(update)
    return () => {
      listeners.delete(update)
    }
  }, [])
  return place
}

/** One parameter of the place's query, and a function that sets it; null removes it, such as to close what it has opened. */
export function useParameter(name: string): [string | null, (value: string | null) => void] {
  const place = usePlace()
  const set = useCallback(
    (value: string | null) => setParameters({ [name]: value }, { replace: value === null }),
    [name],
  )
  return [place.query.get(name), set]
}

/**
 * Set or remove several parameters of the present place at once.
 *
 * What somebody chooses is a step of the history, which Back undoes: a filter, an order, a version, an open panel.
 * With `replace` it is none: what is typed letter by letter, what only closes something, and what the console
 * itself sets right.
 */
export function setParameters(values: Query, { replace = false } = {}): void {
  const { path: present, query } = currentPlace()
  const kept = Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]))
  navigate(present, { ...kept, ...values }, { replace })
}

/** The values of a pattern's parameters, such as `slug` of `/projects/:slug`; null if the path is another one. */
export function match(pattern: string, to: string): Record<string, string> | null {
  const [expected, actual] = [pattern.split('/'), to.split('/')]
  if (expected.length !== actual.length) return null
  const values: Record<string, string> = {}
  for (const [index, part] of expected.entries()) {
    const value = actual[index]!
    const name = safeDecode(value)
    if (part.startsWith(':') && !isDots(name)) values[part.slice(1)] = name
    else if (part !== value) return null
  }
  return values
}

/** Whether a name is `.` or `..`: in an address it stands for another place, however it is encoded. */
export function isDots(name: string): boolean {
  return name === '.' || name === '..'
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

type LinkProps = { to: string; query?: Query; children: ComponentChildren } & Omit<
  JSX.IntrinsicElements['a'],
  'href' | 'children'
>

/** A link to a place of the console. */
export function Link({ to, query, children, ...rest }: LinkProps) {
  return (
    <a {...rest} href={href(to, query)}>
      {children}
    </a>
  )
}
