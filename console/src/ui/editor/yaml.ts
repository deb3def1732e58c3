/** YAML of documents, whose numbers keep all their digits as in `json.ts`. It is not part of the first load, as the library is large. */
import * as yaml from 'yaml'
import { ExactNumber, numberOf } from '../../api/json'

export { isMap, isNode, isPair, isScalar, LineCounter, type Document } from 'yaml'

const EXACT: yaml.ScalarTag = {
  identify: (value) => value instanceof ExactNumber,
  default: true,
  tag: 'tag:sluice,2026:number',
  resolve: (text) => text,
  stringify: ({ value }) => String(value),
}

function keepDigits(tags: yaml.Tags): yaml.Tags {
  const exact = tags.map((tag) => (typeof tag === 'object' && /:(int|float)$/.test(tag.tag) ? exactly(tag as yaml.ScalarTag) : tag))
  return [EXACT, ...exact]
}

function exactly(tag: yaml.ScalarTag): yaml.ScalarTag {
  return {
    ...tag,
    resolve(text, onError, options) {
      const number: unknown = numberOf(text)
      // Such as `.inf`, which JSON would make null.
      if (number === undefined) onError(`JSON has no number ${text}; as a text, put it in quotation marks`)
      return number instanceof ExactNumber ? number : tag.resolve(text, onError, options)
    },
  }
}

export function parseDocument(text: string, options: yaml.ParseOptions & yaml.DocumentOptions = {}): yaml.Document.Parsed {
  return yaml.parseDocument(text, { ...options, customTags: keepDigits })
}

/**
 * The value of a text.
 *
 * @throws Error if it is no YAML.
 */
export function parse(text: string): unknown {
  return yaml.parse(text, { customTags: keepDigits })
}

/** A value as YAML. */
export function stringify(value: unknown, options: yaml.ToStringOptions = {}, replacer: ((key: unknown, value: unknown) => unknown) | null = null): string {
  return yaml.stringify(value, replacer, { ...options, customTags: keepDigits })
}
