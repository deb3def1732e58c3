/** Everything that is wrong with a document: its cell in the workbook, its place in the tables, and why. */
import { Button, Panel } from '../../ui/parts'
import type { Fault } from './faults'
import type { Kind } from './kinds'

export function FaultTable(props: { kind: Kind; faults: Fault[]; source: string | null; onGo: (fault: Fault) => void }) {
  const { faults } = props
  const ofWorkbook = faults.some((fault) => fault.sheet)
  const count = faults.length === 1 ? '1 error' : `${faults.length} errors`
  const changed = faults.filter((fault) => fault.changed).length
  const title = props.source && ofWorkbook ? `${count} in ${props.source}` : count
  return (
    <div role="alert">
      <Panel title={changed ? `${title}, ${changed} changed` : title} flush>
        <p class="fault-hint muted">
          {changed < faults.length ? (
            <>Nothing was stored. Correct the cells below{ofWorkbook && ', or the workbook, and drop it again'}.</>
          ) : (
            'All of them were changed. Save the document to have it checked.'
          )}
        </p>
        <table class="plain faults">
          <thead>
            <tr>
              <th scope="col">{ofWorkbook ? 'Cell' : 'Place'}</th>
              {ofWorkbook && <th scope="col">Sheet</th>}
              {ofWorkbook && <th scope="col" class="number">Row</th>}
              <th scope="col">Column</th>
              <th scope="col" class="number">Code</th>
              <th scope="col">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {faults.map((fault) => (
              <tr key={fault.pointer + fault.message} class={fault.changed ? 'changed' : ''}>
                <td>
                  {fault.at ? (
                    <Button look="quiet" onClick={() => props.onGo(fault)} title="Show the cell">
                      {fault.cell ?? `${titleOf(props.kind, fault)}, row ${fault.at.row + 1}`}
                    </Button>
                  ) : (
                    (fault.cell ?? <code>{fault.pointer || '/'}</code>)
                  )}
                </td>
                {ofWorkbook && <td>{fault.sheet}</td>}
                {ofWorkbook && <td class="number">{fault.sheetRow ?? '–'}</td>}
                <td>{fault.header ?? fault.at?.column ?? '–'}</td>
                <td class="number">{fault.code ?? '–'}</td>
                <td>{fault.changed ? <><span aria-hidden="true">✓</span> changed</> : fault.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </div>
  )
}

function titleOf(kind: Kind, fault: Fault): string {
  return kind.tables.find((table) => table.name === fault.at!.table)!.title
}
