/** Removing something as it was seen: what somebody else has changed meanwhile stays until both choices were offered. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { useAction, useLoad } from '../api/load'
import { Dialog } from './dialog'
import { Button, Note, ProblemNote, Show } from './parts'

/** A button that asks before it removes something, and asks again if somebody else has changed or removed it (412, 404). */
export function RemoveButton<T extends { etag: string }>(props: {
  text: string
  question: ComponentChildren
  /** Its state as the user sees it. */
  seen: T
  /** How it is now; null: it is not there any more. */
  load: () => Promise<T | null>
  describe: (theirs: T) => string
  remove: (etag: string) => Promise<unknown>
  /** It is removed. */
  onRemoved: () => void
  /** It stays, in another state than the user has seen, or somebody else has removed it. */
  onKept: () => void
}) {
  const [open, setOpen] = useState(false)
  const action = useAction(props.remove)
  const overtaken = action.error?.status === 412 || action.error?.status === 404
  const close = () => {
    setOpen(false)
    action.clear()
    if (overtaken) props.onKept()
  }
  const remove = async (etag: string) => {
    if (!(await action.run(etag))) return
    setOpen(false)
    props.onRemoved()
  }
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        {props.text}
      </Button>
      {open && (
        <Dialog title={props.text} onClose={close}>
          <div>{props.question}</div>
          {overtaken ? (
            <Overtaken load={props.load} describe={props.describe} onKeep={close} onRemove={remove} />
          ) : (
            <>
              <ProblemNote error={action.error} />
              <div class="row">
                <Button look="danger" busy={action.busy} onClick={() => remove(props.seen.etag)}>
                  {props.text}
                </Button>
                <Button onClick={close}>Cancel</Button>
              </div>
            </>
          )}
        </Dialog>
      )}
    </>
  )
}

/** How it is now, and what to do with it. If it is changed once more before the choice is made, it is asked again. */
function Overtaken<T extends { etag: string }>(props: {
  load: () => Promise<T | null>
  describe: (theirs: T) => string
  onKeep: () => void
  onRemove: (etag: string) => void
}) {
  const theirs = useLoad(props.load, [])
  return (
    <Note tone="bad">
      <div class="stack">
        <Show from={theirs}>
          {(present) =>
            present ? (
              <>
                <div>
                  <strong>Somebody else has changed it since you opened it.</strong> Nothing was removed. Now it is:
                </div>
                <pre>{props.describe(present)}</pre>
                <div class="row">
                  <Button onClick={props.onKeep}>Keep what is saved</Button>
                  <Button look="danger" onClick={() => props.onRemove(present.etag)}>
                    Remove it all the same
                  </Button>
                </div>
              </>
            ) : (
              <>
                <strong>Somebody else has removed it already.</strong>
                <div class="row">
                  <Button onClick={props.onKeep}>Close</Button>
                </div>
              </>
            )
          }
        </Show>
      </div>
    </Note>
  )
}
