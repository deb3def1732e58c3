/** The keyboard's place on the page, which a browser forgets when what has the focus is removed. */

/** What has the focus, or had it last, and all that it is in. */
let trail: Element[] = []

function remember(event: FocusEvent): void {
  trail = []
  for (let element = event.target as Element | null; element; element = element.parentElement) trail.push(element)
}

/** A field that has just been drawn and begins with the focus: browsers see to that only as a page is loaded. */
function newField(changes: MutationRecord[]): HTMLElement | undefined {
  for (const node of changes.flatMap((change) => [...change.addedNodes])) {
    if (!(node instanceof Element) || !node.isConnected) continue
    const field = node.matches('[autofocus]') ? node : node.querySelector('[autofocus]')
    if (field) return field as HTMLElement
  }
  return undefined
}

/** The nearest part of the page that is left of where the focus was; a part of a table does not take it well. */
function placeThatIsLeft(): HTMLElement | undefined {
  if (trail.length === 0 || trail[0]!.isConnected || document.activeElement !== document.body) return undefined
  return trail.find((element) => element.isConnected && !element.closest('table')) as HTMLElement | undefined
}

function follow(changes: MutationRecord[]): void {
  const field = newField(changes)
  if (field) {
    field.focus()
    return
  }
  const place = placeThatIsLeft()
  if (!place || place === document.body || place === document.documentElement) return
  if (!place.hasAttribute('tabindex')) {
    place.tabIndex = -1
    place.addEventListener('blur', () => place.removeAttribute('tabindex'), { once: true })
  }
  place.focus({ preventScroll: true })
}

/** Keep the focus where the user works: in a new field that asks for it, else near what was removed. */
export function keepFocus(): void {
  addEventListener('focusin', remember)
  new MutationObserver(follow).observe(document.body, { childList: true, subtree: true })
}
