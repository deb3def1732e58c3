/** Webhooks: who is told of which events, and how each delivery went. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { useList } from '../../api/list'
import { useAction } from '../../api/load'
import { useParameter } from '../../router'
import { ConfirmButton, Dialog, FormDialog } from '../../ui/dialog'
import { ACTIONS, ListTable, numeric } from '../../ui/list'
import { Button, Empty, ProblemNote, SelectField, State, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import { Time } from '../../ui/values'
import { Who } from '../../ui/who'
import { AdministrationPage } from './page'
import { ShownOnce } from './shown-once'

type Subscription = Schemas['SubscriptionView']
type Event = Subscription['event']

const EVENTS: { value: Event; text: string }[] = [
  { value: 'version.published', text: 'version.published: new data is published' },
  { value: 'run.failed', text: 'run.failed: a run has failed' },
  { value: 'alarm.raised', text: 'alarm.raised: a sensor is beyond its limits' },
]
const SCOPES = ['project', 'datasource', 'site', 'equipment', 'sensor'] as const
const SCOPES_OF_ALARMS: readonly string[] = ['site', 'equipment', 'sensor']

export default function Webhooks() {
  const subscriptions = useList((cursor) => ok(api.GET('/v1/subscriptions', { params: { query: { cursor } } })), [])
  const [creating, setCreating] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const [shown, setShown] = useParameter('deliveries')
  const show = (value: string | undefined) => {
    if (value) setSecret(value)
    // The first answer was lost, and the API never shows a secret again.
    else toast('It is done, but the answer with the secret was lost. Press “New secret” to get another one.')
  }
  return (
    <AdministrationPage
      title="Webhooks"
      actions={
        <Button look="primary" onClick={() => setCreating(true)}>
          Add a webhook
        </Button>
      }
      list={subscriptions}
      empty={
        <Empty title="There are no webhooks." action={<Button onClick={() => setCreating(true)}>Add the first webhook</Button>}>
          A webhook is an address that is sent each event, signed, until it answers.
        </Empty>
      }
      columns={['Event', 'Address', 'Only of', 'Created', ACTIONS]}
      row={(item) => (
        <SubscriptionRow
          key={item.id}
          item={item}
          onShow={() => setShown(item.id)}
          onSecret={show}
          onChange={subscriptions.reload}
        />
      )}
    >
      {creating && (
        <CreateSubscription
          onClose={() => setCreating(false)}
          onCreated={(value) => {
            setCreating(false)
            show(value)
            subscriptions.reload()
          }}
        />
      )}
      {secret && (
        <ShownOnce title="The signing secret" secret={secret} onClose={() => setSecret(null)}>
          The receiver checks each request’s signature with it.
        </ShownOnce>
      )}
      {shown && <Deliveries subscription={shown} onClose={() => setShown(null)} />}
    </AdministrationPage>
  )
}

function SubscriptionRow(props: {
  item: Subscription
  onShow: () => void
  onSecret: (secret: string | undefined) => void
  onChange: () => void
}) {
  const { item } = props
  const path = { subscription_id: item.id }
  const remove = async () => {
    const params = { path, header: { 'If-Match': `"${item.etag}"` } }
    await ok(api.DELETE('/v1/subscriptions/{subscription_id}', { params }))
    toast('The webhook is removed.')
    props.onChange()
  }
  const rotate = async () => {
    const answer = await ok(api.POST('/v1/subscriptions/{subscription_id}/rotate', { params: { path } }))
    props.onSecret(answer.secret)
  }
  return (
    <tr>
      <td class="mono">{item.event}</td>
      <td class="mono">{item.webhook}</td>
      <td>
        {SCOPES.filter((scope) => item[scope]).map((scope) => (
          <div key={scope}>
            {scope} {item[scope]}
          </div>
        ))}
      </td>
      <td>
        <Time at={item.created_at} />
        <div class="muted">
          <Who id={item.created_by} />
        </div>
      </td>
      <td>
        <div class="row">
          <Button onClick={props.onShow}>Deliveries</Button>
          <ConfirmButton
            text="New secret"
            question="Requests are signed with the new secret from now on; give it to the receiver at once."
            work={rotate}
          />
          <ConfirmButton text="Remove" look="danger" question={`${item.webhook} is sent no more events.`} work={remove} />
        </div>
      </td>
    </tr>
  )
}

function CreateSubscription(props: { onClose: () => void; onCreated: (secret: string | undefined) => void }) {
  const [event, setEvent] = useState<Event>('version.published')
  const [webhook, setWebhook] = useState('')
  const [scope, setScope] = useState<Record<string, string>>({})
  const scopes = SCOPES.filter((name) => SCOPES_OF_ALARMS.includes(name) === (event === 'alarm.raised'))
  const create = useAction(async () => {
    const only = (name: (typeof SCOPES)[number]) => (scopes.includes(name) && scope[name]) || null
    const body = {
      event,
      webhook,
      project: only('project'),
      datasource: only('datasource'),
      site: only('site'),
      equipment: only('equipment'),
      sensor: only('sensor'),
    }
    const answer = await ok(api.POST('/v1/subscriptions', { body }))
    props.onCreated(answer.secret)
  })
  return (
    <FormDialog title="Add a webhook" submit="Add" action={create} onClose={props.onClose}>
      <SelectField label="Event" value={event} options={EVENTS} onChange={(value) => setEvent(value as Event)} />
      <TextField
        label="Address"
        type="url"
        value={webhook}
        onInput={setWebhook}
        required
        placeholder="https://…"
        wrong={create.error?.at('/webhook')}
      />
      {scopes.map((name) => (
        <TextField
          key={name}
          label={`Only of this ${name}`}
          value={scope[name] ?? ''}
          onInput={(value) => setScope({ ...scope, [name]: value })}
          wrong={create.error?.at(`/${name}`)}
        />
      ))}
    </FormDialog>
  )
}

function Deliveries({ subscription, onClose }: { subscription: string; onClose: () => void }) {
  const path = { subscription_id: subscription }
  const deliveries = useList(
    (cursor) => ok(api.GET('/v1/subscriptions/{subscription_id}/deliveries', { params: { path, query: { cursor } } })),
    [subscription],
  )
  const again = useAction(async (delivery_id: string) => {
    const params = { path: { ...path, delivery_id } }
    await ok(api.POST('/v1/subscriptions/{subscription_id}/deliveries/{delivery_id}/redeliver', { params }))
    toast('The event is sent again.')
    deliveries.reload()
  })
  return (
    <Dialog side title="Deliveries" onClose={onClose}>
      <ProblemNote error={again.error} />
      <ListTable
        from={deliveries}
        empty={<Empty title="No event has been sent yet.">The next event of this kind is; each attempt and its answer are listed here.</Empty>}
        columns={['Event', 'State', numeric('Attempts'), 'Answer', ACTIONS]}
      >
        {(item) => (
          <tr key={item.id}>
            <td>
              <Time at={item.created_at} />
            </td>
            <td>
              <State value={item.status} />
            </td>
            <td class="number">{item.attempts}</td>
            <td>
              {item.response_status ?? ''} {item.error}
            </td>
            <td>
              <Button busy={again.busy} onClick={() => again.run(item.id)}>
                Send again
              </Button>
            </td>
          </tr>
        )}
      </ListTable>
    </Dialog>
  )
}
