/**
 * JSON whose numbers keep all their digits.
 *
 * A number of JavaScript is a double, which has about 16 digits: 9007199254740993 would become 9007199254740992, another
 * record. What a double would change is an `ExactNumber`, which reads and is written as the API, or a person, wrote it.
 */

/**
 * A number that a double would change.
 *
 * Types call it a `number`, as those generated for the API do: which one a number of the API is, only its value tells.
 */
export class ExactNumber {
  readonly #digits: string

  constructor(digits: string) {
    this.#digits = digits
  }

  toString(): string {
    return this.#digits
  }

  /** About how much it is: for a chart, or a comparison. */
  valueOf(): number {
    return Number(this.#digits)
  }

  toJSON(): unknown {
    return rawJson!(this.#digits)
  }
}

// Browsers have both since Chromium 114, Firefox 135 and Safari 18.4; TypeScript does not know them yet.
const rawJson = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON
type Reviver = (key: string, value: unknown, context: { source: string }) => unknown

/** Whether this browser can keep the digits of numbers. */
export const keepsDigits = rawJson !== undefined

// Numbers that may have too many digits for a double, and those that may be too large or too small.
const LONG = /\d[\d.]{15,}(?:e[-+]?\d+)?/gi
const FAR = /\de[-+]?\d{3}/i

/**
 * The value of a JSON text, with an `ExactNumber` where a double would be another number.
 *
 * @throws SyntaxError if it is no JSON.
 */
export function parseJson(text: string): unknown {
  // Most texts have no such number, and the browser reads those much faster.
  if (!FAR.test(text) && (text.match(LONG) ?? []).every(fitsDouble)) return JSON.parse(text)
  const revive: Reviver = (_, value, context) => (typeof value === 'number' ? kept(context.source) : value)
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown)
}

/** A value as JSON; the opposite of `parseJson`. */
export function writeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, part: unknown) => (Object.is(part, -0) ? rawJson!('-0.0') : part), indent)
}

/** Whether a value is an object or a list, and not a number with many digits. */
export function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof ExactNumber)
}

const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?(?:e([-+]?\d+))?$/i

/** The number that a text is, with all its digits; undefined if it is none. */
export function numberOf(text: string): number | undefined {
  const trimmed = text.trim()
  const [, sign, whole = '', fraction = '', exponent] = DECIMAL.exec(trimmed) ?? []
  if (whole || fraction) {
    const digits = `${sign === '-' ? '-' : ''}${whole.replace(/^0+(?=\d)/, '') || '0'}${fraction && `.${fraction}`}`
    return kept(exponent === undefined ? digits : `${digits}e${exponent}`)
  }
  return /^0(x[\da-f]+|o[0-7]+|b[01]+)$/i.test(trimmed) ? kept(String(BigInt(trimmed))) : undefined
}

function kept(source: string): number {
  return fitsDouble(source) ? Number(source) : (new ExactNumber(source) as unknown as number)
}

/** Whether a double, written out again, is the number of a text. */
function fitsDouble(source: string): boolean {
  // The longest that a double writes has 25 characters; zeros in front of and behind the digits may add to them.
  if (source.length > 400) return false
  const written = String(Number(source))
  return written === source || normal(written) === normal(source)
}

/** The sign, digits and exponent of a number, the same for each way to write it; null if it is none. */
function normal(text: string): string | null {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  if (!whole && !fraction) return null
  const digits = (whole + fraction).replace(/^0+/, '')
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return end === 0 ? '0' : `${sign === '-' ? '-' : ''}${digits.slice(0, end)}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - end)}`
}
