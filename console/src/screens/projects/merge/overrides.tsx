/** Values that people have set by hand, with who and why. */
import { api, ok, type Schemas } from '../../../api/client'
import { useList } from '../../../api/list'
import { found, onlyAs } from '../../../api/overtaken'
import { cellText } from '../../../ui/grid'
import { CardTable, ShowList } from '../../../ui/list'
import { Empty, Panel } from '../../../ui/parts'
import { RemoveButton } from '../../../ui/remove'
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
                <Row key={`${one.field} ${one.key.join(' ')}`} slug={slug} override={one} mayRemove={mayRemove} onChanged={overrides.reload} />
              ))}
            </tbody>
          </CardTable>
        )}
      </ShowList>
    </Panel>
  )
}

function Row(props: { slug: string; override: Override; mayRemove: boolean; onChanged: () => void }) {
  const { override } = props
  const { field, key } = override
  const params = { path: { slug: props.slug, field }, query: { key } }
  return (
    <tr>
      <td>{key.join(', ')}</td>
      <td class="mono">{field}</td>
      <td class="mono">{valueText(override)}</td>
      <td>{override.reason}</td>
      <td>
        <Time at={override.created_at} />
        <div class="muted">
          <Who id={override.created_by} />
        </div>
      </td>
      <td>
        {props.mayRemove && (
          <RemoveButton
            text="Remove"
            question={`From the next refresh on, the rules choose ${field} of ${key.join(', ')} again.`}
            seen={override}
            load={() => found(ok(api.GET('/v1/projects/{slug}/overrides/{field}', { params })))}
            describe={overrideText}
            remove={(etag) => ok(api.DELETE('/v1/projects/{slug}/overrides/{field}', { params, headers: onlyAs({ etag }) }))}
            onRemoved={() => {
              toast(`The override of ${field} is removed.`)
              props.onChanged()
            }}
            onKept={props.onChanged}
          />
        )}
      </td>
    </tr>
  )
}

/** The value that is set, with all its digits. */
export function valueText(override: Pick<Override, 'exact' | 'value'>): string {
  return override.exact ?? cellText(override.value)
}

/** An override in words, for who has seen an earlier one. */
export function overrideText(override: Override): string {
  return `Value: ${valueText(override)}\nReason: ${override.reason}`
}
