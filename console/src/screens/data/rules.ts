/** The rules of a merge in words. */
import type { Schemas } from '../../api/client'
import { own } from '../../own'

type Field = NonNullable<Schemas['RecordExplanation']['fields']>[string]

/** What the spec of a version says about the rule of one field. */
export interface FieldRule {
  by?: string | null
  key?: string | null
}

/** The rule of a field in a version's merge. */
export function fieldRule(version: Schemas['VersionDetail'], name: string): FieldRule {
  const merge = version.spec.merge as { fields?: Record<string, FieldRule> } | undefined
  return own(merge?.fields, name) ?? {}
}

/** Why a field has its value, as a sentence. */
export function whyValue(field: Field, rule: FieldRule): string {
  const winner = field.winners[0]?.datasource ?? 'no source'
  const by = rule.by ?? 'time'
  const one = field.winners.length === 1
  switch (field.rule) {
    case 'key':
      return one ? 'The column is part of the key, by which this source has the record.' : `The column is part of the key, by which these ${field.winners.length} sources have the same record.`
    case 'override':
      return 'The value was set by hand. It stands in place of the values of the sources.'
    case 'priority':
      return field.winners.length === 0 ? 'No source that has the record has this field.' : `${winner} has the best priority of the sources that have the record.`
    case 'first_non_null':
      return field.winners.length === 0 ? 'No source has a value.' : `${winner} has the best priority of the sources with a value.`
    case 'newest':
    case 'oldest':
      return field.winners.length === 0 ? 'No source has a value.' : `${winner} has the ${field.rule} value, by ${by}.`
    case 'longest':
      return `${winner} has the longest value.`
    case 'majority':
      return 'Most of the sources have this value.'
    case 'min':
      return 'It is the smallest of the sources’ values.'
    case 'max':
      return 'It is the greatest of the sources’ values.'
    case 'sum':
    case 'mean':
    case 'count':
      return `It is the ${field.rule} of the sources’ values.`
    case 'union':
      return 'It has the elements of all sources, each once.'
    case 'all':
      return 'It lists the values of all sources.'
    case 'constant':
      return 'The merge sets this value in every record.'
    case 'compute':
      return 'The merge computes it from the fields of the record.'
    case 'source':
      return 'It names the source of the record.'
    case 'record':
      return `The whole record comes from ${winner}.`
    default:
      return `The rule is ${field.rule}.`
  }
}
