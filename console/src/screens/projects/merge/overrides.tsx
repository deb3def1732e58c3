/** Values that people have set by hand, with who and why. */
import { api, ok, type Schemas } from '../../../api/client'
import { useList } from '../../../api/list'
import { ConfirmButton } from '../../../ui/dialog'
import { cellText } from '../../../ui/grid'
import { CardTable, ShowList } from '../../../ui/list'
import { Empty, Panel } from '../../../ui/parts'
import { toast } from '../../../ui/toasts'
import { Time } from '../../../ui/values'
import { Who } from '../../../ui/who'

type Override = Schemas['OverrideView']

export function Overrides({ slug, mayRemove }: { slug: string; mayRemove: boolean }) {
  const overrides = useList(
    (cursor) => ok(api.GET('/v1/projects/{slug}/overrides', { params: { path: { slug }, query: { cursor } } })),
    [slug],
  )
  return (
    <Panel title="Overrides" flush>
      <ShowList
        from={overrides}
        empty={<Empty title="No value is overridden.">Open a cell of the data to set a value by hand, with the reason.</Empty>}
      >
        {(items) => (
          <CardTable>
            <thead>
              <tr>
                <th scope="col">Record</th>
                <th scope="col">Field</th>
                <th scope="col">Value</th>
                <th scope="col">Why</th>
                <th scope="col">Set</th>
                <th scope="col">
                  <span class="hidden-text">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <Row key={`${one.field} ${one.key.join(' ')}`} slug={slug} override={one} mayRemove={mayRemove} onRemoved={overrides.reload} />
              ))}
            </tbody>
          </CardTable>
        )}
      </ShowList>
    </Panel>
  )
}

function Row(props: { slug: string; override: Override; mayRemove: boolean; onRemoved: () => void }) {
  const { override } = props
  const { field, key } = override
  const remove = async () => {
    const params = { path: { slug: props.slug, field }, query: { key } }
    await ok(api.DELETE('/v1/projects/{slug}/overrides/{field}', { params }))
    toast(`The override of ${field} is removed.`)
    props.onRemoved()
  }
  return (
    <tr>
      <td>{key.join(', ')}</td>
      <td class="mono">{field}</td>
      <td class="mono">{override.exact ?? cellText(override.value)}</td>
      <td>{override.reason}</td>
      <td>
        <Time at={override.created_at} />
        <div class="muted">
          <Who id={override.created_by} />
        </div>
      </td>
      <td>
        {props.mayRemove && (
          <ConfirmButton
            text="Remove"
            look="danger"
            question={`From the next refresh on, the rules choose ${field} of ${key.join(', ')} again.`}
            work={remove}
          />
        )}
      </td>
    </tr>
  )
}
