/** The versions of a project: how each came to be, what two of them differ in, and which one readers get. */
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { publishedOf } from '../../api/published'
import { Link, navigate, path, setParameters, useParameter, usePlace } from '../../router'
import { ConfirmButton } from '../../ui/dialog'
import { CardTable, ShowList } from '../../ui/list'
import { Badge, Button, Empty, Note, Panel, State } from '../../ui/parts'
import { TimeField } from '../../ui/time'
import { toast } from '../../ui/toasts'
import { formatNumber, Time } from '../../ui/values'
import type { ScreenProps } from '../registry'
import './projects.css'
import { ProjectPage } from './tabs'
import { Diff } from './versions/diff'
import { Manifest } from './versions/manifest'
import { whatStarted } from './words'

type Version = Schemas['VersionView']

export default function Versions({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const versions = useList(
    (cursor) => ok(api.GET('/v1/projects/{slug}/versions', { params: { path: { slug }, query: { cursor } } })),
    [slug],
  )
  const may = useMayOn({ project: slug })
  const [manifest, setManifest] = useParameter('manifest')
  const any = (versions.items?.length ?? 0) > 0
  const published = usePublished(slug, any)
  const runs = useRunsOf(versions.items ?? [])
  const { query } = usePlace()
  const [from, to] = [numberOf(query.get('from')), numberOf(query.get('to'))]
  return (
    <ProjectPage slug={slug} from={versions} title="Versions" actions={any && <AsOf slug={slug} />}>
      {any && <Compare versions={versions.items!} from={from} to={to} />}
      {from !== null && to !== null && from !== to && (
        <InView key={`${from} ${to}`}>
          <Diff slug={slug} from={from} to={to} />
        </InView>
      )}
      <Panel flush>
        <ShowList
          from={versions}
          empty={
            <Empty title="There is no version yet." action={<Link to={path`/projects/${slug}`}>To the project</Link>}>
              Each refresh whose result differs from the last one publishes a new version.
            </Empty>
          }
        >
          {(items) => (
            <CardTable class="versions">
              <thead>
                <tr>
                  <th scope="col">Version</th>
                  <th scope="col">Made</th>
                  <th scope="col" class="number">Rows</th>
                  <th scope="col">Data</th>
                  <th scope="col">Why</th>
                  <th scope="col" title="A hash of all rows: versions with the same one have the same data">Fingerprint</th>
                  <th scope="col">
                    <span class="hidden-text">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((version, index) => (
                  <VersionRow
                    key={version.number}
                    slug={slug}
                    version={version}
                    earlier={items[index + 1]?.number}
                    run={runs.get(version.run)}
                    published={published.number}
                    mayPromote={may('project.promote')}
                    onPromoted={published.reload}
                  />
                ))}
              </tbody>
            </CardTable>
          )}
        </ShowList>
      </Panel>
      {manifest !== null && <Manifest slug={slug} number={Number(manifest)} onClose={() => setManifest(null)} />}
    </ProjectPage>
  )
}

/** What opens above the row whose button has opened it comes into view. */
function InView({ children }: { children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current!.scrollIntoView({ block: 'nearest' }), [])
  return <div ref={box}>{children}</div>
}

function numberOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null
}

/** The number of the published version, which after a promotion need not be the newest one; null until it is known. */
function usePublished(slug: string, any: boolean): { number: number | null; reload: () => void } {
  const published = useLoad(any ? () => publishedOf(slug) : null, [slug])
  return { number: published.data?.number ?? null, reload: published.reload }
}

/** The runs that made versions, by their ids. */
function useRunsOf(versions: Version[]): Map<string, Schemas['RunView']> {
  // The list of runs takes as many ids as one of its pages has.
  const ids = versions.slice(-50).map(({ run }) => run).join(',')
  const [known, setKnown] = useState(new Map<string, Schemas['RunView']>())
  const runs = useLoad(ids ? () => ok(api.GET('/v1/runs', { params: { query: { id: ids, limit: 50 } } })) : null, [ids])
  useMemo(() => {
    if (runs.data) setKnown((known) => new Map([...known, ...runs.data!.items.map((run) => [run.id, run] as const)]))
  }, [runs.data])
  return known
}

