import { useMay } from '../../api/me'
import { Link } from '../../router'
import { Empty } from '../../ui/parts'

/** @param linked whether it leads to the page where a project is created, since it is not shown there. */
export function NoProjects({ linked }: { linked: boolean }) {
  const mayCreate = useMay('project.create')
  return (
    <Empty title="There are no projects yet.">
      A project merges the records of its datasources by key.{' '}
      {mayCreate ? (
        <>
          <Link to="/datasources/new">Create a datasource</Link> first, then{' '}
          {linked ? <Link to="/projects">a project</Link> : 'a project'} that uses it.
        </>
      ) : (
        'Ask somebody to share one with you.'
      )}
    </Empty>
  )
}
