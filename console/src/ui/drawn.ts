import { options } from 'preact'
import { visible } from './visible'

/**
 * Have every text that is drawn show its characters that are not seen themselves, whoever has written it: the name of a
 * project or a person as well as a value. Only what is edited keeps them as they are. An `<option>` for such a text needs
 * a `value`, since without one it stands for what is drawn.
 */
export function showHiddenCharacters(): void {
  const { vnode: former } = options
  options.vnode = (vnode) => {
    // Preact makes a node without a type of each text.
    const node = vnode as unknown as { type: unknown; props: unknown }
    if (node.type === null && typeof node.props === 'string') node.props = visible(node.props)
    former?.(vnode)
  }
}
