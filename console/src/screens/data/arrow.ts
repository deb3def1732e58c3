/** Rows of an Arrow stream, read in place: a value is decoded when its cell is drawn. Loaded with the first large table. */
import { tableFromIPC, Type, type DataType } from '@uwdata/flechette'
import { ExactNumber } from '../../api/json'
import type { Rows } from './rows'

type Convert = (value: unknown) => unknown

// What is aligned to the right.
const NUMERIC: number[] = [Type.Int, Type.Float, Type.Decimal]

/**
 * @param content an Arrow IPC stream.
 * @param names the columns, in the order of the rows; without them, those of the stream.
 */
export function arrowRows(content: ArrayBuffer, names?: string[]): Rows & { columns: { name: string; type: string }[] } {
  const table = tableFromIPC(content, { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true })
  const { fields } = table.schema
  const types = new Map(fields.map((field) => [field.name, field.type]))
  const columns = (names ?? fields.map((field) => field.name)).map((name) => ({ column: table.getChild(name), convert: conversion(types.get(name)) }))
  return {
    columns: fields.map(({ name, type }) => ({ name, type: NUMERIC.includes(type.typeId) ? 'double' : 'text' })),
    count: table.numRows,
    value(row, index) {
      const { column, convert } = columns[index]!
      const value: unknown = column?.at(row)
      return value === null || value === undefined ? null : convert(value)
    },
    // An Arrow answer is whole.
    more: null,
  }
}

/** How a value of a type becomes what JSON answers of the API have. */
function conversion(type: DataType | undefined): Convert {
  switch (type?.typeId) {
    case Type.Timestamp:
      return (value) => timeText(BigInt(value as bigint))
    case Type.Date:
      return (value) => new Date(Number(value)).toISOString().replace('T00:00:00.000Z', '')
    case Type.Decimal: {
      const { scale } = type
      return (value) => decimalText(BigInt(value as bigint), scale)
    }
    case Type.Int:
    case Type.List:
      return plain
    default:
      return (value) => value
  }
}

/** The time of a number of microseconds, which is what the engine writes. */
function timeText(micros: bigint): string {
  const fraction = Number(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)
  const text = new Date(Number((micros - BigInt(fraction)) / 1000n)).toISOString().slice(0, -5)
  if (fraction === 0) return `${text}Z`
  const digits = String(fraction).padStart(6, '0')
  return `${text}.${fraction % 1000 === 0 ? digits.slice(0, 3) : digits}Z`
}

function decimalText(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return value < 0n ? `-${text}` : text
}

/** Integers of 64 bits, and lists of Arrow, which may be typed arrays of them, as JSON has them. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : new ExactNumber(String(value))
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return Array.from(value as unknown as Iterable<unknown>, plain)
  return value
}
