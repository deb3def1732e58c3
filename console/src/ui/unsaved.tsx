/** The question before changes are lost. */
import { useEffect, useState } from 'preact/hooks'
import { forgetUnsaved, onQuestion } from '../unsaved'
import { Dialog } from './dialog'
import { Button } from './parts'

export function AskBeforeLeaving() {
  const [question, setQuestion] = useState<{ leave: () => void; stay: () => void } | null>(null)
  useEffect(() => onQuestion(setQuestion), [])
  if (!question) return null
  const stay = () => {
    setQuestion(null)
    question.stay()
  }
  const leave = () => {
    setQuestion(null)
    forgetUnsaved()
    question.leave()
  }
  return (
    <Dialog title="Leave without saving?" onClose={stay}>
      <p>What you have changed here is not saved. It is lost if you leave.</p>
      <div class="row">
        <Button look="primary" onClick={stay}>
          Stay
        </Button>
        <Button look="danger" onClick={leave}>
          Leave without saving
        </Button>
      </div>
    </Dialog>
  )
}
