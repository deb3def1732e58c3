/** All fields of the open record; each leads to its own explanation. */
import { setParameters } from '../../router'
import { cellText, shortened } from '../../ui/grid'
import { visible } from '../../ui/visible'

export interface RecordField {
  name: string
  value: unknown
  rule?: string
  from?: string
}

export function RecordTable({ current, fields }: { current: string; fields: RecordField[] }) {
  const explained = fields.some((field) => field.rule)
  return (
    <section class="stack tight">
      <h3>The whole record</h3>
      <div class="table-box">
        <table class="plain record">
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Value</th>
              {explained && (
                <>
                  <th scope="col">Rule</th>
                  <th scope="col">From</th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, value, rule, from }) => (
              <tr key={name} class={name === current ? 'current' : ''}>
                <td>
                  <button
                    type="button"
                    class="link"
                    aria-current={name === current ? 'true' : undefined}
                    onClick={() => setParameters({ column: name, source: null })}
                  >
                    {name}
                  </button>
                </td>
                <td class={value === null ? 'muted' : ''}>{visible(shortened(cellText(value), 120))}</td>
                {explained && (
                  <>
                    <td class="rule">{rule?.replaceAll('_', ' ')}</td>
                    <td>{from}</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
