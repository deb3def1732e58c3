/** Every screen of the console. A new one is a folder beside this file and an entry in its section here. */
import type { ComponentType } from 'preact'
import { administration } from './administration/routes'
import { alarms } from './alarms/routes'
import { algorithms, algorithmsOfProjects } from './algorithms/routes'
import { dataOfDatasources, dataOfProjects } from './data/routes'
import { datasources } from './datasources/routes'
import { home } from './home/routes'
import { inputs } from './inputs/routes'
import { outputs, sql } from './sql/routes'
import { projects } from './projects/routes'
import { runs } from './runs/routes'
import { sites } from './sites/routes'

/** What a screen gets: the parameters of its pattern, such as `slug` of `/projects/:slug`. */
export interface ScreenProps {
  parameters: Record<string, string>
}

export interface Screen {
  /** The pattern of its path. */
  path: string
  /** The action without which it is not shown, if it is another than its section's. */
  action?: string
  /** Loads its module when it is opened first. */
  load: () => Promise<{ default: ComponentType<ScreenProps> }>
}

export interface Section {
  /** Its name in the navigation. */
  name: string
  /** Where the navigation leads; a section that it leaves out belongs to the one that leads there. */
  to: string
  /** The action of the access policy without which the section is not shown; the API's `GET /me` lists those allowed. */
  action: string
  /** Whether the navigation leaves it out: other pages lead to its screens. */
  hidden?: boolean
  screens: Screen[]
}

export const SECTIONS: Section[] = [
  home,
  projects,
  dataOfProjects,
  datasources,
  dataOfDatasources,
  runs,
  sql,
  sites,
  alarms,
  algorithms,
  algorithmsOfProjects,
  inputs,
  outputs,
  administration,
]
