import { useLoad } from '../../api/load'
import { path } from '../../router'
import { Show } from '../../ui/parts'
import { loadContent } from './content'
import { PageText } from './page-text'

/** A page by its hash, with the value at a pointer highlighted. */
export function LoadedPage({ hash, pointer }: { hash: string; pointer: string | null }) {
  const content = useLoad(() => loadContent(path`/v1/pages/${hash}`), [hash])
  return <Show from={content}>{(loaded) => <PageText content={loaded} pointer={pointer} name="The page as received" />}</Show>
}
