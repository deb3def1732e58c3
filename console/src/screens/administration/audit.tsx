/** The audit: who did what, when, from where and on which version. */
import { useEffect, useState } from 'preact/hooks'
import { api, ok, send, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useAction } from '../../api/load'
import { setParameters, usePlace } from '../../router'
import { saveAs } from '../../ui/download'
import { shortened } from '../../ui/grid'
import { Button, Empty, Field, ProblemNote, State } from '../../ui/parts'
import { localTime, TIME_ZONE, TimeField } from '../../ui/time'
import { Who } from '../../ui/who'
import { AdministrationPage } from './page'

type Entry = Schemas['AuditEntryView']
const FILTERS = ['principal', 'resource', 'action', 'since', 'until'] as const
type Filter = (typeof FILTERS)[number]
const LABELS = { principal: 'Who', resource: 'Resource', action: 'Action', since: 'Since', until: 'Until before' }
const EXAMPLES: Partial<Record<Filter, string>> = {
  principal: 'key:3f9c2k7d1m5x',
  resource: 'projects/top-coins',
  action: 'project.update',
}

export default function Audit() {
  const place = usePlace()
  const filter = Object.fromEntries(
    FILTERS.map((name) => [name, place.query.get(name)]).filter(([, value]) => value),
  ) as Partial<Record<Filter, string>>
  const entries = useList(
    (cursor) => ok(api.GET('/v1/audit', { params: { query: { ...filter, cursor, limit: 50 } } })),
    [JSON.stringify(filter)],
  )
  const save = useAction(async (format: string) => {
    const query = new URLSearchParams({ ...filter, format })
    await saveAs(await send(`/v1/audit?${query}`), `audit.${format}`)
  })
  return (
    <AdministrationPage
      title="Audit"
      actions={
        <>
          <Button busy={save.busy} onClick={() => save.run('csv')}>
            Download CSV
          </Button>
          <Button busy={save.busy} onClick={() => save.run('jsonl')}>
            Download JSON lines
          </Button>
        </>
      }
      filter={
        <>
          <ProblemNote error={save.error} />
          <div class="columns">
            {FILTERS.map((name) => {
              const shown = { value: filter[name] ?? '', wrong: entries.error?.at(`?${name}`) }
              if (name !== 'since' && name !== 'until') return <FilterField key={name} name={name} {...shown} />
              return <FilterTime key={name} name={name} {...shown} />
            })}
          </div>
        </>
      }
      list={entries}
      empty={<Empty title="Nothing fits the filter.">Each request that can change something is recorded.</Empty>}
      columns={[`When (${TIME_ZONE})`, 'Who', 'What', 'Outcome', 'Version', 'From']}
      row={(entry) => <AuditRow key={entry.id} entry={entry} />}
    />
  )
}

/** Counts when it is left, or at Enter: half a name finds nothing. */
function FilterField({ name, value, wrong }: { name: Filter; value: string; wrong: string | undefined }) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  const apply = () => {
    if (text !== value) setParameters({ [name]: text.trim() })
  }
  return (
    <Field label={LABELS[name]} wrong={wrong}>
      {(attributes) => (
        <input
          {...attributes}
          value={text}
          placeholder={EXAMPLES[name]}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
          onBlur={apply}
          onKeyDown={(event) => event.key === 'Enter' && apply()}
        />
      )}
    </Field>
  )
}

function FilterTime({ name, value, wrong }: { name: Filter; value: string; wrong: string | undefined }) {
  const [time, setTime] = useState(value)
  useEffect(() => setTime(value), [value])
  return (
    <div onFocusOut={() => time !== value && setParameters({ [name]: time })}>
      <TimeField label={LABELS[name]} value={time} onChange={setTime} wrong={wrong} />
    </div>
  )
}

function AuditRow({ entry }: { entry: Entry }) {
  return (
    <tr>
      <td class="mono">{localTime(Date.parse(entry.time) / 1000)}</td>
      <td>
        {entry.principal ? <Who id={entry.principal} /> : <span class="muted">not known</span>}
        <div class="muted">
          {entry.role}
          {entry.view_as && ` as ${entry.view_as}`}
        </div>
      </td>
      <td>
        {entry.operation.replaceAll('_', ' ')}
        <div class="mono">{entry.action}</div>
        <div class="muted mono">
          {entry.method} {entry.path}
        </div>
        {entry.fields.length > 0 && <div class="muted">changed: {entry.fields.join(', ')}</div>}
      </td>
      <td>
        <State value={entry.outcome} title={entry.error ?? undefined} />
        {entry.error && <div class="muted">{entry.error}</div>}
      </td>
      <td class="mono">
        {entry.version_before && `${entry.version_before} → `}
        {entry.version}
        {entry.created && <div class="muted">{entry.created}</div>}
      </td>
      <td>
        {entry.source_ip}
        <div class="muted">{shortened(entry.user_agent, 40)}</div>
      </td>
    </tr>
  )
}
