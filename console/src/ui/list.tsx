/** What a list of pages shows: its rows, why it cannot be loaded, that it is empty, and a way to its next page. */
import type { ComponentChildren } from 'preact'
import type { List } from '../api/list'
import { Button, ProblemNote } from './parts'

export function ShowList<T>(props: { from: List<T>; empty: ComponentChildren; children: (items: T[]) => ComponentChildren }) {
  const { items, error, loading, more, reload } = props.from
  return (
    <>
      <ProblemNote error={error} retry={reload} />
      {items && (items.length > 0 ? props.children(items) : !error && props.empty)}
      {!items && loading && <div class="loading" role="status">Loading …</div>}
      {items && (more || (loading && items.length > 0)) && (
        <div class="row more">
          <Button onClick={() => more?.()} busy={loading}>
            Show more
          </Button>
        </div>
      )}
    </>
  )
}
