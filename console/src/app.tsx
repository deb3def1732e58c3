/** The frame of every page: the navigation, the screen of the present place, and who is signed in. */
import type { ComponentChildren, ComponentType } from 'preact'
import { useEffect, useErrorBoundary, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { api, ok, type Schemas } from './api/client'
import { useLoad } from './api/load'
import { Me, useMe } from './api/me'
import { currentSession, onSessionChange, type Session, signOut } from './api/session'
import { Link, match, navigate, usePlace } from './router'
import { SECTIONS, type Screen, type ScreenProps, type Section } from './screens/registry'
import { SignIn } from './sign-in'
import { SignInAgain } from './sign-in-again'
import { chosenTheme, nextTheme } from './theme'
import { Button, Empty, Note, Page, ProblemNote } from './ui/parts'
import { Toasts } from './ui/toasts'
import { AskBeforeLeaving } from './ui/unsaved'
import { unlessUnsaved } from './unsaved'

/** Sign out; the next user begins at the first page, not with what this one has asked for. */
function leave(): void {
  signOut()
  navigate('/', {}, { replace: true })
}

export function App() {
  const [, draw] = useState({})
  useEffect(() => onSessionChange(() => draw({})), [])
  const session = currentSession()
  return (
    <>
      {session ? <SignedIn key={session.number} session={session} /> : <SignIn />}
      <Toasts />
      <AskBeforeLeaving />
    </>
  )
}

function SignedIn({ session }: { session: Session }) {
  const me = useLoad(async () => {
    const owner = await ok(api.GET('/v1/me'))
    session.owner = owner
    return owner
  }, [session.credential])
  const shown = me.data ?? session.owner
  return (
    <>
      <ProblemNote error={me.error} retry={me.reload} />
      {me.error && !shown && <Button onClick={leave}>Sign out</Button>}
      {shown ? (
        <Me.Provider value={shown}>
          <Frame me={shown} />
        </Me.Provider>
      ) : (
        me.loading && <div class="loading" role="status">Loading …</div>
      )}
      {session.refused && session.owner && <SignInAgain owner={session.owner} onLeave={() => unlessUnsaved(leave)} />}
    </>
  )
}

function Frame({ me }: { me: Schemas['Identity'] }) {
  const place = usePlace()
  const [open, setOpen] = useState(false)
  const main = useRef<HTMLElement>(null)
  const sections = SECTIONS.filter((section) => !section.hidden && me.actions.includes(section.action))
  const first = useRef(true)
  // Until the page, whose title it is, is drawn.
  useLayoutEffect(() => {
    document.title = 'Sluice'
  }, [place.path])
  useEffect(() => {
    setOpen(false)
    // After the first page: a screen reader continues at the new one, or at the field that it begins with.
    if (!first.current && !document.activeElement?.matches('[autofocus]')) main.current?.focus()
    first.current = false
    scrollTo(0, 0)
  }, [place.path])
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <header class={`side-bar ${open ? 'open' : ''}`}>
        <div class="top">
          <Link to="/" class="name">
            Sluice
          </Link>
          <button class="button menu-button" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            Menu
          </button>
        </div>
        <nav aria-label="Sections">
          <ul class="plain">
            {sections.map((section) => (
              <li key={section.to}>
                <Link to={section.to} aria-current={isIn(section, place.path) ? 'page' : undefined}>
                  {section.name}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <span class="muted">
            {me.id}, {me.role}
          </span>
          <ThemeButton />
          <Button onClick={() => unlessUnsaved(leave)}>Sign out</Button>
        </div>
      </header>
      <main class="page" ref={main} id="main" tabIndex={-1}>
        <Boundary path={place.path}>
          <CurrentScreen path={place.path} />
        </Boundary>
      </main>
    </div>
  )
}

/** What is drawn if a screen fails: a fault of the console. */
function Boundary({ path, children }: { path: string; children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary((error) => console.error(error))
  useLayoutEffect(reset, [path])
  if (!error) return <>{children}</>
  return (
    <Page title="This page has failed">
      <Note tone="bad">{error instanceof Error ? error.message : String(error)}</Note>
      <div class="row">
        <Button onClick={() => location.reload()}>Load it again</Button>
        <Link to="/">Go to the first page</Link>
      </div>
    </Page>
  )
}

function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme)
  return <Button onClick={() => setTheme(nextTheme())}>Colours: {theme}</Button>
}

/** Whether the present screen is one of a section's, or of a section that the navigation leaves out and that belongs to it. */
function isIn(section: Section, path: string): boolean {
  const present = screenAt(path)?.screen
  return SECTIONS.some((one) => one.to === section.to && one.screens.some((screen) => screen === present))
}

/** The screen of a path; `/runs/compare` is none of `/runs/:id`. */
function screenAt(path: string): { screen: Screen; action: string; parameters: Record<string, string> } | undefined {
  const fits = SECTIONS.flatMap((section) =>
    section.screens.flatMap((screen) => {
      const parameters = match(screen.path, path)
      return parameters ? [{ screen, action: screen.action ?? section.action, parameters }] : []
    }),
  )
  return fits.sort((one, other) => Object.keys(one.parameters).length - Object.keys(other.parameters).length)[0]
}

function CurrentScreen({ path }: { path: string }) {
  const me = useMe()
  const present = screenAt(path)
  if (present && me.actions.includes(present.action)) return <LoadedScreen key={present.screen.path} {...present} />
  if (present) {
    return (
      <Page title="You may not see this page">
        <Empty title={path} action={<Link to="/">Go to the first page</Link>}>
          It needs more rights than {me.id} has. Ask an admin for them.
        </Empty>
      </Page>
    )
  }
  return (
    <Page title="There is no such page">
      <Empty title={path} action={<Link to="/">Go to the first page</Link>} />
    </Page>
  )
}

function LoadedScreen({ screen, parameters }: { screen: Screen; parameters: Record<string, string> }) {
  const [Component, setComponent] = useState<ComponentType<ScreenProps> | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    screen.load().then(
      (module) => setComponent(() => module.default),
      () => setFailed(true),
    )
  }, [screen])
  if (failed) {
    // A newer release of the console replaces the files of this one.
    return <Empty title="This page could not be loaded." action={<Button onClick={() => location.reload()}>Load it again</Button>} />
  }
  if (!Component) return <div class="loading" role="status">Loading …</div>
  // A screen starts anew for another resource.
  return <Component key={Object.values(parameters).join('/')} parameters={parameters} />
}
