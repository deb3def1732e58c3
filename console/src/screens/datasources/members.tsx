import { Members } from '../../ui/members'
import { Page } from '../../ui/parts'
import type { ScreenProps } from '../registry'
import { DATASOURCE_CRUMBS, DatasourceTabs } from './tabs'

export default function DatasourceMembers({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  return (
    <Page title={slug} crumbs={DATASOURCE_CRUMBS}>
      <DatasourceTabs slug={slug} />
      <Members kind="datasources" slug={slug} />
    </Page>
  )
}
