/** Beside the button of a long form: which of its fields are wrong, as links to them. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../../../api/client'

interface WrongField {
  id: string
  label: string
}

/** @param of the problem whose faults the fields of the form show. */
export function FaultLinks({ of }: { of: ApiError | undefined }) {
  const here = useRef<HTMLSpanElement>(null)
  const [wrong, setWrong] = useState<WrongField[]>([])
  useLayoutEffect(() => {
    const controls = here.current!.closest('form')!.querySelectorAll<HTMLElement>('[aria-invalid="true"]')
    const fields = [...controls].map(({ id }) => ({ id, label: document.querySelector(`label[for="${CSS.escape(id)}"]`)?.textContent ?? '' }))
    setWrong(fields.filter(({ label }) => label !== ''))
  }, [of])
  const open = (id: string) => {
    const control = document.getElementById(id)
    const closed = control?.closest<HTMLDetailsElement>('details:not([open])')
    if (closed) closed.open = true
    control?.focus()
  }
  return (
    <span ref={here} class="row">
      {wrong.length > 0 && <strong>{wrong.length === 1 ? '1 fault:' : `${wrong.length} faults:`}</strong>}
      {wrong.map(({ id, label }) => (
        <button key={id} type="button" class="button quiet" onClick={() => open(id)}>
          {label}
        </button>
      ))}
    </span>
  )
}
