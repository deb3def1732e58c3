/** A report in place, as its latest or another run has rendered it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, ok, send, type Schemas } from '../../api/client'
import { useAction, useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { path, Link, setParameters, useArrival, useParameter } from '../../router'
import { ConfirmButton } from '../../ui/dialog'
import { Gone, isGone } from '../../ui/gone'
import { Button, Empty, Page, Panel, ProblemNote, SelectField, Show } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { formatAge } from '../../ui/values'
import type { ScreenProps } from '../registry'
import { RunNote, useRun } from '../sql/parts'
import { ReportEditor } from './edit'
import { ShareButton } from './share'
import './report.css'

type Report = Schemas['ReportView']
type Run = Schemas['RunView']

export default function ReportScreen({ parameters }: ScreenProps) {
  const [slug, name] = [parameters.slug!, parameters.name!]
  const report = useLoad(() => ok(api.GET('/v1/projects/{slug}/reports/{name}', { params: { path: { slug, name } } })), [slug, name])
  if (isGone(report)) return <Gone what="report" id={name} list={{ to: path`/projects/${slug}/reports`, text: `Reports of ${slug}` }} />
  return (
    <Show from={report}>{(data) => <OneReport report={data} onChange={report.reload} />}</Show>
  )
}

function OneReport({ report, onChange }: { report: Report; onChange: () => void }) {
  const slug = report.project
  const params = { path: { slug, name: report.name } }
  const mayOn = useMayOn({ project: slug })
  const arrive = useArrival()
  const [run] = useParameter('run')
  const [editing, setEditing] = useParameter('edit')
  const runs = useLoad(() => ok(api.GET('/v1/runs', { params: { query: { project: slug, status: 'succeeded', limit: 200 } } })), [slug])
  const page = useLoad(() => pageOf(report, run ?? 'latest'), [report, run])
  const started = useRun(
    () => ok(api.POST('/v1/projects/{slug}/reports/{name}/runs', { params })),
    () => {
      setParameters({ run: null }, { replace: true })
      runs.reload()
      page.reload()
    },
  )
  const remove = async () => {
    await ok(api.DELETE('/v1/projects/{slug}/reports/{name}', { params }))
    toast(`The report ${report.name} is deleted.`)
    arrive(path`/projects/${slug}/reports`)
  }
  const mayUpdate = mayOn('project.update')
  return (
    <Page
      title={report.title}
      crumbs={[
        { to: '/projects', text: 'Projects' },
        { to: path`/projects/${slug}`, text: slug },
        { to: path`/projects/${slug}/reports`, text: 'Reports' },
      ]}
      actions={
        <>
          {mayOn('project.run') && (
            <Button look="primary" busy={started.busy} onClick={started.start}>
              Run
            </Button>
          )}
          {mayUpdate && !editing && <Button onClick={() => setEditing('1')}>Edit</Button>}
          {mayOn('project.link') && <ShareButton slug={slug} target={`reports/${report.name}/latest`} />}
          {mayUpdate && (
            <ConfirmButton look="danger" text="Delete" question={`Delete the report ${report.title}? Links to it stop working.`} work={remove} />
          )}
        </>
      }
    >
      <RunNote started={started} />
      {editing && mayUpdate && <ReportEditor slug={slug} report={report} onClose={() => setEditing(null)} onSaved={onChange} />}
      <div class="row spread report-bar">
        <SelectField
          label="As rendered by"
          value={run ?? ''}
          options={[{ value: '', text: 'the latest run' }, ...runOptions(report, runs.data?.items ?? [], run)]}
          onChange={(value) => setParameters({ run: value })}
        />
        {page.data && <Downloads report={report} run={run ?? 'latest'} page={page.data} />}
      </div>
      {page.error?.problem.type.endsWith('not-published') ? (
        <NotRendered />
      ) : (
        <Show from={page}>{(data) => <ReportFrame title={report.title} html={data.html} />}</Show>
      )}
      {run && (
        <p class="muted">
          <Link to={path`/runs/${run}`}>How this run went</Link>
        </p>
      )}
    </Page>
  )
}

function NotRendered() {
  return (
    <Panel>
      <Empty title="It has not been rendered yet.">A run of the report or a refresh of the project renders it.</Empty>
    </Panel>
  )
}

interface RenderedPage {
  html: string
  fileName: string
}

/** The page of a report. */
async function pageOf(report: Report, run: string): Promise<RenderedPage> {
  const response = await send(`/v1${path`/projects/${report.project}/reports/${report.name}/${run}`}`)
  return { html: await response.text(), fileName: fileNameOf(response) ?? `${report.name}.html` }
}

