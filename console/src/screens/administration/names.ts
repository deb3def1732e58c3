/** Lists of names that limit who may do something. */
import { ApiError } from '../../api/client'

/**
 * The names in a text, separated by commas or blanks.
 *
 * @param pointer the field of the request, for the error.
 * @returns null if the text is empty: there is no limit.
 * @throws ApiError if the text is not empty and yet has no name: it must not mean everything.
 */
export function namesIn(text: string, pointer: string): string[] | null {
  if (text === '') return null
  const names = text.split(/[\s,]+/).filter(Boolean)
  if (names.length > 0) return names
  const message = 'There is no name in it. Empty the field if there shall be no limit.'
  throw new ApiError(422, { type: 'about:blank', title: 'The list has no name', status: 422, detail: message, errors: [{ pointer, message }] })
}
