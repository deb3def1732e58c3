import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'
import './styles/grid.css'
import { render } from 'preact'
import { App } from './app'
import { finishSignIn } from './oidc'
import { followHistory } from './router'
import { applyTheme } from './theme'

applyTheme()
finishSignIn().finally(() => {
  followHistory()
  render(<App />, document.getElementById('console')!)
})
