import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'
import './styles/grid.css'
import { render } from 'preact'
import { keepsDigits } from './api/json'
import { App } from './app'
import { finishSignIn } from './oidc'
import { followHistory } from './router'
import { applyTheme } from './theme'
import { showHiddenCharacters } from './ui/drawn'
import { keepFocus } from './ui/focus'
import { Note } from './ui/parts'

const root = document.getElementById('console')!
showHiddenCharacters()
applyTheme()
if (keepsDigits) {
  finishSignIn().finally(() => {
    followHistory()
    keepFocus()
    render(<App />, root)
  })
} else {
  render(<Note tone="bad">This browser would round long numbers. Use Chromium 114, Firefox 135, Safari 18.4 or a newer one.</Note>, root)
}
