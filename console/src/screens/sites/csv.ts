/** The readings of a sensor as one CSV file, however many pages they are. */
import { send } from '../../api/client'
import { path } from '../../router'
import { timeText } from '../../ui/time'
import type { Span } from './span'
import type { Resolution } from './points'

/** A page of as many lines is inline in the API's answer, whose headers then say where the next one begins. */
const LINES = 20_000

export async function readingsAsCsv(sensor: string, span: Span, resolution: Resolution | null): Promise<Response> {
  const query = new URLSearchParams({ format: 'csv', from: timeText(span.from), to: timeText(span.to), limit: String(LINES) })
  if (resolution) query.set('resolution', resolution)
  const texts: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    if (next) query.set('cursor', next)
    const page = await send(`${path`/v1/sensors/${sensor}/readings`}?${query}`)
    const text = await page.text()
    // Only the first page keeps the names of the columns.
    texts.push(texts.length === 0 ? text : text.slice(text.indexOf('\n') + 1))
    next = page.headers.get('X-Sluice-Next')
    // The next pages are of the resolution that the API has chosen for the first one.
    query.set('resolution', page.headers.get('X-Sluice-Resolution') ?? query.get('resolution') ?? 'raw')
  }
  return new Response(new Blob(texts))
}
