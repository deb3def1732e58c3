/** Send readings: a few by a form, or a file of any size. */
import { useState } from 'preact/hooks'
import { api, ok, type Schemas } from '../../api/client'
import { numberOf } from '../../api/json'
import { useAction } from '../../api/load'
import { Dialog, FormDialog } from '../../ui/dialog'
import { saveAs } from '../../ui/download'
import { Button, Note, ProblemNote, SelectField, TextField } from '../../ui/parts'
import { TimeField } from '../../ui/time'
import { toast } from '../../ui/toasts'
import { FileDrop } from './file-drop'
import { uploadFile } from './upload'

const TEMPLATE = 'sensor,time,value,quality\npump-1.temperature,2026-01-31T12:00:00Z,71.4,good\n'

/** One reading of a sensor, stored when the answer comes. */
export function SendReading(props: { sensor: string; unit: string | null | undefined; onClose: () => void; onDone: () => void }) {
  const [value, setValue] = useState('')
  const [time, setTime] = useState('')
  const [quality, setQuality] = useState('good')
  const [refused, setRefused] = useState<string | null>(null)
  const send = useAction(async () => {
    const wrong = numberFault(value)
    setRefused(wrong)
    if (wrong) return
    const reading = { sensor: props.sensor, time: time || new Date().toISOString(), value: numberOf(value) as number, quality }
    const receipt = await ok(api.POST('/v1/readings', { body: [reading] }))
    if (receipt.refused[0]) {
      setRefused(receipt.refused[0].message)
      return
    }
    toast('The reading is stored.')
    props.onDone()
    props.onClose()
  })
  return (
    <FormDialog title={`Send a reading of ${props.sensor}`} submit="Send" action={send} onClose={props.onClose}>
      <TextField label={props.unit ? `Value in ${props.unit}` : 'Value'} value={value} onInput={setValue} required autoFocus wrong={refused ?? undefined} />
      <TimeField label="Time" value={time} onChange={setTime} help="Empty: now." />
      <SelectField label="Quality" value={quality} options={['good', 'uncertain', 'bad']} onChange={setQuality} help="Limits are judged by good readings only." />
    </FormDialog>
  )
}

/** Why a text is no value of a sensor, which a blank or `1,5` must not become; null if it is one. */
function numberFault(text: string): string | null {
  const isNumber = (one: string) => /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(one)
  const entered = text.trim()
  if (isNumber(entered)) {
    const value = Number(entered)
    const vanishes = value === 0 && /[1-9]/.test(entered.replace(/e.*/i, ''))
    return vanishes || !Number.isFinite(value) ? `${entered} is beyond what a sensor’s value can be.` : null
  }
  const withPoint = entered.replace(',', '.')
  return `${entered ? `“${entered}”` : 'A blank'} is no number: write ${isNumber(withPoint) ? withPoint : 'one such as 71.4'}.`
}

/** A file of readings: uploaded to the inbox, from where it is stored in parts. */
export function UploadReadings(props: { onClose: () => void; onUploaded: () => void }) {
  const [share, setShare] = useState(0)
  const [name, setName] = useState('')
  const [done, setDone] = useState(false)
  const upload = useAction(async (file: File) => {
    setName(file.name)
    setShare(0)
    setDone(false)
    const form: Schemas['UploadForm'] = await ok(api.POST('/v1/readings/uploads', { body: { filename: file.name } }))
    await uploadFile(form, file, setShare)
    setDone(true)
    props.onUploaded()
  })
  return (
    <Dialog title="Upload readings" onClose={props.onClose}>
      <p>
        A CSV file with the columns <code>sensor</code>, <code>time</code> and <code>value</code>, and if needed <code>quality</code> and{' '}
        <code>revision</code>; or JSON lines, or a JSON array. It may be gzipped. Readings that were sent before count once.
      </p>
      <div class="row">
        <Button onClick={() => saveAs(new Response(TEMPLATE), 'readings.csv')}>Download a template</Button>
      </div>
      <FileDrop label="File of readings" accept=".csv,.json,.jsonl,.gz" onFile={(file) => upload.run(file)} />
      {upload.busy && (
        <div>
          <label for="upload-progress">{name} is uploaded …</label>
          <progress id="upload-progress" value={share} max={1} />
        </div>
      )}
      <ProblemNote error={upload.error} />
      {done && (
        <div role="status">
          <Note>{name} is uploaded. Its readings are stored within seconds; those that are refused are listed under “Refused readings” below the sites.</Note>
        </div>
      )}
      <div class="row">
        <Button onClick={props.onClose}>{done ? 'Done' : 'Close'}</Button>
      </div>
    </Dialog>
  )
}
