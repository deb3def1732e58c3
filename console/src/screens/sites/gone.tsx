/** What is left of a site, a piece of equipment or a sensor that does not exist: its history, if it was deleted. */
import type { ComponentProps } from 'preact'
import type { Loaded } from '../../api/load'
import { Gone, isGone } from '../../ui/gone'
import { Show } from '../../ui/parts'
import { History } from './history'

/** Like `Show`, with the history of what was deleted. */
export function ShowOrGone<T>(props: { from: Loaded<T>; of: ComponentProps<typeof History>['of']; id: string; children: ComponentProps<typeof Show<T>>['children'] }) {
  const { from, of, id, children } = props
  if (!isGone(from)) return <Show from={from}>{children}</Show>
  return (
    <Gone what={of === 'equipment' ? 'piece of equipment' : of} id={id} list={{ to: '/sites', text: 'Sites' }}>
      <History of={of} id={id} version="" deleted />
    </Gone>
  )
}
