/** The bytes of a page as text, where they are one. */
import { send } from '../../api/client'

/** A page's content. */
export interface Content {
  /** Null: the page is not shown as text. */
  text: string | null
  bytes: number
  /** What the bytes are, if they are no plain text: `gzip`, `a Parquet file`. */
  packed: string | null
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

/** Load a page's content from an address of the API. */
export async function loadContent(path: string): Promise<Content> {
  const response = await send(path)
  const length = Number(response.headers.get('Content-Length')) || null
  const bytes = length !== null && length > MOST_BYTES ? null : await readAll(response.body!)
  if (bytes === null) return { text: null, bytes: length ?? MOST_BYTES, packed: TOO_LARGE }
  if (!magicOf(bytes).startsWith(GZIP)) return contentOf(bytes)
  try {
    const unpacked = await readAll(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')))
    if (unpacked === null) return { text: null, bytes: bytes.length, packed: `a gzip archive of ${TOO_LARGE}` }
    const content = contentOf(unpacked)
    return { ...content, bytes: bytes.length, packed: content.packed ?? 'gzip' }
  } catch {
    return { text: null, bytes: bytes.length, packed: 'a gzip archive that cannot be unpacked' }
  }
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

function contentOf(bytes: Bytes): Content {
  const magic = magicOf(bytes)
  const known = BINARY.find(([start]) => magic.startsWith(start))
  if (known) return { text: null, bytes: bytes.length, packed: known[1] }
  const text = decode(bytes)
  return { text, bytes: bytes.length, packed: text === null ? 'binary data' : null }
}

function decode(bytes: Bytes): string | null {
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null
  if (mark) return new TextDecoder(mark).decode(bytes)
  if (bytes.subarray(0, 4096).includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