function fileNameOf(response: Response): string | undefined {
  return /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1]
}

/** The runs that may have rendered the report, newest first, and the chosen one. */
function runOptions(report: Report, runs: Run[], chosen: string | null): { value: string; text: string }[] {
  const rendered = runs.filter(
    (run) => (run.kind === 'refresh' || (run.kind === 'report' && run.part === report.name)) && run.created_at >= report.created_at,
  )
  const options = rendered.map((run) => ({ value: run.id, text: `${run.kind}, ${formatAge(run.created_at)}` }))
  const isListed = chosen === null || options.some(({ value }) => value === chosen)
  return isListed ? options : [...options, { value: chosen, text: chosen }]
}

/** The page, and the rows of its tables and charts, as files. */
function Downloads({ report, run, page }: { report: Report; run: string; page: RenderedPage }) {
  const sections = report.sections.flatMap((section, index) => (section.type === 'markdown' ? [] : [{ section, index }]))
  const load = useAction(async (index: string) => {
    const response = await send(`/v1${path`/projects/${report.project}/reports/${report.name}/${run}`}?format=csv&section=${index}`)
    save(await response.blob(), fileNameOf(response) ?? `${report.name}-${index}.csv`)
  })
  return (
    <div class="row">
      <ProblemNote error={load.error} />
      <Button onClick={() => save(new Blob([page.html], { type: 'text/html' }), page.fileName)}>Download</Button>
      {sections.length > 0 && (
        <select aria-label="Download rows as CSV" value="" disabled={load.busy} onChange={(event) => { void load.run(event.currentTarget.value); event.currentTarget.value = '' }}>
          <option value="">Rows as CSV …</option>
          {sections.map(({ section, index }) => (
            <option key={index} value={index}>
              {section.title ?? `Section ${index + 1}, ${section.type}`}
            </option>
          ))}
        </select>
      )}
    </div>
  )
}

/** Let the browser save a file. */
function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

/**
 * The page in a frame as high as the page is, so that it scrolls with the console.
 *
 * The frame runs no scripts. It shares the console's origin only for the console to read its height: without scripts,
 * the page cannot use that. Its links open in new tabs.
 */
function ReportFrame({ title, html }: { title: string; html: string }) {
  const frame = useRef<HTMLIFrameElement>(null)
  const [height, setHeight] = useState(600)
  const isDark = useDarkTheme()
  const observer = useRef<ResizeObserver>()
  useEffect(() => () => observer.current?.disconnect(), [])
  const measure = () => {
    const page = frame.current?.contentDocument?.documentElement
    if (!page) return
    observer.current?.disconnect()
    observer.current = new ResizeObserver(() => setHeight(page.offsetHeight))
    observer.current.observe(page)
  }
  return (
    <iframe
      ref={frame}
      class="report"
      title={title}
      sandbox="allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox"
      srcdoc={inTheme(html, isDark)}
      style={{ height: `${height}px` }}
      onLoad={measure}
    />
  )
}

/** The page in the console's theme, which may be another one than the system's, with links that open in new tabs. */
function inTheme(html: string, isDark: boolean): string {
  const [head, ...rest] = html.split('</head>')
  const themed = head!.replaceAll('(prefers-color-scheme: dark)', isDark ? '(min-width: 0)' : '(max-width: 0)')
  return [themed.replace('<head>', '<head><base target="_blank">'), ...rest].join('</head>')
}

/** Whether the console is dark now. */
function useDarkTheme(): boolean {
  const root = document.documentElement
  const [theme, setTheme] = useState(root.dataset.theme)
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(root.dataset.theme))
    observer.observe(root, { attributeFilter: ['data-theme'] })
    return () => observer.disconnect()
  }, [])
  return theme === 'dark'
}
