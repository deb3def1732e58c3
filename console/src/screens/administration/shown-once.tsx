/** A secret that the API shows once: its dialog stays open until the text is copied, or until somebody says that it is kept. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Dialog } from '../../ui/dialog'
import { Button, Note } from '../../ui/parts'
import { Copy } from '../sql/parts'

export function ShownOnce(props: { title: string; secret: string; onClose: () => void; children: ComponentChildren }) {
  const [kept, setKept] = useState(false)
  return (
    <Dialog title={props.title} onClose={props.onClose} locked={!kept}>
      <Note tone="warn">It is shown only now. {props.children}</Note>
      <Copy label={props.title} text={props.secret} onCopied={() => setKept(true)} />
      <div class="row">
        <Button onClick={props.onClose}>Done</Button>
      </div>
    </Dialog>
  )
}
