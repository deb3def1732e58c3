/** The queries that were run in this tab, or written and then replaced by another one; signing out forgets them. */
import { useState } from 'preact/hooks'
import { currentSession } from '../../api/session'
import { keep, readKept } from './kept'

export interface PastQuery {
  project: string
  sql: string
  /** When it was run, or replaced; RFC 3339. */
  at: string
  /** How many rows it gave. */
  rows: number | 'failed' | 'draft'
  seconds: number
}

const KEY = 'sluice.sql.history'
const MOST = 50

/** The past queries, newest first, and a function that adds one. */
export function useHistory(): [PastQuery[], (query: PastQuery) => void] {
  const [queries, setQueries] = useState(() => readKept<PastQuery>(KEY))
  const [session] = useState(currentSession)
  const add = (query: PastQuery) => {
    // The answer comes after the user has signed out: nothing is kept for the next one.
    if (session !== currentSession()) return
    const others = readKept<PastQuery>(KEY).filter((one) => one.sql !== query.sql || one.project !== query.project)
    const kept = [query, ...others].slice(0, MOST)
    keep(KEY, kept)
    setQueries(kept)
  }
  return [queries, add]
}
