/** Dialogs and side panels, on the browser's own `<dialog>`: it keeps the focus inside and closes by Escape. */
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useAction, type Action } from '../api/load'
import { askToLeave, useUnsaved } from '../unsaved'
import { Button, ProblemNote } from './parts'

/**
 * A dialog that is open as long as it is drawn. With `side`, a panel along the right edge.
 *
 * @param changed whether it has something that would be lost: then closing it asks first, but for its own buttons.
 */
export function Dialog(props: {
  title: ComponentChildren
  onClose: () => void
  side?: boolean
  changed?: boolean
  children: ComponentChildren
}) {
  const { onClose, changed = false } = props
  useUnsaved(changed)
  const close = () => (changed ? askToLeave(onClose) : onClose())
  const element = useRef<HTMLDialogElement>(null)
  const title = useId()
  // Before it is painted: what is typed at once must be typed in it.
  useLayoutEffect(() => {
    const opener = document.activeElement
    const dialog = element.current!
    dialog.showModal()
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
      onClick={(event) => event.target === element.current && close()}
    >
      <header>
        <h2 id={title}>{props.title}</h2>
        <Button look="quiet" onClick={close} aria-label="Close">
          ✕
        </Button>
      </header>
      <div class="inside">{props.children}</div>
    </dialog>
  )
}

/** A dialog that is a form: its fields, the API's problem with them, and a button that sends them. */
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
  return (
    <Dialog title={props.title} onClose={props.onClose} changed={props.changed}>
      <form
        class="stack"
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
