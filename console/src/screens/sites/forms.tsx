/** Forms for sites, equipment and sensors: create, change, delete. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { api, ok, type ApiError, type Schemas } from '../../api/client'
import { numberOf } from '../../api/json'
import { useAction } from '../../api/load'
import { path, useArrival } from '../../router'
import { Conflict } from '../../ui/conflict'
import { FormDialog } from '../../ui/dialog'
import { Field, SelectField, TextField } from '../../ui/parts'
import { toast } from '../../ui/toasts'
import type { Sensor } from './points'

/** The document of the API does not say which fields a merge patch may have. */
type Patch = Record<string, never>
const MERGE_PATCH = { 'Content-Type': 'application/merge-patch+json' }

/** What to do if somebody else has changed the document since it was opened; as of `Conflict`. */
interface Stored<T> {
  name: string
  load: () => Promise<T>
  /** What the form shows of it, and what else is saved with it. */
  text: (theirs: T) => string
  /** The form begins again with it. */
  onTake: (theirs: T) => void
  onKeep: (theirs: T) => void
}

/** A form in a dialog; `save` throws the API's problem, which the fields show. */
function AssetForm<T = never>(props: {
  title: string
  button: string
  save: () => Promise<unknown>
  onClose: () => void
  /** Of a form that changes a document. */
  stored?: Stored<T>
  children: (error: ApiError | undefined) => ComponentChildren
}) {
  const { stored } = props
  const save = useAction(props.save)
  const conflict = stored !== undefined && save.error?.status === 412
  const choose = (choice: (theirs: T) => void) => (theirs: T) => {
    save.clear()
    choice(theirs)
  }
  return (
    <FormDialog title={props.title} submit={props.button} action={conflict ? { ...save, error: undefined } : save} onClose={props.onClose}>
      {props.children(save.error)}
      {conflict && <Conflict {...stored} onTake={choose(stored.onTake)} onKeep={choose(stored.onKeep)} />}
    </FormDialog>
  )
}

/** A document's fields as lines of text; a dash for what is empty. */
function linesOf(fields: Record<string, string | number | null | undefined>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value ?? '–'}`)
    .join('\n')
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
  const { code } = props.site
  const [base, setBase] = useState(props.site)
  const [name, setName] = useState(props.site.name ?? '')
  const save = async () => {
    const params = { path: { code }, header: { 'If-Match': `"${base.etag}"` } }
    await ok(api.PATCH('/v1/sites/{code}', { params, body: { name: name || null } as unknown as Patch, headers: MERGE_PATCH }))
    props.onClose()
    props.onSaved()
  }
  const stored: Stored<Schemas['SiteView']> = {
    name: code,
    load: () => ok(api.GET('/v1/sites/{code}', { params: { path: { code } } })),
    text: ({ name }) => linesOf({ Name: name }),
    onTake: (theirs) => {
      setBase(theirs)
      setName(theirs.name ?? '')
    },
    onKeep: setBase,
  }
  return (
    <AssetForm title={`Change ${code}`} button="Save" save={save} stored={stored} onClose={props.onClose}>
      {(error) => <TextField label="Name" value={name} onInput={setName} autoFocus help="Empty: the code." wrong={error?.at('/name')} />}
    </AssetForm>
  )
}

/** Change equipment, or move it to another site. */
export function ChangeEquipment(props: { equipment: Schemas['EquipmentView']; onClose: () => void; onSaved: () => void }) {
  const { code } = props.equipment
  const [base, setBase] = useState(props.equipment)
  const [values, setValues] = useState(() => equipmentForm(props.equipment))
  const save = async () => {
    const params = { path: { code }, header: { 'If-Match': `"${base.etag}"` } }
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
  const stored: Stored<Schemas['EquipmentView']> = {
    name: code,
    load: () => ok(api.GET('/v1/equipment/{code}', { params: { path: { code } } })),
    text: equipmentText,
    onTake: (theirs) => {
      setBase(theirs)
      setValues(equipmentForm(theirs))
    },
    onKeep: setBase,
  }
  return (
    <AssetForm title={`Change ${code}`} button="Save" save={save} stored={stored} onClose={props.onClose}>
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

function equipmentForm({ name, location, parent, site }: Schemas['EquipmentView']) {
  return { name: name ?? '', location: location ?? '', parent: parent ?? '', site }
}

/** A piece of equipment in words, for who has seen an earlier state of it. */
export function equipmentText({ name, location, parent, site, status }: Schemas['EquipmentView']): string {
  return linesOf({ Name: name, Location: location, 'Part of': parent, Site: site, Status: status })
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
  const [sensor, setSensor] = useState(props.sensor)
  const [id, setId] = useState(sensor?.id ?? '')
  const [metric, setMetric] = useState(sensor?.metric ?? '')
  const [unit, setUnit] = useState(sensor?.unit ?? '')
  const [limits, setLimits] = useState(() => limitTexts(sensor))
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
  const stored: Stored<Sensor> | undefined = sensor && {
    name: sensor.id,
    load: () => ok(api.GET('/v1/sensors/{sensor_id}', { params: { path: { sensor_id: sensor.id } } })),
    text: (theirs) => linesOf({ Metric: theirs.metric, Unit: theirs.unit, ...Object.fromEntries(LIMITS.map(([name, label]) => [label, theirs.limits?.[name]])) }),
    onTake: (theirs) => {
      setSensor(theirs)
      setMetric(theirs.metric)
      setUnit(theirs.unit ?? '')
      setLimits(limitTexts(theirs))
    },
    onKeep: setSensor,
  }
  return (
    <AssetForm title={sensor ? `Change ${sensor.id}` : `Add a sensor to ${props.equipment}`} button={sensor ? 'Save' : 'Add'} save={save} stored={stored} onClose={props.onClose}>
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

/** The limits of a sensor as their fields have them. */
function limitTexts(sensor: Sensor | undefined): Record<string, string> {
  return Object.fromEntries(LIMITS.map(([name]) => [name, sensor?.limits?.[name]?.toString() ?? '']))
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
