import { useLoad } from '../../api/load'
import { Show } from '../../ui/parts'
import { loadContent, type Reading } from './content'
import { PageText } from './page-text'

/** The page at an address of the API, with the value at a pointer highlighted. */
export function LoadedPage({ from, pointer, reading }: { from: string; pointer: string | null; reading: () => Reading | Promise<Reading> }) {
  const content = useLoad(() => loadContent(from, reading), [from])
  return <Show from={content}>{(loaded) => <PageText content={loaded} pointer={pointer} name="The page as received" />}</Show>
}
