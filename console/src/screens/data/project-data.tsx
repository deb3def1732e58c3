/** A project's merged rows, or those of one of its models. */
import { useMemo } from 'preact/hooks'
import { api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { navigate, path, useParameter } from '../../router'
import { ProjectPage } from '../projects/tabs'
import type { ScreenProps } from '../registry'
import { CellValue } from './cell-value'
import { DocumentData } from './document-data'
import { Explain } from './explain'
import { projectSource, modelSource } from './source'
import { TableView } from './table-view'

export default function ProjectData({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const [model] = useParameter('model')
  const project = useLoad(() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug } } })), [slug])
  const models = useLoad(
    () => ok(api.GET('/v1/projects/{slug}/models', { params: { path: { slug }, query: { limit: 200 } } })),
    [slug],
  )
  const source = useMemo(() => (model ? modelSource(slug, model) : projectSource(slug)), [slug, model])
  const isDocument = ['recursive', 'concatenation'].includes(project.data?.merge.strategy ?? '')
  const names = models.data?.items.filter((item) => item.materialize).map((item) => item.name) ?? []
  return (
    <ProjectPage
      slug={slug}
      from={project}
      title={model ? `Data of ${model}` : 'Data'}
      actions={
        names.length > 0 && (
          <label class="row">
            Table
            <select value={model ?? ''} onChange={(event) => navigate(path`/projects/${slug}/data`, { model: event.currentTarget.value })}>
              <option value="">merged</option>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )
      }
    >
      {isDocument && !model ? (
        <DocumentData source={source} />
      ) : (
        <TableView
          key={source.path}
          source={source}
          panel={(cell) =>
            cell.table.version?.key ? (
              <Explain {...cell} slug={slug} />
            ) : (
              <CellValue {...cell}>
                <p class="muted">
                  {model
                    ? 'A model computes its rows by SQL, so a single value has no page of its own. Open the table “merged” to see where its inputs come from.'
                    : 'The merge has no key, so the sources of a single value are not recorded. Give the merge a key, then refresh the project.'}
                </p>
              </CellValue>
            )
          }
        />
      )}
    </ProjectPage>
  )
}
