import { Members } from '../../ui/members'
import type { ScreenProps } from '../registry'
import { ProjectPage } from './tabs'

export default function ProjectMembers({ parameters }: ScreenProps) {
  const slug = parameters.slug!
  return (
    <ProjectPage slug={slug} title="Members">
      <Members kind="projects" slug={slug} />
    </ProjectPage>
  )
}
