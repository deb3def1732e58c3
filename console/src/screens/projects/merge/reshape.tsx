/** Changes of columns and rows: of each datasource before the merge, and of the merged rows after it. */
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { api, ok, type ApiError } from '../../../api/client'
import { useLoad } from '../../../api/load'
import { Field, Panel, ProblemNote } from '../../../ui/parts'
import { messageAt, pointerPart, type Merge, type Reshape } from './document'
import { Entries } from './entries'
import { CommitText } from './parts'
import { COLUMNS } from './rules'

const TYPES = ['string', 'bigint', 'double', 'decimal(18,2)', 'boolean', 'date', 'timestamp', 'json']

interface FormProps {
  merge: Merge
  onChange: (merge: Merge) => void
  error: ApiError | undefined
}

/** @param datasources those assigned, and any that the merge names besides. */
export function SourcesPanel({ merge, onChange, error, datasources }: FormProps & { datasources: string[] }) {
  const sources = merge.sources ?? {}
  const names = [...new Set([...datasources, ...Object.keys(sources)])]
  const set = (slug: string, value: Reshape) => {
    const { [slug]: _, ...others } = sources
    const all = isEmpty(value) ? others : { ...sources, [slug]: value }
    onChange({ ...merge, sources: Object.keys(all).length > 0 ? all : undefined })
  }
  return (
    <Panel title="Before the merge">
      <div class="stack">
        <p class="muted">What a datasource calls or writes otherwise is made alike here. What is stored of it stays as it was received.</p>
        {names.map((slug) => (
          <OfSource
            key={slug}
            slug={slug}
            value={sources[slug] ?? {}}
            onChange={(value) => set(slug, value)}
            error={error}
          />
        ))}
        {names.length === 0 && <p class="muted">Assign datasources first.</p>}
      </div>
    </Panel>
  )
}

function OfSource(props: { slug: string; value: Reshape; onChange: (value: Reshape) => void; error: ApiError | undefined }) {
  const { slug, value, error } = props
  const columns = useId()
  const pointer = `/merge/sources/${pointerPart(slug)}`
  const [open, setOpen] = useState(!isEmpty(value))
  const version = useLoad(
    open ? () => ok(api.GET('/v1/datasources/{slug}/versions', { params: { path: { slug }, query: { limit: 1 } } })) : null,
    [slug],
  )
  const known = version.data?.items[0]?.schema ?? []
  return (
    <Changes
      name={slug}
      value={value}
      open={open}
      onToggle={setOpen}
      wrong={error?.at(pointer)}
      about={known.length > 0 && <>It has {known.map(({ name, type }) => `${name} (${type})`).join(', ')}.</>}
    >
      <datalist id={columns}>
        {known.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <ProblemNote error={version.error} retry={version.reload} />
      <ReshapeFields of={slug} value={value} onChange={props.onChange} error={error} pointer={pointer} columns={columns} />
    </Changes>
  )
}

export function ResultPanel({ merge, onChange, error }: FormProps) {
  const value = merge.result ?? {}
  const [open, setOpen] = useState(!isEmpty(value))
  const set = (result: Reshape) => onChange({ ...merge, result: isEmpty(result) ? undefined : result })
  return (
    <Panel title="After the merge">
      <Changes name="the merged rows" value={value} open={open} onToggle={setOpen} wrong={error?.at('/merge/result')}>
        <ReshapeFields of="the result" value={value} onChange={set} error={error} pointer="/merge/result" columns={COLUMNS} />
      </Changes>
    </Panel>
  )
}

function Changes(props: {
  name: string
  value: Reshape
  open: boolean
  onToggle: (open: boolean) => void
  wrong: string | undefined
  about?: ComponentChildren
  children: ComponentChildren
}) {
  return (
    <details class="reshape" open={props.open} onToggle={(event) => props.onToggle(event.currentTarget.open)}>
      <summary>
        <strong>{props.name}</strong> <span class="muted">{inWords(props.value)}</span>
      </summary>
      {props.open && (
        <div class="stack">
          {props.about && <p class="muted">{props.about}</p>}
          {props.wrong && <div class="failed">{props.wrong}</div>}
          {props.children}
        </div>
      )}
    </details>
  )
}

/** The parts in the order in which they are applied. */
const PARTS = [
  { part: 'rename', title: 'Rename', entry: 'Column to rename', hint: 'column', value: 'New name' },
  { part: 'cast', title: 'Types', entry: 'Column with another type', hint: 'column', value: 'Type' },
  { part: 'compute', title: 'Compute', entry: 'New column', hint: 'new column', value: 'SQL expression' },
] as const

function ReshapeFields(props: {
  /** What is changed, for the labels. */
  of: string
  value: Reshape
  onChange: (value: Reshape) => void
  error: ApiError | undefined
  pointer: string
  /** The id of a list of columns. */
  columns: string
}) {
  const { of, value, onChange, error, pointer } = props
  const types = useId()
  return (
    <>
      <datalist id={types}>
        {TYPES.map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
      {PARTS.map(({ part, title, ...labels }) => (
        <Entries
          key={part}
          title={title}
          labels={labels}
          of={of}
          entries={value[part] ?? {}}
          onChange={(entries) => onChange({ ...value, [part]: Object.keys(entries).length > 0 ? entries : undefined })}
          wrong={error?.at(`${pointer}/${part}`)}
          wrongAt={(name) => messageAt(error, `${pointer}/${part}/${pointerPart(name)}`)}
          names={part === 'compute' ? undefined : props.columns}
          values={part === 'cast' ? types : undefined}
          long={part === 'compute'}
        />
      ))}
      <Where of={of} value={value.where ?? ''} onChange={(where) => onChange({ ...value, where })} wrong={messageAt(error, `${pointer}/where`)} />
    </>
  )
}

function Where(props: { of: string; value: string; onChange: (value: string | undefined) => void; wrong: string | undefined }) {
  return (
    <Field
      label={`Only rows of ${props.of} where`}
      wrong={props.wrong}
      help="An SQL condition over the columns of one row, by their new names; it sees the computed ones, too."
    >
      {(attributes) => (
        <CommitText
          {...attributes}
          class="mono"
          placeholder="price > 0"
          value={props.value}
          onCommit={(text) => props.onChange(text.trim() || undefined)}
        />
      )}
    </Field>
  )
}

function isEmpty({ rename, cast, compute, where }: Reshape): boolean {
  return !where && [rename, cast, compute].every((entries) => Object.keys(entries ?? {}).length === 0)
}

function inWords({ rename, cast, compute, where }: Reshape): string {
  const counts: [Record<string, string> | undefined, string][] = [
    [rename, 'renamed'],
    [cast, 'of another type'],
    [compute, 'computed'],
  ]
  const parts = counts.flatMap(([entries, text]) => (entries ? [`${Object.keys(entries).length} ${text}`] : []))
  if (where) parts.push('some rows left out')
  return parts.length > 0 ? parts.join(', ') : 'as it is'
}
