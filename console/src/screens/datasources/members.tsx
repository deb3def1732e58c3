/** With whom a datasource is shared. */
import { Members } from '../../ui/members'
import type { ScreenProps } from '../registry'
import { DatasourcePage } from './tabs'

export default function DatasourceMembers({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  return (
    <DatasourcePage slug={slug} title="Members">
      <Members kind="datasources" slug={slug} />
    </DatasourcePage>
  )
}
