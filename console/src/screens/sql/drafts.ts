/** What the editor holds in each project: it is there again when the page is opened again; signing out forgets it. */
import { useState } from 'preact/hooks'
import { useHistory } from './history'
import { keep as store, readKept } from './kept'

export interface Draft {
  project: string
  sql: string
  /** What is entered for its parameters. */
  values: Record<string, string>
}

const FIRST_QUERY = 'SELECT *\nFROM merged\nLIMIT 100'
const KEY = 'sluice.sql.drafts'

/** The draft of a project; the first query if there is none. */
export function draftIn(drafts: Draft[], project: string): Draft {
  return drafts.find((one) => one.project === project) ?? { project, sql: FIRST_QUERY, values: {} }
}

/** The drafts of this tab, the one that was changed last first, and a function that keeps one in place of its project's. */
function useDrafts(): [Draft[], (draft: Draft) => void] {
  const [drafts, setDrafts] = useState(() => readKept<Draft>(KEY))
  const keep = (draft: Draft) => {
    const kept = [draft, ...readKept<Draft>(KEY).filter((one) => one.project !== draft.project)]
    store(KEY, kept)
    setDrafts(kept)
  }
  return [drafts, keep]
}

/** The drafts and the past queries of this tab. */
export function useTexts() {
  const [drafts, keep] = useDrafts()
  const [history, remember] = useHistory()
  /** Put a query in place of a draft. The draft was perhaps not run: it stays in the list of past ones. */
  const open = (next: Draft) => {
    const { project, sql } = draftIn(drafts, next.project)
    const isOld = [next.sql, FIRST_QUERY, ''].includes(sql) || history.some((one) => one.project === project && one.sql === sql)
    if (!isOld) remember({ project, sql, at: new Date().toISOString(), rows: 'draft', seconds: 0 })
    keep(next)
  }
  return { drafts, history, keep, open, remember }
}
