/** Save an answer of the API as a file. */

/**
 * @param response with the file as its body.
 * @param name the file's name, if the answer has none in its Content-Disposition.
 */
export async function saveAs(response: Response, name: string): Promise<void> {
  const given = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1]
  const address = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = address
  link.download = given ?? name
  link.click()
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
