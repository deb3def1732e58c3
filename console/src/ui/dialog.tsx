/** Dialogs and side panels, on the browser's own `<dialog>`: it keeps the focus inside and closes by Escape. */
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useAction, type Action } from '../api/load'
import { askToLeave, useUnsaved } from '../unsaved'
import { Button, ProblemNote } from './parts'

/** Where a dialog begins, rather than at its button that closes it. */
const FIELDS = '.inside :is(input:not([type="file"]), select, textarea)'

/**
 * A dialog that is open as long as it is drawn. With `side`, a panel along the right edge.
 *
 * @param changed whether it has something that would be lost: then closing it asks first, but for its own buttons.
 * @param locked only its own buttons close it: what it shows cannot be shown again.
 */
export function Dialog(props: {
  title: ComponentChildren
  onClose: () => void
  side?: boolean
  changed?: boolean
  locked?: boolean
  children: ComponentChildren
}) {
  const { onClose, changed = false, locked = false } = props
  useUnsaved(changed || locked)
  const close = () => {
    if (changed) askToLeave(onClose)
    else if (!locked) onClose()
  }
  // A text that is selected by dragging may end beyond the edge: only what also begins there is a click beside it.
  const pressedBeside = useRef(false)
  const element = useRef<HTMLDialogElement>(null)
  const title = useId()
  // Before it is painted: what is typed at once must be typed in it.
  useLayoutEffect(() => {
    const opener = document.activeElement
    const dialog = element.current!
    dialog.showModal()
    if (!dialog.querySelector('[autofocus]')) dialog.querySelector<HTMLElement>(FIELDS)?.focus()
    return () => {
      // As long as it is open, nothing behind it takes the focus.
      dialog.close()
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      class={props.side ? 'side' : ''}
      aria-labelledby={title}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onKeyDown={(event) => {
        // The browser itself would close it by the second Escape, whatever becomes of the first.
        if (event.key !== 'Escape' || event.defaultPrevented) return
        event.preventDefault()
        event.stopPropagation()
        close()
      }}
      onPointerDown={(event) => (pressedBeside.current = event.target === element.current)}
      onClick={(event) => event.target === element.current && pressedBeside.current && close()}
    >
      <header>
        <h2 id={title}>{props.title}</h2>
        {!locked && (
          <Button look="quiet" onClick={close} aria-label="Close">
            ✕
          </Button>
        )}
      </header>
      <div class="inside">{props.children}</div>
    </dialog>
  )
}

/**
 * A dialog that is a form: its fields, the API's problem with them, and a button that sends them.
 *
 * @param changed as of `Dialog`; by itself, whether anything was entered.
 */
export function FormDialog(props: {
  title: ComponentChildren
  onClose: () => void
  changed?: boolean
  action: Action<[]>
  /** What the button says. */
  submit: string
  disabled?: boolean
  children: ComponentChildren
}) {
  const { action } = props
  const [entered, setEntered] = useState(false)
  return (
    <Dialog title={props.title} onClose={props.onClose} changed={props.changed ?? entered}>
      <form
        class="stack"
        onInput={() => setEntered(true)}
        onSubmit={(event) => {
          event.preventDefault()
          void action.run()
        }}
      >
        {props.children}
        <ProblemNote error={action.error} />
        <div class="row">
          <Button look="primary" type="submit" busy={action.busy} disabled={props.disabled}>
            {props.submit}
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  )
}

/** A button that asks before it does something that cannot be undone; a problem is shown in the question. */
export function ConfirmButton(props: {
  text: string
  question: ComponentChildren
  work: () => Promise<unknown>
  look?: 'danger' | 'primary' | 'quiet'
}) {
  const [open, setOpen] = useState(false)
  const action = useAction(props.work)
  const close = () => {
    setOpen(false)
    action.clear()
  }
  return (
    <>
      <Button look={props.look} onClick={() => setOpen(true)}>
        {props.text}
      </Button>
      {open && (
        <Dialog title={props.text} onClose={close}>
          <div>{props.question}</div>
          <ProblemNote error={action.error} />
          <div class="row">
            <Button
              look={props.look === 'danger' ? 'danger' : 'primary'}
              busy={action.busy}
              onClick={async () => (await action.run()) && close()}
            >
              {props.text}
            </Button>
            <Button onClick={close}>Cancel</Button>
          </div>
        </Dialog>
      )}
    </>
  )
}
