/** What is left of a site, a piece of equipment or a sensor that does not exist: its history, if it was deleted. */
import type { ComponentProps } from 'preact'
import type { Loaded } from '../../api/load'
import { Page, Show } from '../../ui/parts'
import { History } from './history'

/** Like `Show`, with the history of what was deleted. */
export function ShowOrGone<T>(props: { from: Loaded<T>; of: ComponentProps<typeof History>['of']; id: string; children: ComponentProps<typeof Show<T>>['children'] }) {
  const { from, of, id, children } = props
  if (from.error?.status !== 404) return <Show from={from}>{children}</Show>
  return (
    <Page title={id} crumbs={[{ to: '/sites', text: 'Sites' }]}>
      <Show from={from}>{children}</Show>
      <History of={of} id={id} version="" />
    </Page>
  )
}
