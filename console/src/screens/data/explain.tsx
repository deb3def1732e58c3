/** Why a merged cell has its value: the winner, the losers, the rule, and the pages as they were received. */
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { Dialog } from '../../ui/dialog'
import { cellText } from '../../ui/grid'
import { Badge, Note, Show } from '../../ui/parts'
import { Time } from '../../ui/values'
import { useParameter } from '../../router'
import { BigValue } from './cell-value'
import { FilterBy } from './filter-by'
import { Overrides, PresentOverride } from './overrides'
import { RecordTable } from './record-table'
import { fieldRule, whyValue } from './rules'
import { SourceCard } from './source-card'
import type { OpenCell } from './table-view'

type Record_ = Schemas['RecordExplanation']
type Field = Record_['fields'][string]
type Version = Schemas['VersionDetail']

export function Explain(props: OpenCell & { slug: string }) {
  const { slug, table, column, keyValues } = props
  const version = table.version!
  const key = keyValues ?? []
  const answer = useLoad(
    () =>
      ok(api.GET('/v1/projects/{slug}/explain', { params: { path: { slug }, query: { key, version: version.number } } })) as Promise<Record_>,
    [slug, version.number, JSON.stringify(key)],
  )
  return (
    <Dialog side title={<Title column={column} keyValues={key} />} onClose={props.onClose}>
      <Show from={answer}>
        {(record) => (
          <>
            <Tombstones erased={record.erased ?? []} />
            {record.fields[column] ? (
              <Explanation slug={slug} version={version} record={record} column={column} keyValues={key} onRefreshed={table.reload} />
            ) : (
              Object.keys(record.fields).length > 0 && <Note tone="warn">The record has no column {column}.</Note>
            )}
          </>
        )}
      </Show>
    </Dialog>
  )
}

function Title({ column, keyValues }: { column: string; keyValues: string[] }) {
  return (
    <>
      <span class="muted">Why </span>
      <code>{column}</code>
      <span class="muted"> of </span>
      {keyValues.join(', ')}
    </>
  )
}

type ExplanationProps = { slug: string; version: Version; record: Record_; column: string; keyValues: string[]; onRefreshed: () => void }

function Explanation({ slug, version, record, column, keyValues, onRefreshed }: ExplanationProps) {
  const field = record.fields[column]!
  const rule = fieldRule(version, column)
  const type = version.schema.find((one) => one.name === column)?.type
  return (
    <>
      <section class="explain-top">
        <BigValue value={field.value} type={type} />
        <FilterBy column={column} value={field.value} />
        <p>
          <Badge tone={field.rule === 'override' ? 'warn' : 'busy'}>{field.rule.replaceAll('_', ' ')}</Badge> {whyValue(field, rule)}
        </p>
        {field.override && <PresentOverride override={field.override} />}
        {field.expression && (
          <p class="muted">
            Expression: <code>{field.expression}</code>
          </p>
        )}
      </section>
      <Sources version={version} record={record} field={field} column={column} />
      <Overrides
        slug={slug}
        version={version}
        field={field}
        column={column}
        keyValues={keyValues}
        type={type}
        onRefreshed={onRefreshed}
      />
      <RecordTable
        current={column}
        fields={Object.entries(record.fields).map(([name, one]) => ({
          name,
          value: one.value,
          rule: one.rule,
          from: one.winners.map((winner) => winner.datasource).join(', '),
        }))}
      />
    </>
  )
}

/** The values of the sources, the winners first; one of them is shown in its page. */
function Sources({ version, record, field, column }: { version: Version; record: Record_; field: Field; column: string }) {
  const [chosen, choose] = useParameter('source')
  const { by } = fieldRule(version, column)
  const entries = [
    ...field.winners.map((value) => ({ value, won: true })),
    ...field.losers.map((value) => ({ value, won: false })),
  ]
  const open = chosen === null ? 0 : Number(chosen)
  const card = ({ value, won }: (typeof entries)[number], index: number) => (
    <SourceCard
      key={`${index} ${value.datasource}`}
      value={value}
      won={won}
      priority={inputOf(version, value.datasource)?.priority}
      decisive={by && by !== column ? { name: by, value: valueOf(record, by, value.datasource) } : undefined}
      open={index === open}
      onToggle={() => choose(index === open ? 'none' : String(index))}
    />
  )
  if (entries.length === 0) return <p class="muted">No source has a value for this field.</p>
  return (
    <>
      {field.winners.length > 0 && (
        <section class="stack tight">
          <h3>{field.winners.length === 1 ? 'It comes from' : `It comes from ${field.winners.length} sources`}</h3>
          {entries.slice(0, field.winners.length).map(card)}
        </section>
      )}
      {field.losers.length > 0 && (
        <section class="stack tight">
          <h3>{field.losers.length === 1 ? 'This value lost' : `These ${field.losers.length} values lost`}</h3>
          {entries.slice(field.winners.length).map((entry, index) => card(entry, index + field.winners.length))}
        </section>
      )}
    </>
  )
}

function inputOf(version: Version, datasource: string) {
  return version.inputs.find((input) => input.datasource === datasource)
}

/** What a source says in another field of the record, such as the time by which values compete. */
function valueOf(record: Record_, name: string, datasource: string): string | undefined {
  const field = record.fields[name]
  const value = field && [...field.winners, ...field.losers].find((one) => one.datasource === datasource)
  return value && cellText(value.value)
}

/** Records of this key that somebody has erased. */
export function Tombstones({ erased }: { erased: Schemas['Tombstone'][] }) {
  return (
    <>
      {erased.map((tombstone) => (
        <Note tone="warn" key={tombstone.run}>
          <strong>A record of this key was erased.</strong> {tombstone.erased_by} erased it from {tombstone.datasource}{' '}
          <Time at={tombstone.erased_at} />: {tombstone.reason}
        </Note>
      ))}
    </>
  )
}
