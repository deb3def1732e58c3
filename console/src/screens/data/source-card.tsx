/** A source's value in an explanation: what it is, how it fared, and where it was received. */
import type { Schemas } from '../../api/client'
import { Link, path } from '../../router'
import { cellText } from '../../ui/grid'
import { Badge, Button } from '../../ui/parts'
import { LongText } from './cell-value'
import { Origin } from './origin'

type SourceValue = Schemas['SourceValue']

export function SourceCard(props: {
  value: SourceValue
  won: boolean
  priority?: number
  /** The field by which values compete, with this source's value. */
  decisive?: { name: string; value: string | undefined }
  open: boolean
  onToggle: () => void
}) {
  const { value, won, priority, decisive, open } = props
  return (
    <article class={`source-card ${won ? 'won' : 'lost'}`}>
      <div class="row spread">
        <div class="row">
          <Badge tone={won ? 'good' : 'plain'}>{won ? 'won' : 'lost'}</Badge>
          <Link to={path`/datasources/${value.datasource}`}>{value.datasource}</Link>
          <Link class="muted" to={path`/datasources/${value.datasource}/data`} query={{ version: value.version }}>
            version {value.version}
          </Link>
          {priority !== undefined && <span class="muted">priority {priority}</span>}
        </div>
        <Button look="quiet" aria-expanded={open} onClick={props.onToggle}>
          {open ? 'Hide the page' : 'Show in the page'}
        </Button>
      </div>
      <p class={`source-value ${value.value === null ? 'muted' : ''}`}><LongText text={cellText(value.value)} /></p>
      {decisive?.value !== undefined && (
        <p class="muted">
          {decisive.name} is <strong class="mono">{decisive.value}</strong>
        </p>
      )}
      {open && <Origin citation={value} datasource={value.datasource} version={value.version} />}
    </article>
  )
}