function VersionRow(props: {
  slug: string
  version: Version
  earlier: number | undefined
  run: Schemas['RunView'] | undefined
  published: number | null
  mayPromote: boolean
  onPromoted: () => void
}) {
  const { slug, version, earlier, run } = props
  const { number } = version
  const promote = async () => {
    await ok(api.POST('/v1/projects/{slug}/versions/{number}/promote', { params: { path: { slug, number: String(number) } } }))
    toast(`Version ${number} is published.`)
    props.onPromoted()
  }
  return (
    <tr>
      <td>
        <Link to={path`/projects/${slug}/data`} query={{ version: number }}>
          {number}
        </Link>{' '}
        {number === props.published && <Badge tone="good">published</Badge>}
      </td>
      <td class="one-line">
        <Time at={version.created_at} />
        <div class="muted">
          data of <Time at={version.data_as_of} />
        </div>
      </td>
      <td class="number">
        {formatNumber(version.rows)}
      </td>
      <td>
        <State value={version.completeness} />
        {version.completeness_reasons.map((reason) => (
          <div class="muted" key={reason}>
            {reason}
          </div>
        ))}
      </td>
      <td>
        <Link to={path`/runs/${version.run}`}>{run ? whatStarted(run) : 'its run'}</Link>
        {run?.summary && <div class="muted">{run.summary}</div>}
      </td>
      <td class="mono" title={version.fingerprint}>
        {version.fingerprint.replace('sha256:', '').slice(0, 12)}
      </td>
      <td>
        <div class="row actions">
          {earlier !== undefined && (
            <Button onClick={() => setParameters({ from: earlier, to: number })} aria-label={`Changes of version ${number}`}>
              Changes
            </Button>
          )}
          <Button onClick={() => setParameters({ manifest: number })} aria-label={`Manifest of version ${number}`} title="What it was made of: the versions, rules and code that decide its rows">
            Manifest
          </Button>
          {props.mayPromote && props.published !== null && number !== props.published && (
            <ConfirmButton
              text={`Promote ${number}`}
              question={`All readers get version ${number} instead of ${props.published} at once. The next refresh that has a new result publishes that.`}
              work={promote}
            />
          )}
        </div>
      </td>
    </tr>
  )
}

/** Choose the two versions to compare. */
function Compare(props: { versions: Version[]; from: number | null; to: number | null }) {
  const numbers = props.versions.map(({ number }) => number)
  const choice = (label: string, name: 'from' | 'to', value: number | null, other: number | null) => (
    <label class="row">
      <span class="muted">{label}</span>
      <select value={value ?? ''} onChange={(event) => setParameters({ [name]: event.currentTarget.value })}>
        <option value="">choose …</option>
        {[...new Set([...numbers, ...(value === null ? [] : [value])])].map((number) => (
          <option key={number} value={number} disabled={number === other}>
            {number}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <div class="row" role="group" aria-label="Compare two versions">
      <strong>Compare</strong>
      {choice('version', 'from', props.from, props.to)}
      {choice('with', 'to', props.to, props.from)}
      {(props.from !== null || props.to !== null) && <Button look="quiet" onClick={() => setParameters({ from: null, to: null }, { replace: true })}>Close</Button>}
      {props.versions.length === 1 && <Note tone="info">There is one version so far; the next one can be compared with it.</Note>}
    </div>
  )
}

/** Open the data as it was published at a time. */
function AsOf({ slug }: { slug: string }) {
  const [time, setTime] = useState('')
  return (
    <form
      class="row as-of"
      onSubmit={(event) => {
        event.preventDefault()
        navigate(path`/projects/${slug}/data`, { as_of: time })
      }}
    >
      <TimeField label="Data as of" value={time} onChange={setTime} required />
      <Button type="submit">Open</Button>
    </form>
  )
}
