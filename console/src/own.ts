/** Records whose keys come from outside: every object also has keys such as `constructor`, which nobody has set. */

/** The value that a record has of its own; undefined if it has none. */
export function own<T>(record: Readonly<Record<string, T>> | null | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined
}
