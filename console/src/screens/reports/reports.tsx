/** A project's reports: pages of text, tables and charts that each refresh renders. */
import { all, api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { useMayOn } from '../../api/me'
import { Link, path, useParameter } from '../../router'
import { CardTable, numeric, TableHead } from '../../ui/list'
import { Button, Empty, Panel, Show } from '../../ui/parts'
import { formatNumber, Time } from '../../ui/values'
import { ProjectPage } from '../projects/tabs'
import type { ScreenProps } from '../registry'
import { ReportEditor } from './edit'

export default function Reports({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const mayUpdate = useMayOn({ project: slug })('project.update')
  const [creating, setCreating] = useParameter('new')
  const reports = useLoad(
    () => all((cursor) => ok(api.GET('/v1/projects/{slug}/reports', { params: { path: { slug }, query: { cursor, limit: 200 } } }))),
    [slug],
  )
  const create = mayUpdate && !creating && (
    <Button look="primary" onClick={() => setCreating('1')}>
      New report
    </Button>
  )
  return (
    <ProjectPage slug={slug} from={reports} title="Reports" actions={reports.data?.length ? create : undefined}>
      {creating && mayUpdate && <ReportEditor slug={slug} onClose={() => setCreating(null)} />}
      <Show from={reports}>
        {(items) => (
          <Panel flush={items.length > 0}>
            {items.length === 0 ? (
              <Empty title="There are no reports yet." action={create}>
                A report shows rows of the project as tables and charts. People without a key can open it by a link.
              </Empty>
            ) : (
              <CardTable>
                <TableHead columns={['Report', 'Name', numeric('Sections'), 'Changed']} />
                <tbody>
                  {items.map((report) => (
                    <tr key={report.name}>
                      <td>
                        <Link to={path`/projects/${slug}/reports/${report.name}`}>{report.title}</Link>
                        {report.description && <div class="muted">{report.description}</div>}
                      </td>
                      <td>
                        <code>{report.name}</code>
                      </td>
                      <td class="number">{formatNumber(report.sections.length)}</td>
                      <td>
                        <Time at={report.updated_at} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </CardTable>
            )}
          </Panel>
        )}
      </Show>
    </ProjectPage>
  )
}
