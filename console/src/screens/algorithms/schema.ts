/** Parameters as an algorithm declares them in JSON Schema, for forms and tables. */
import { isNested, numberOf, writeJson } from '../../api/json'

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

interface RawSchema {
  type?: string
  description?: string
  default?: Json
  enum?: Json[]
  anyOf?: RawSchema[]
  items?: RawSchema
  additionalProperties?: RawSchema | boolean
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minItems?: number
  maxItems?: number
  pattern?: string
  properties?: Record<string, RawSchema>
  required?: string[]
}

export interface Parameter {
  name: string
  description: string
  type: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object'
  /** The values to choose among, of the parameter or of its list. */
  choices: Json[] | null
  /** The type of the values of a list or object. */
  inner: string
  nullable: boolean
  required: boolean
  /** Undefined: none is declared. */
  default: Json | undefined
  minimum?: number
  maximum?: number
  /** The range, pattern or length of values, in words; empty if there is none. */
  limits: string
}

/** The parameters of an algorithm, in its order. */
export function parametersOf(schema: unknown): Parameter[] {
  const { properties = {}, required = [] } = schema as RawSchema
  return Object.entries(properties).map(([name, raw]) => parameter(name, raw, required.includes(name)))
}

function parameter(name: string, raw: RawSchema, required: boolean): Parameter {
  const nullable = raw.anyOf?.some((one) => one.type === 'null') ?? false
  const inner = raw.anyOf?.find((one) => one.type !== 'null') ?? raw
  const values = typeof inner.additionalProperties === 'object' ? inner.additionalProperties : undefined
  return {
    name,
    description: raw.description ?? '',
    type: (inner.type ?? 'object') as Parameter['type'],
    choices: inner.enum ?? inner.items?.enum ?? null,
    inner: inner.items?.type ?? values?.type ?? 'string',
    nullable,
    required,
    default: raw.default,
    minimum: inner.minimum,
    maximum: inner.maximum,
    limits: limitsOf(inner),
  }
}

function limitsOf(schema: RawSchema): string {
  const { minimum, maximum, exclusiveMinimum, maxItems, pattern } = schema
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
  if (exclusiveMinimum !== undefined && maximum !== undefined) return `above ${exclusiveMinimum}, at most ${maximum}`
  if (minimum !== undefined) return `at least ${minimum}`
  if (maximum !== undefined) return `at most ${maximum}`
  if (maxItems !== undefined) return `at most ${maxItems}`
  return pattern ? `like ${pattern}` : ''
}

/** A value as one writes it in a field. */
export function entryOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'string' ? one : writeJson(one))).join(', ')
  if (isNested(value)) return Object.entries(value).map(([name, one]) => `${name}: ${entryOf(one)}`).join('\n')
  return String(value)
}

/** The value of what was entered in a field; what is no number stays text, which the API refuses. */
export function valueOf(parameter: Parameter, entry: string): Json | undefined {
  const empty = entry.trim() === ''
  if (empty && parameter.nullable) return null
  switch (parameter.type) {
    case 'integer':
    case 'number':
      return empty ? parameter.default : entered(entry)
    case 'array':
      return entry.split(',').map((one) => one.trim()).filter(Boolean).map((one) => (parameter.inner === 'string' ? one : entered(one)))
    case 'object':
      return Object.fromEntries(
        entry.split('\n').filter((line) => line.trim()).map((line) => {
          const colon = line.lastIndexOf(':')
          const [name, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)]
          return [name.trim(), parameter.inner === 'string' ? value.trim() : entered(value)]
        }),
      )
    default:
      return empty && parameter.default !== undefined ? parameter.default : entry
  }
}

function entered(text: string): Json {
  return numberOf(text) ?? text.trim()
}

/** Whether two JSON values are equal. */
export function same(one: unknown, other: unknown): boolean {
  return writeJson(one) === writeJson(other)
}
