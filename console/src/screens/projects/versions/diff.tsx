/** What two versions of a project differ in, record by record. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../../api/client'
import { useList } from '../../../api/list'
import { Link, path } from '../../../router'
import { cellText } from '../../../ui/grid'
import { ShowList, TableHead } from '../../../ui/list'
import { Badge, Empty, Panel, type Tone } from '../../../ui/parts'
import { formatNumber } from '../../../ui/values'

type Change = Schemas['Diff']['items'][number]
const TONES: Record<Change['change'], Tone> = { added: 'good', removed: 'bad', changed: 'warn' }

export function Diff({ slug, from, to }: { slug: string; from: number; to: number }) {
  // By the versions that they are of: the answer to an earlier question may come after that to a later one.
  const pair = `${from} ${to}`
  const [countsOf, setCountsOf] = useState<Record<string, Schemas['ChangeCounts']>>({})
  const counts = countsOf[pair]
  const changes = useList<Change>(
    async (cursor) => {
      const query = { from, to, cursor, limit: 50 }
      const page = await ok(api.GET('/v1/projects/{slug}/diff', { params: { path: { slug }, query } }))
      setCountsOf((known) => ({ ...known, [pair]: page.counts }))
      return page
    },
    [slug, from, to],
  )
  return (
    <Panel
      flush
      title={
        <>
          From version{' '}
          <Link to={path`/projects/${slug}/data`} query={{ version: from }}>
            {from}
          </Link>{' '}
          to{' '}
          <Link to={path`/projects/${slug}/data`} query={{ version: to }}>
            {to}
          </Link>
        </>
      }
      actions={
        counts && (
          <>
            <Badge tone="good">{formatNumber(counts.added)} added</Badge>
            <Badge tone="bad">{formatNumber(counts.removed)} removed</Badge>
            <Badge tone="warn">{formatNumber(counts.changed)} changed</Badge>
          </>
        )
      }
    >
      <ShowList from={changes} empty={<Empty title="The two versions have the same records." />}>
        {(items) => (
          <div class="changes" role="region" aria-label="Changes" tabIndex={0}>
            <table class="plain">
              <TableHead columns={['Record', 'Change', 'Values, old and new']} />
              <tbody>
                {items.map((change) => (
                  <ChangeRow key={nameOf(change)} change={change} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </ShowList>
    </Panel>
  )
}

function nameOf(change: Change): string {
  return 'pointer' in change ? change.pointer || 'the whole document' : change.key.map(cellText).join(', ')
}

function ChangeRow({ change }: { change: Change }) {
  const fields = 'pointer' in change ? { '': change.value } : change.fields
  return (
    <tr>
      <td class={'pointer' in change ? 'mono' : ''}>{nameOf(change)}</td>
      <td>
        <Badge tone={TONES[change.change]}>{change.change}</Badge>
      </td>
      <td>
        <ul class="plain">
          {Object.entries(fields).map(([name, [before, after]]) => (
            <li key={name}>
              {name && <code class="muted">{name} </code>}
              {change.change !== 'added' && <del>{cellText(before)}</del>}
              {change.change === 'changed' && ' → '}
              {change.change !== 'removed' && <ins>{cellText(after)}</ins>}
            </li>
          ))}
        </ul>
      </td>
    </tr>
  )
}
