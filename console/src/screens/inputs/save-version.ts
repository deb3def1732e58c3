import { api, ok, type Schemas } from '../../api/client'
import { toast } from '../../ui/toasts'
import type { Document } from './kinds'

/** Store a document as the next version of an input, and say so; `etag` is that of the version before. */
export async function saveVersion(slug: string, etag: string, document: Document, comment: string | null): Promise<Schemas['InputView']> {
  const params = { path: { slug }, header: { 'If-Match': etag } }
  const saved = await ok(api.PUT('/v1/inputs/{slug}', { params, body: { kind: null, document, comment } }))
  toast(`Version ${saved.version} was stored.`)
  return saved
}
