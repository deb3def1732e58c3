/** Characters that are not seen themselves, and by which a text looks like another one. */

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g
// They turn the direction: `abc` and a reversed `321` are drawn as `abc123`.
const DIRECTION = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A text as it is drawn: control characters as their signs, marks of direction by their numbers. */
export function visible(text: string): string {
  return text
    .replace(CONTROL, (character) => (character === '\u007f' ? '\u2421' : String.fromCharCode(0x2400 + character.charCodeAt(0))))
    .replace(DIRECTION, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`)
}
