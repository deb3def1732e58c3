import { api, ok } from '../../api/client'
import { useLoad } from '../../api/load'
import { Members } from '../../ui/members'
import type { ScreenProps } from '../registry'
import { ProjectPage } from './tabs'

export default function ProjectMembers({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  const project = useLoad(() => ok(api.GET('/v1/projects/{slug}', { params: { path: { slug } } })), [slug])
  return (
    <ProjectPage slug={slug} from={project} title="Members">
      <Members kind="projects" slug={slug} />
    </ProjectPage>
  )
}
