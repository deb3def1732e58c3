/** A datasource's rows, as its runs have extracted them. */
import { useMemo } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { DatasourcePage } from '../datasources/tabs'
import type { ScreenProps } from '../registry'
import { SourceCell } from './source-cell'
import { datasourceSource } from './source'
import { TableView } from './table-view'

export default function DatasourceData({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const datasource = useLoad(() => ok(api.GET('/v1/datasources/{slug}', { params: { path: { slug } } })), [slug])
  const source = useMemo(() => datasourceSource(slug), [slug])
  return (
    <DatasourcePage slug={slug} from={datasource} title={`Data of ${datasource.data?.name ?? slug}`}>
      <TableView source={source} panel={(cell) => <SourceCell {...cell} slug={slug} />} />
    </DatasourcePage>
  )
}
