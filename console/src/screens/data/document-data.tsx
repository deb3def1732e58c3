export function DocumentData(_: { source: unknown }) { return null }
