/** The small parts of every page: panels, badges, messages, buttons and fields. */
import type { ComponentChildren, JSX } from 'preact'
import type { ApiError, Problem } from '../api/client'
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks'
import type { Loaded } from '../api/load'
import { Link, usePlace } from '../router'

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'plain'

/** A page: its title, what leads to it, and what can be done on it. */
export function Page(props: {
  title: ComponentChildren
  crumbs?: { to: string; text: string }[]
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const leads = props.crumbs?.map((crumb) => crumb.text).reverse() ?? []
    document.title = [...new Set([heading.current!.textContent, ...leads, 'Sluice'])].join(' · ')
  })
  return (
    <>
      <header>
        <div>
          {props.crumbs && (
            <nav class="crumbs" aria-label="Breadcrumbs">
              {props.crumbs.map((crumb) => (
                <span key={crumb.to}>
                  <Link to={crumb.to}>{crumb.text}</Link> /{' '}
                </span>
              ))}
            </nav>
          )}
          <h1 ref={heading} tabIndex={-1}>{props.title}</h1>
        </div>
        {props.actions && <div class="row">{props.actions}</div>}
      </header>
      {props.children}
    </>
  )
}

/** A titled part of a page. */
export function Panel(props: {
  title?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
  /** Without space around the content, for tables. */
  flush?: boolean
}) {
  return (
    <section class="panel">
      {(props.title || props.actions) && (
        <header>
          <h2>{props.title}</h2>
          {props.actions && <div class="row">{props.actions}</div>}
        </header>
      )}
      <div class={props.flush ? 'table-box' : 'inside'}>{props.children}</div>
    </section>
  )
}

/** Links to the parts of a page, each with an address of its own. */
export function Tabs(props: { label: string; tabs: { to: string; text: string }[] }) {
  const place = usePlace()
  const nav = useRef<HTMLElement>(null)
  // On a phone there is not room for all.
  useEffect(() => nav.current!.querySelector('[aria-current]')?.scrollIntoView({ inline: 'nearest', block: 'nearest' }), [place.path])
  return (
    <nav class="tabs" ref={nav} aria-label={props.label}>
      {props.tabs.map((tab) => (
        <Link key={tab.to} to={tab.to} aria-current={place.path === tab.to ? 'page' : undefined}>
          {tab.text}
        </Link>
      ))}
    </nav>
  )
}

export function Badge(props: { tone?: Tone; children: ComponentChildren; title?: string }) {
  return (
    <span class={`badge ${props.tone ?? 'plain'}`} title={props.title}>
      {props.children}
    </span>
  )
}

const TONES: Record<string, Tone> = {
  succeeded: 'good', complete: 'good', active: 'good', published: 'good', passed: 'good', ok: 'good', delivered: 'good',
  stale: 'warn', partial: 'warn', unproven: 'warn', warning: 'warn', acknowledged: 'warn', cancelled: 'warn',
  refused: 'warn', unfinished: 'warn', failed: 'bad', critical: 'bad', error: 'bad', blocked: 'bad',
  running: 'busy', pending: 'busy',
}

/** A word that the API uses for a state, such as a run's status, in the colour of what it means. */
export function State(props: { value: string | null | undefined; title?: string }) {
  if (!props.value) return <span class="muted">–</span>
  return (
    <Badge tone={TONES[props.value] ?? 'plain'} title={props.title}>
      {props.value.replaceAll('_', ' ')}
    </Badge>
  )
}

export function Note(props: { tone?: 'warn' | 'bad' | 'info'; children: ComponentChildren }) {
  return (
    <div class={`note ${props.tone ?? ''}`} role={props.tone === 'bad' ? 'alert' : undefined}>
      {props.children}
    </div>
  )
}

