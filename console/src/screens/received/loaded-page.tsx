import { useLoad } from '../../api/load'
import { Show } from '../../ui/parts'
import { loadContent } from './content'
import { PageText } from './page-text'

/** The page at an address of the API, with the value at a pointer highlighted. */
export function LoadedPage({ from, pointer }: { from: string; pointer: string | null }) {
  const content = useLoad(() => loadContent(from), [from])
  return <Show from={content}>{(loaded) => <PageText content={loaded} pointer={pointer} name="The page as received" />}</Show>
}
