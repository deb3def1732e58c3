/** Calling an endpoint with chosen parameters, and the same call for other tools. */
import { useState } from 'preact/hooks'
import { jsonOf, send, type Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { apiRoot } from '../../api/session'
import { setParameters, usePlace } from '../../router'
import { Button, Note, Panel, ProblemNote, SelectField, TextField } from '../../ui/parts'
import { Time } from '../../ui/values'
import { Copy } from '../sql/parts'
import { ResultFacts, ResultNotes, RowsGrid } from '../sql/results'

type Endpoint = Schemas['EndpointView']
type Answer = { result: Schemas['EndpointResult']; seconds: number; cached: boolean }

/** What the address holds a value of a parameter by. */
const inAddress = (name: string) => `p.${name}`

export function TryEndpoint({ endpoint }: { endpoint: Endpoint }) {
  const { query } = usePlace()
  const [answer, setAnswer] = useState<Answer | null>(null)
  const names = Object.keys(endpoint.parameters ?? {})
  const given = names.flatMap((name) => {
    const value = query.get(inAddress(name))
    return value === null ? [] : [[name, value] as const]
  })
  const search = new URLSearchParams(given.map(([name, value]) => [name, value])).toString()
  const address = `/v1/endpoints/${endpoint.project}/${endpoint.name}${search && `?${search}`}`
  const call = useAction(async () => {
    const start = performance.now()
    setAnswer(null)
    const response = await send(address)
    const result = await jsonOf<Answer['result']>(response)
    setAnswer({ result, seconds: (performance.now() - start) / 1000, cached: response.headers.get('X-Cache') === 'hit' })
  })
  return (
    <>
      <Panel title="Try it">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            void call.run()
          }}
        >
          {names.length > 0 && (
            <div class="form-row">
              {names.map((name) => (
                <Value key={name} name={name} parameter={endpoint.parameters![name]!} value={query.get(inAddress(name)) ?? ''} wrong={call.error?.at(`?${name}`)} />
              ))}
            </div>
          )}
          <div class="row">
            <Button type="submit" look="primary" busy={call.busy}>
              Call
            </Button>
            <a class="button" href={`${apiRoot}/v1/docs`} target="_blank" rel="noreferrer">
              API reference
            </a>
          </div>
          {!call.error?.problem.errors?.every(({ pointer }) => names.some((name) => pointer === `?${name}`)) && <ProblemNote error={call.error} />}
          {answer && <AnswerView answer={answer} />}
        </form>
      </Panel>
      <Panel title="From other tools">
        <Addresses endpoint={endpoint} given={given} address={apiRoot + address} />
      </Panel>
    </>
  )
}

function Value(props: { name: string; parameter: Schemas['EndpointParameter']; value: string; wrong?: string }) {
  const { name, parameter } = props
  const set = (value: string) => setParameters({ [inAddress(name)]: value }, { replace: true })
  const limits = [parameter.min != null && `from ${parameter.min}`, parameter.max != null && `to ${parameter.max}`].filter(Boolean).join(' ')
  const help = [parameter.description, [parameter.type, limits].filter(Boolean).join(', ')].filter(Boolean).join(' · ')
  const shown = { label: name, value: props.value, wrong: props.wrong, help }
  const values = parameter.type === 'boolean' ? ['true', 'false'] : parameter.values?.map(String)
  const fallback = parameter.default == null ? 'null' : String(parameter.default)
  if (values) return <SelectField {...shown} options={[{ value: '', text: parameter.required ? 'Choose …' : `default: ${fallback}` }, ...values]} onChange={set} />
  return <TextField {...shown} placeholder={fallback} required={parameter.required} onInput={set} />
}

function AnswerView({ answer: { result, seconds, cached } }: { answer: Answer }) {
  const { freshness } = result
  return (
    <>
      <ResultFacts result={result} seconds={seconds}>
        {cached && <span class="muted">from the cache</span>}
        {result.data_as_of && (
          <span class="muted">
            data from <Time at={result.data_as_of} />
          </span>
        )}
      </ResultFacts>
      {freshness?.older_than_promised && (
        <Note tone="warn">
          The data is older than the promised {freshness.max_age_seconds} seconds: it could not be refreshed in time. It was refreshed{' '}
          <Time at={freshness.refreshed_at} />.
        </Note>
      )}
      <ResultNotes result={result} />
      <RowsGrid rows={result} label="Answer" most="22rem" />
    </>
  )
}

function Addresses({ endpoint, given, address }: { endpoint: Endpoint; given: (readonly [string, string])[]; address: string }) {
  const place = `endpoints/${endpoint.project}/${endpoint.name}`
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const query = given.length > 0 ? `, Query = [${given.map(([name, value]) => `${name} = ${quoted(value)}`).join(', ')}]` : ''
  const csv = given.length > 0 ? query.replace('Query = [', 'Query = [format = "csv", ') : ', Query = [format = "csv"]'
  const contents = (query: string) => `Web.Contents("${apiRoot}/v1", [RelativePath = "${place}"${query}])`
  const key = endpoint.public ? '' : '-H "x-api-key: $SLUICE_API_KEY" '
  return (
    <div class="stack">
      <p class="muted">
        {endpoint.public ? 'Everybody can call it without a key.' : 'Programs send a key as x-api-key; Excel and Power BI ask for it: choose Basic, with the key as the user name and no password.'}
      </p>
      <Copy label="Address" text={address} />
      <Copy label="curl" text={`curl -fsSL ${key}'${address}'`} />
      <details>
        <summary>Excel and Power BI</summary>
        <div class="stack">
          <Copy
            label="Excel, as a blank query"
            text={`let\n    Source = Csv.Document(\n        ${contents(csv)},\n        [Delimiter = ",", Encoding = 65001, QuoteStyle = QuoteStyle.Csv]\n    )\nin\n    Table.PromoteHeaders(Source, [PromoteAllScalars = true])`}
          />
          <Copy label="Power BI, as a blank query" text={`let\n    Source = Json.Document(\n        ${contents(query)}\n    )\nin\n    Table.FromRecords(Source[items])`} />
        </div>
      </details>
    </div>
  )
}
