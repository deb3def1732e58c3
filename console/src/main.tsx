import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'
import './styles/grid.css'
import { render } from 'preact'
import { App } from './app'
import { finishSignIn } from './oidc'
import { applyTheme } from './theme'

applyTheme()
finishSignIn().finally(() => render(<App />, document.getElementById('console')!))
