/** The question before changes are lost. */
import { useEffect, useState } from 'preact/hooks'
import { forgetUnsaved, onQuestion, stay } from '../unsaved'
import { Dialog } from './dialog'
import { Button } from './parts'

export function AskBeforeLeaving() {
  const [isAsked, setAsked] = useState(false)
  useEffect(() => onQuestion(setAsked), [])
  if (!isAsked) return null
  return (
    <Dialog title="Leave without saving?" onClose={stay}>
      <p>What you have changed here is not saved. It is lost if you leave.</p>
      <div class="row">
        <Button look="primary" onClick={stay}>
          Stay
        </Button>
        <Button look="danger" onClick={forgetUnsaved}>
          Leave without saving
        </Button>
      </div>
    </Dialog>
  )
}
