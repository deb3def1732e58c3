/** Characters that are not seen themselves, and by which a text looks like another one. */

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g
// Some turn the direction: `abc` and a reversed `321` are drawn as `abc123`. The others take no room, or look like a
// space. U+200C and U+200D join letters of some scripts, and signs to one emoji: they stay.
const UNSEEN = /[\u0080-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\u3164\ufeff]/g

/** A text as it is drawn: control characters as their signs, others that are not seen by their numbers. */
export function visible(text: string): string {
  return text
    .replace(CONTROL, (character) => (character === '\u007f' ? '\u2421' : String.fromCharCode(0x2400 + character.charCodeAt(0))))
    .replace(UNSEEN, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)
}