/** A text of the API, which puts what is to be written literally between backticks. */
export function Words({ text }: { text: string }) {
  return <>{text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>
}

/** A problem of the API in its own words, with each invalid part of the request that no field before it has told. */
export function ProblemNote(props: { error: ApiError | undefined; retry?: () => void }) {
  if (!props.error) return null
  return (
    <Note tone="bad">
      <ProblemText problem={props.error.problem} told={props.error.told} />
      {props.retry && (
        <div>
          <button class="button quiet" type="button" onClick={props.retry}>
            Try again
          </button>
        </div>
      )}
    </Note>
  )
}

/**
 * The text of a problem, of a request or of a run.
 *
 * @param told the pointers of the faults that fields have told already.
 */
export function ProblemText({ problem, told }: { problem: Problem; told?: Set<string> }) {
  const isToldAtField = problem.errors?.some((error) => told?.has(error.pointer) && error.message === problem.detail)
  // A problem with one fault may have the same text twice.
  const faults = problem.errors?.filter((error) => error.message !== problem.detail && !told?.has(error.pointer)) ?? []
  return (
    <>
      <strong>{problem.title}.</strong> <Words text={isToldAtField ? 'See what is said at the field.' : (problem.detail ?? '')} />
      {faults.length > 0 && (
        <ul>
          {faults.slice(0, 50).map((error) => (
            <li key={error.pointer + error.message}>
              {error.pointer && <code>{error.pointer}</code>} <Words text={error.message} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

/** What a list shows while it is empty: what it is for, and what to do next. */
export function Empty(props: { title: string; children?: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{props.title}</strong>
      {props.children && <div>{props.children}</div>}
      {props.action}
    </div>
  )
}

/**
 * What was loaded, or that it is loading, or why it cannot be.
 *
 * @param and what must be there, too, before it is shown.
 */
export function Show<T>(props: { from: Loaded<T>; and?: Loaded<unknown>; children: (data: T) => ComponentChildren }) {
  const { from, and = from } = props
  const failed = from.error ? from : and
  const { data } = from
  return (
    <>
      <ProblemNote error={failed.error} retry={failed.reload} />
      {data !== undefined && and.data !== undefined
        ? props.children(data)
        : (from.loading || and.loading) && <div class="loading" role="status">Loading …</div>}
    </>
  )
}

type ButtonProps = Omit<JSX.IntrinsicElements['button'], 'type' | 'class'> & {
  look?: 'primary' | 'danger' | 'quiet'
  busy?: boolean
  type?: 'button' | 'submit'
}

/** A button; `busy` while what it started is going on. One that does nothing keeps the focus, which `disabled` would lose. */
export function Button({ look, busy, disabled, children, type = 'button', onClick, ...rest }: ButtonProps) {
  const off = Boolean(busy || disabled)
  return (
    <button
      {...rest}
      type={type}
      class={`button ${look ?? ''}`}
      aria-disabled={off || undefined}
      aria-busy={busy}
      // Also what Enter in a field of its form does.
      onClick={off ? (event) => event.preventDefault() : onClick}
    >
      {children}
      {busy && ' …'}
    </button>
  )
}

/** A labelled control, with help and the API's message about its value. */
export function Field(props: {
  label: string
  help?: ComponentChildren
  wrong?: string
  children: (attributes: { id: string; 'aria-invalid'?: 'true'; 'aria-describedby'?: string }) => ComponentChildren
}) {
  const id = useId()
  const about = props.help || props.wrong ? `${id}-about` : undefined
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children({ id, 'aria-invalid': props.wrong ? 'true' : undefined, 'aria-describedby': about })}
      {about && (
        <div id={about}>
          {props.wrong && (
            <div class="wrong">
              <Words text={props.wrong} />
            </div>
          )}
          {props.help && <div class="help">{props.help}</div>}
        </div>
      )}
    </div>
  )
}

/** A line of text to enter. */
export function TextField(props: {
  label: string
  value: string
  onInput: (value: string) => void
  help?: ComponentChildren
  wrong?: string
  type?: 'text' | 'password' | 'number' | 'email' | 'url' | 'search' | 'datetime-local' | 'date'
  required?: boolean
  placeholder?: string
  autoFocus?: boolean
  /** Why the form cannot be sent with this value: the browser refuses to, and leads to the field. */
  refused?: string
}) {
  const { refused } = props
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => input.current!.setCustomValidity(refused ?? ''), [refused])
  return (
    <Field label={props.label} help={props.help} wrong={refused ?? props.wrong}>
      {(attributes) => (
        <input
          {...attributes}
          ref={input}
          type={props.type ?? 'text'}
          value={props.value}
          required={props.required}
          placeholder={props.placeholder}
          autoFocus={props.autoFocus}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

/** One of a few values to choose. */
export function SelectField(props: {
  label: string
  value: string
  options: (string | { value: string; text: string })[]
  onChange: (value: string) => void
  help?: ComponentChildren
  wrong?: string
}) {
  return (
    <Field label={props.label} help={props.help} wrong={props.wrong}>
      {(attributes) => (
        <select {...attributes} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
          {props.options.map((option) => {
            const { value, text } = typeof option === 'string' ? { value: option, text: option } : option
            return (
              <option key={value} value={value}>
                {text}
              </option>
            )
          })}
        </select>
      )}
    </Field>
  )
}
