/** The bytes of a page as text, where they are one. */
import { send } from '../../api/client'

/** A page's content. */
export interface Content {
  /** Null: the page is binary. */
  text: string | null
  bytes: number
  /** What the bytes are, if they are no plain text: `gzip`, `Parquet`. */
  packed: string | null
}

const BINARY: [string, string][] = [
  ['504b0304', 'a ZIP archive or a workbook (XLSX)'],
  ['50415231', 'a Parquet file'],
  ['25504446', 'a PDF file'],
]

/** Load a page's content from an address of the API. */
export async function loadContent(path: string): Promise<Content> {
  const response = await send(path)
  return readContent(new Uint8Array(await response.arrayBuffer()))
}

async function readContent(bytes: Uint8Array<ArrayBuffer>): Promise<Content> {
  const magic = [...bytes.slice(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  if (magic.startsWith('1f8b')) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
    try {
      const unpacked = await readContent(new Uint8Array(await new Response(stream).arrayBuffer()))
      return { ...unpacked, bytes: bytes.length, packed: unpacked.packed ?? 'gzip' }
    } catch {
      return { text: null, bytes: bytes.length, packed: 'a gzip archive that cannot be unpacked' }
    }
  }
  const known = BINARY.find(([start]) => magic === start)
  if (known) return { text: null, bytes: bytes.length, packed: known[1] }
  const text = decode(bytes)
  return { text, bytes: bytes.length, packed: text === null ? 'binary data' : null }
}

function decode(bytes: Uint8Array<ArrayBuffer>): string | null {
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null
  if (mark) return new TextDecoder(mark).decode(bytes)
  if (bytes.subarray(0, 4096).includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
