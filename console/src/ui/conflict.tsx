/** Documents that two people edit at once: nothing is lost on either side before the second one has chosen. */
import { useEffect, useState } from 'preact/hooks'
import { writeJson } from '../api/json'
import { useLoad } from '../api/load'
import { Button, Note, Show } from './parts'

/**
 * A stored document while it is edited: what is entered, and the state of the document that it began with. Saving sends
 * that state's ETag, so that it is refused (412) if somebody else has saved the document meanwhile.
 *
 * @param stored the document as it was loaded last; the form begins again with a newer one unless it is changed.
 * @param formOf what is entered if nothing is changed.
 */
export function useDraft<T extends { etag: string }, F>(stored: T, formOf: (stored: T) => F) {
  const [base, setBase] = useState(stored)
  const [form, setForm] = useState(() => formOf(stored))
  const changed = writeJson(form) !== writeJson(formOf(base))
  /** Begin again with a state of the document. */
  const begin = (from: T) => {
    setBase(from)
    setForm(formOf(from))
  }
  /** It was saved; what has been entered since it was sent stays. */
  const saved = (from: T, sent: F) => {
    setBase(from)
    setForm((present) => (present === sent ? formOf(from) : present))
  }
  useEffect(() => {
    if (!changed && stored.etag !== base.etag) begin(stored)
  }, [stored])
  return { base, form, setForm, changed, begin, saved, setBase }
}

/** What to do after a save that was refused, since somebody else has saved the document meanwhile. */
export function Conflict<T>(props: {
  name: string
  load: () => Promise<T>
  /** What is saved now, to be read. */
  text: (theirs: T) => string
  onTake: (theirs: T) => void
  /** From now on, saving replaces `theirs`. */
  onKeep: (theirs: T) => void
}) {
  const { name } = props
  const theirs = useLoad(props.load, [name])
  return (
    <Note tone="bad">
      <div class="stack">
        <div>
          <strong>Somebody else has changed {name} since you opened it.</strong> Nothing was saved. What you have entered is
          still here.
        </div>
        <Show from={theirs}>
          {(document) => (
            <>
              <details>
                <summary>What is saved now</summary>
                <pre>{props.text(document)}</pre>
              </details>
              <div class="row">
                <Button onClick={() => props.onTake(document)}>Take what is saved, drop mine</Button>
                <Button onClick={() => props.onKeep(document)}>Keep mine, to save it over theirs</Button>
              </div>
            </>
          )}
        </Show>
      </div>
    </Note>
  )
}
