/** One input: its document, its versions, the projects that use it, and with whom it is shared. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMayOn, type May } from '../../api/me'
import { path, Link, setParameters, useArrival, usePlace } from '../../router'
import type { ScreenProps } from '../registry'
import { Conflict } from '../../ui/conflict'
import { ConfirmButton } from '../../ui/dialog'
import { isGone, NotThere } from '../../ui/gone'
import { Members } from '../../ui/members'
import { Button, Note, Page, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { DocumentEditor, Warnings } from './editor'
import { kindOf, type Document } from './kinds'
import { Pins } from './pins'
import { saveVersion } from './save-version'
import { Versions } from './versions'

const PARTS = [
  ['', 'Document'],
  ['versions', 'Versions'],
  ['projects', 'Projects'],
  ['members', 'Members'],
] as const

export default function Input({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const { query } = usePlace()
  const arrive = useArrival()
  const part = query.get('part') ?? ''
  const may = useMayOn({ input: slug })
  const version = Number(query.get('version')) || undefined
  const remove = async () => {
    await ok(api.DELETE('/v1/inputs/{slug}', { params: { path: { slug } } }))
    toast(`The input ${slug} was deleted; its versions stay.`)
    arrive('/inputs')
  }
  return (
    <Page
      title={slug}
      crumbs={[{ to: '/inputs', text: 'Inputs' }]}
      actions={
        may('input.delete') && (
          <ConfirmButton
            text="Delete"
            look="danger"
            question="It leaves the lists. Its versions stay, and restoring one recovers it."
            work={remove}
          />
        )
      }
    >
      <nav class="tabs" aria-label="Parts of the input">
        {PARTS.map(([value, text]) => (
          <Link key={value} to={path`/inputs/${slug}`} query={{ part: value }} aria-current={part === value ? 'page' : undefined}>
            {text}
          </Link>
        ))}
      </nav>
      {part === '' && <DocumentPart key={`${slug} ${version}`} slug={slug} version={version} may={may} />}
      {part === 'versions' && <Versions slug={slug} mayRestore={may('input.restore')} />}
      {part === 'projects' && <Pins slug={slug} />}
      {part === 'members' && <Members kind="inputs" slug={slug} />}
    </Page>
  )
}

function DocumentPart({ slug, version, may }: { slug: string; version: number | undefined; may: May }) {
  const input = useLoad(() => ok(api.GET('/v1/inputs/{slug}', { params: { path: { slug }, query: { version } } })), [slug, version])
  // What was stored since it was loaded: by this editor, or by somebody else and taken over.
  const [newer, setNewer] = useState<Schemas['InputView'] | null>(null)
  // The state that saving replaces if that is not the one that is shown.
  const [kept, setKept] = useState<string | null>(null)
  // The editor begins again only with what somebody else has stored.
  const [edition, setEdition] = useState(0)
  const save = async (document: Document, comment: string | null) => {
    const saved = await saveVersion(slug, kept ?? (newer ?? input.data!).etag, document, comment)
    setKept(null)
    setNewer(saved)
  }
  if (isGone(input)) {
    return (
      <NotThere
        what={version === undefined ? 'input' : `version ${version} of`}
        id={slug}
        list={{ to: '/inputs', text: 'Inputs' }}
        action={<Link to={path`/inputs/${slug}`} query={{ part: 'versions' }}>See its versions, which a deletion leaves</Link>}
      />
    )
  }
  return (
    <Show from={{ ...input, data: newer ?? input.data }} and={may.answer}>
      {(data) => (
        <>
          <About input={data} />
          {version !== undefined && (
            <Note>
              This is version {version}, which cannot be changed.{' '}
              <Button look="quiet" onClick={() => setParameters({ version: null })}>
                Show the latest
              </Button>
            </Note>
          )}
          <Warnings warnings={data.warnings} />
          <DocumentEditor
            key={edition}
            slug={slug}
            kind={kindOf(data.kind)}
            document={data.document as Document}
            readOnly={version !== undefined || !may('input.update')}
            save={save}
            conflict={(decided) => (
              <Conflict
                name={slug}
                load={() => ok(api.GET('/v1/inputs/{slug}', { params: { path: { slug } } }))}
                text={(theirs) => JSON.stringify(theirs.document, null, 2)}
                onTake={(theirs) => (decided(), setNewer(theirs), setEdition(edition + 1))}
                onKeep={({ etag }) => (decided(), setKept(etag))}
              />
            )}
          />
        </>
      )}
    </Show>
  )
}

function About({ input }: { input: Schemas['InputView'] }) {
  return (
    <p class="muted">
      {kindOf(input.kind).title}, version {input.version}, <Time at={input.updated_at} /> by{' '}
      <Who id={input.updated_by} />
      {input.comment && <>: {input.comment}</>}
    </p>
  )
}
