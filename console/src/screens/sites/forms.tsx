/** Forms for sites, equipment and sensors: create, change, delete. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { api, ok, type ApiError, type Schemas } from '../../api/client'
import { numberOf } from '../../api/json'
import { useAction } from '../../api/load'
import { path, useArrival } from '../../router'
import { FormDialog } from '../../ui/dialog'
import { Field, SelectField, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import type { Sensor } from './points'

/** The document of the API does not say which fields a merge patch may have. */
type Patch = Record<string, never>
const MERGE_PATCH = { 'Content-Type': 'application/merge-patch+json' }

/** A form in a dialog; `save` throws the API's problem, which the fields show. */
function AssetForm(props: {
  title: string
  button: string
  save: () => Promise<unknown>
  onClose: () => void
  children: (error: ApiError | undefined) => ComponentChildren
}) {
  const save = useAction(props.save)
  return (
    <FormDialog title={props.title} submit={props.button} action={save} onClose={props.onClose}>
      {props.children(save.error)}
    </FormDialog>
  )
}

export function CreateSite({ onClose }: { onClose: () => void }) {
  const arrive = useArrival()
  const [code, setCode] = useState('')
  const [type, setType] = useState<Schemas['Site']['type']>('vessel')
  const [name, setName] = useState('')
  const save = async () => {
    await ok(api.POST('/v1/sites', { body: { code, type, name: name || null } }))
    arrive(path`/sites/${code}`)
  }
  return (
    <AssetForm title="Add a site" button="Add" save={save} onClose={onClose}>
      {(error) => (
        <>
          <TextField label="Code" value={code} onInput={setCode} required autoFocus placeholder="FPSO-1" help="Letters, digits and hyphens; it never changes." wrong={error?.at('/code')} />
          <SelectField label="Type" value={type} options={['vessel', 'factory', 'plant']} onChange={(value) => setType(value as typeof type)} />
          <TextField label="Name" value={name} onInput={setName} help="Empty: the code." wrong={error?.at('/name')} />
        </>
      )}
    </AssetForm>
  )
}

export function CreateEquipment({ site, onClose }: { site: string; onClose: () => void }) {
  const arrive = useArrival()
  const [code, setCode] = useState('')
  const [name, setName] = useState('')
  const [location, setLocation] = useState('')
  const [parent, setParent] = useState('')
  const save = async () => {
    const body = { code, name: name || null, location: location || null, parent: parent || null, status: 'active' as const }
    await ok(api.POST('/v1/sites/{code}/equipment', { params: { path: { code: site } }, body }))
    arrive(path`/equipment/${code}`)
  }
  return (
    <AssetForm title={`Add equipment to ${site}`} button="Add" save={save} onClose={onClose}>
      {(error) => (
        <>
          <TextField label="Code" value={code} onInput={setCode} required autoFocus help="Letters, digits and hyphens; unique over all sites." wrong={error?.at('/code')} />
          <TextField label="Name" value={name} onInput={setName} help="Empty: the code." wrong={error?.at('/name')} />
          <TextField label="Location" value={location} onInput={setLocation} placeholder="Deck 2" wrong={error?.at('/location')} />
          <TextField label="Part of" value={parent} onInput={setParent} help="The code of the equipment that it is a part of; empty: of none." wrong={error?.at('/parent')} />
        </>
      )}
    </AssetForm>
  )
}

export function ChangeSite(props: { site: Schemas['SiteView']; onClose: () => void; onSaved: () => void }) {
  const { code, etag } = props.site
  const [name, setName] = useState(props.site.name ?? '')
  const save = async () => {
    const params = { path: { code }, header: { 'If-Match': `"${etag}"` } }
    await ok(api.PATCH('/v1/sites/{code}', { params, body: { name: name || null } as unknown as Patch, headers: MERGE_PATCH }))
    props.onClose()
    props.onSaved()
  }
  return (
    <AssetForm title={`Change ${code}`} button="Save" save={save} onClose={props.onClose}>
      {(error) => <TextField label="Name" value={name} onInput={setName} autoFocus help="Empty: the code." wrong={error?.at('/name')} />}
    </AssetForm>
  )
}

