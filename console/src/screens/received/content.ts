/** The bytes of a page as text, where they are one. */
import { send } from '../../api/client'
import { formOf } from './locate'

/** A page's content. */
export interface Content {
  /** Null: the page is not shown as text. */
  text: string | null
  bytes: number
  /** What the bytes are, if they are no plain text: `gzip`, `a Parquet file`. */
  packed: string | null
  /** The encoding by which the text was read, unless it is UTF-8. */
  encoding: string | null
  /** The delimiter of CSV that the definition names. */
  delimiter: string | null
}

/** How a page is to be read: what the definition says about CSV, and the media type that it came with. */
export interface Reading {
  encoding?: string | null
  delimiter?: string | null
  mediaType?: string | null
}

type Bytes = Uint8Array<ArrayBuffer>

// Upstreams decide how long a page is, and how much it unpacks to; a tab has to hold several copies of it.
const MOST_BYTES = 50_000_000
const TOO_LARGE = 'more than 50 MB'
const GZIP = '1f8b'
const BINARY: [string, string][] = [
  ['504b0304', 'a ZIP archive or a workbook (XLSX)'],
  ['50415231', 'a Parquet file'],
  ['25504446', 'a PDF file'],
  [GZIP, 'a gzip archive within another'],
]

/**
 * Load a page's content from an address of the API.
 *
 * @param reading how to read it; it is asked only for pages that do not tell by themselves.
 */
export async function loadContent(path: string, reading: () => Reading | Promise<Reading>): Promise<Content> {
  const response = await send(path)
  const length = Number(response.headers.get('Content-Length')) || null
  const bytes = length !== null && length > MOST_BYTES ? null : await readAll(response.body!)
  if (bytes === null) return binary(length ?? MOST_BYTES, TOO_LARGE)
  if (!magicOf(bytes).startsWith(GZIP)) return contentOf(bytes, reading)
  const unpacked = await unpackedOf(bytes)
  if (typeof unpacked === 'string') return binary(bytes.length, unpacked)
  const content = await contentOf(unpacked, reading)
  return { ...content, bytes: bytes.length, packed: content.packed ?? 'gzip' }
}

/** The content of a gzip archive, or what the archive is if it cannot be shown. */
async function unpackedOf(bytes: Bytes): Promise<Bytes | string> {
  try {
    const unpacked = await readAll(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')))
    return unpacked ?? `a gzip archive of ${TOO_LARGE}`
  } catch {
    return 'a gzip archive that cannot be unpacked'
  }
}

function binary(bytes: number, packed: string): Content {
  return { text: null, bytes, packed, encoding: null, delimiter: null }
}

/** The bytes of a stream; null, and the rest is not read, if there are too many. */
async function readAll(stream: ReadableStream<Bytes>): Promise<Bytes | null> {
  const reader = stream.getReader()
  const chunks: Bytes[] = []
  for (let length = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    length += value.length
    if (length > MOST_BYTES) {
      await reader.cancel()
      return null
    }
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

function magicOf(bytes: Bytes): string {
  return [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function contentOf(bytes: Bytes, reading: () => Reading | Promise<Reading>): Promise<Content> {
  const magic = magicOf(bytes)
  const known = BINARY.find(([start]) => magic.startsWith(start))
  if (known) return binary(bytes.length, known[1])
  const unicode = unicodeText(bytes)
  // JSON and XML have no delimiter.
  if (unicode !== null && !['csv', 'text'].includes(formOf(unicode))) {
    return { text: unicode, bytes: bytes.length, packed: null, encoding: null, delimiter: null }
  }
  const { encoding, delimiter = null, mediaType } = await reading()
  const named = decoderOf(encoding) ?? decoderOf(charsetOf(mediaType)) ?? (unicode === null ? decoderOf(declaredIn(bytes)) : null)
  if (named === null && unicode === null && bytes.subarray(0, 4096).includes(0)) return binary(bytes.length, 'binary data')
  const decoder = named ?? guessed(bytes)
  const text = named === null && unicode !== null ? unicode : decoder.decode(bytes)
  const isUnicode = text === unicode || decoder.encoding === 'utf-8'
  return { text, bytes: bytes.length, packed: null, encoding: isUnicode ? null : decoder.encoding, delimiter }
}

/** The text, if the bytes are UTF-8, or say that they are UTF-16; else null. */
function unicodeText(bytes: Bytes): string | null {
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null
  if (mark) return new TextDecoder(mark).decode(bytes)
  if (bytes.subarray(0, 4096).includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** The decoder of an encoding; null if there is none of this name. Definitions have Python's names. */
function decoderOf(name: string | null | undefined): TextDecoder | null {
  if (!name) return null
  const dashed = name.toLowerCase().replaceAll('_', '-')
  for (const label of [name, dashed, dashed.replaceAll('-', ''), dashed.replace(/^(iso)(8859)-?/, '$1-$2-')]) {
    try {
      return new TextDecoder(label)
    } catch {
      continue
    }
  }
  return null
}

/** The encoding that a media type names, but for those that servers name by default. */
function charsetOf(mediaType: string | null | undefined): string | undefined {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(mediaType ?? '')?.[1]
  return /^(utf-?8|(us-)?ascii|binary)$/i.test(charset ?? '') ? undefined : charset
}

/** The encoding that an XML declaration names. */
function declaredIn(bytes: Bytes): string | undefined {
  const start = new TextDecoder('windows-1252').decode(bytes.subarray(0, 200))
  return /^<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]+)/.exec(start)?.[1]
}

// As the API guesses: symbols within words are letters of a Central European encoding.
const CENTRAL = /\p{L}[³£¹¥¿¯º¾¼]\p{L}|[³£¹¥][a-zà-ÿ]/u

function guessed(bytes: Bytes): TextDecoder {
  const western = new TextDecoder('windows-1252')
  return CENTRAL.test(western.decode(bytes.subarray(0, 200_000))) ? new TextDecoder('windows-1250') : western
}
