/** All algorithms: what each computes, and from what. */
import { all, api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { Link, path } from '../../router'
import { Badge, Empty, Page, Panel, Show, Words } from '../../ui/parts'
import './algorithms.css'

export default function Catalogue() {
  const list = useLoad(() => all((cursor) => ok(api.GET('/v1/algorithms', { params: { query: { cursor, limit: 100 } } }))), [])
  return (
    <Page title="Algorithms">
      <p class="muted">An algorithm computes a result from inputs, parameters and a seed. The same request gives the same bytes.</p>
      <Show from={list}>
        {(items) =>
          items.length === 0 ? (
            <Panel>
              <Empty title="There are no algorithms.">This deployment has none.</Empty>
            </Panel>
          ) : (
            <div class="cards">
              {items.map((item) => (
                <Panel key={item.name} title={<Link to={path`/algorithms/${item.name}`}>{item.title}</Link>}>
                  <div class="stack">
                    <p>
                      <Words text={item.description} />
                    </p>
                    <div class="row">
                      <span class="muted">Takes</span>
                      {Object.entries(item.inputs).map(([name, input]) => (
                        <Badge key={name} tone={input.required ? 'busy' : 'plain'} title={input.description}>
                          {name}
                          {!input.required && ' (optional)'}
                        </Badge>
                      ))}
                    </div>
                  </div>
                </Panel>
              ))}
            </div>
          )
        }
      </Show>
    </Page>
  )
}
