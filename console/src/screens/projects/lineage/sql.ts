/** Which tables a query reads, as far as its text shows it. */

const NAME = String.raw`(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)`
const ITEM = String.raw`${NAME}(?:\s+(?:as\s+)?[a-z_][a-z0-9_]*)?`
const AFTER_KEYWORD = new RegExp(String.raw`\b(?:from|join)\s+(${NAME})`, 'gi')
const COMMA_LIST = new RegExp(String.raw`\bfrom\s+(${ITEM}(?:\s*,\s*${ITEM})+)`, 'gi')
const NOT_CODE = /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g

/**
 * The names behind FROM and JOIN, in lower case, with those of common table expressions among them.
 *
 * The API names no dependencies of a query; for a drawing, its text is enough.
 */
export function tablesOf(sql: string): Set<string> {
  const code = sql.replace(NOT_CODE, ' ')
  const names = new Set<string>()
  const add = (name: string) => names.add(name.replaceAll('"', '').toLowerCase())
  for (const [, name] of code.matchAll(AFTER_KEYWORD)) add(name!)
  for (const [, list] of code.matchAll(COMMA_LIST)) {
    for (const item of list!.split(',')) add(item.trim().split(/\s+/)[0]!)
  }
  return names
}
