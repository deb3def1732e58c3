/** Dark or light: as the system says, unless the user chose. The choice is all that outlives the tab. */

const CHOICE = 'sluice.theme'
const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const systemIsDark = matchMedia('(prefers-color-scheme: dark)')

/** What the user chose, `system` by default. */
export function chosenTheme(): Theme {
  const stored = localStorage.getItem(CHOICE)
  return THEMES.find((theme) => theme === stored) ?? 'system'
}

/** Choose the next one of system, light and dark. */
export function nextTheme(): Theme {
  const theme = THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length]!
  localStorage.setItem(CHOICE, theme)
  applyTheme()
  return theme
}

/** Show the page in the chosen theme. */
export function applyTheme(): void {
  const theme = chosenTheme()
  const dark = theme === 'dark' || (theme === 'system' && systemIsDark.matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
}

systemIsDark.addEventListener('change', applyTheme)