/** Change equipment, or move it to another site. */
export function ChangeEquipment(props: { equipment: Schemas['EquipmentView']; onClose: () => void; onSaved: () => void }) {
  const { code, etag } = props.equipment
  const [values, setValues] = useState({
    name: props.equipment.name ?? '',
    location: props.equipment.location ?? '',
    parent: props.equipment.parent ?? '',
    site: props.equipment.site,
  })
  const save = async () => {
    const params = { path: { code }, header: { 'If-Match': `"${etag}"` } }
    const body = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value || null])) as unknown as Patch
    await ok(api.PATCH('/v1/equipment/{code}', { params, body, headers: MERGE_PATCH }))
    props.onClose()
    props.onSaved()
  }
  const field = (name: keyof typeof values, error: ApiError | undefined) => ({
    value: values[name],
    onInput: (value: string) => setValues({ ...values, [name]: value }),
    wrong: error?.at(`/${name}`),
  })
  return (
    <AssetForm title={`Change ${code}`} button="Save" save={save} onClose={props.onClose}>
      {(error) => (
        <>
          <TextField label="Name" {...field('name', error)} autoFocus help="Empty: the code." />
          <TextField label="Location" {...field('location', error)} />
          <TextField label="Part of" {...field('parent', error)} help="The code of the equipment that it is a part of; empty: of none." />
          <TextField label="Site" {...field('site', error)} required help="The code of another site moves it there." />
        </>
      )}
    </AssetForm>
  )
}

const LIMITS = [
  ['low_low', 'Low low'],
  ['low', 'Low'],
  ['high', 'High'],
  ['high_high', 'High high'],
  ['deadband', 'Deadband'],
  ['missing_after_seconds', 'Missing after seconds'],
] as const

/** Create a sensor of a piece of equipment, or change one. */
export function SensorForm(props: { equipment: string; sensor?: Sensor; onClose: () => void; onSaved?: () => void }) {
  const arrive = useArrival()
  const { sensor } = props
  const [id, setId] = useState(sensor?.id ?? '')
  const [metric, setMetric] = useState(sensor?.metric ?? '')
  const [unit, setUnit] = useState(sensor?.unit ?? '')
  const [limits, setLimits] = useState(() => Object.fromEntries(LIMITS.map(([name]) => [name, sensor?.limits?.[name]?.toString() ?? ''])))
  const save = async () => {
    const numbers = Object.fromEntries(LIMITS.map(([name]) => [name, numberOf(limits[name]!) ?? null]))
    const body = { id, equipment: props.equipment, metric, unit: unit || null, limits: numbers } as Schemas['Sensor']
    if (sensor) {
      const params = { path: { sensor_id: id }, header: { 'If-Match': `"${sensor.etag}"` } }
      await ok(api.PUT('/v1/sensors/{sensor_id}', { params, body }))
      toast('The sensor is changed. New limits count from the next reading.')
      props.onClose()
      props.onSaved?.()
    } else {
      await ok(api.POST('/v1/sensors', { body }))
      arrive(path`/sensors/${id}`)
    }
  }
  return (
    <AssetForm title={sensor ? `Change ${sensor.id}` : `Add a sensor to ${props.equipment}`} button={sensor ? 'Save' : 'Add'} save={save} onClose={props.onClose}>
      {(error) => (
        <>
          {!sensor && <TextField label="Id" value={id} onInput={setId} required autoFocus placeholder="pump-1.temperature" help="It never changes." wrong={error?.at('/id')} />}
          <div class="two">
            <TextField label="Metric" value={metric} onInput={setMetric} required placeholder="temperature" wrong={error?.at('/metric')} />
            <TextField label="Unit" value={unit} onInput={setUnit} placeholder="°C" wrong={error?.at('/unit')} />
          </div>
          <fieldset>
            <legend>Limits</legend>
            <div class="two">
              {LIMITS.map(([name, label]) => (
                <NumberField key={name} label={label} value={limits[name]!} wrong={error?.at(`/limits/${name}`)} onInput={(value) => setLimits({ ...limits, [name]: value })} />
              ))}
            </div>
            <p class="muted">A value beyond a limit raises an alarm, until it is back inside by the deadband. Empty: none.</p>
          </fieldset>
        </>
      )}
    </AssetForm>
  )
}

function NumberField(props: { label: string; value: string; wrong?: string; onInput: (value: string) => void }) {
  return (
    <Field label={props.label} wrong={props.wrong}>
      {(attributes) => (
        <input {...attributes} type="number" step="any" value={props.value} onInput={(event) => props.onInput(event.currentTarget.value)} />
      )}
    </Field>
  )
}
