import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'
import './styles/grid.css'
import { render } from 'preact'
import { App } from './app'
import { finishSignIn } from './oidc'
import { followHistory } from './router'
import { applyTheme } from './theme'
import { keepFocus } from './ui/focus'

applyTheme()
finishSignIn().finally(() => {
  followHistory()
  keepFocus()
  render(<App />, document.getElementById('console')!)
})
