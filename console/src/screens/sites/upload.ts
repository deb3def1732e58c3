/** A file into the inbox, by the presigned form of the API, with its progress. */
import { ApiError, type Schemas } from '../../api/client'

/** @param onProgress called with the share that is sent, from 0 to 1; fetch cannot tell it. */
export function uploadFile(form: Schemas['UploadForm'], file: File, onProgress: (share: number) => void): Promise<void> {
  const body = new FormData()
  for (const [name, value] of Object.entries(form.fields)) body.set(name, value)
  body.set('file', file)
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const fail = (detail: string) =>
      reject(new ApiError(request.status, { type: 'about:blank', title: 'The upload has failed', status: request.status, detail }))
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0)
    request.onload = () => (request.status < 300 ? resolve() : fail(`The inbox answered ${request.status}. Try again.`))
    request.onerror = () => fail('The inbox did not answer. Check the connection, then try again.')
    request.open('POST', form.url)
    request.send(body)
  })
}
