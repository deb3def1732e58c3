/** Whether equipment is in use: shown, and changed for one or several pieces. */
import { api, ok, type Schemas } from '../../api/client'
import { useAction } from '../../api/load'
import { Button, ProblemNote } from '../../ui/parts'
import { toast } from '../../ui/toasts'

export type Equipment = Schemas['EquipmentView']
const AT_ONCE = 100

/** Buttons that activate or deactivate pieces of equipment; the API changes all of them or none. */
export function StatusButtons({ equipment, onChange }: { equipment: Equipment[]; onChange: () => void }) {
  const change = useAction(async (to: 'active' | 'inactive', codes: string[]) => {
    await ok(to === 'active' ? api.POST('/v1/equipment/activate', { body: { codes } }) : api.POST('/v1/equipment/deactivate', { body: { codes } }))
    toast(codes.length === 1 ? `${codes[0]} is ${to}.` : `${codes.length} pieces of equipment are ${to}.`)
    onChange()
  })
  const of = (status: string) => equipment.filter((one) => one.status === status).map((one) => one.code)
  const [active, inactive] = [of('active'), of('inactive')]
  const count = (codes: string[]) => (equipment.length > 1 ? ` ${codes.length}` : '')
  return (
    <>
      {inactive.length > 0 && (
        <Button busy={change.busy} disabled={inactive.length > AT_ONCE} onClick={() => change.run('active', inactive)}>
          Activate{count(inactive)}
        </Button>
      )}
      {active.length > 0 && (
        <Button busy={change.busy} disabled={active.length > AT_ONCE} onClick={() => change.run('inactive', active)}>
          Deactivate{count(active)}
        </Button>
      )}
      <ProblemNote error={change.error} />
    </>
  )
}
