/** HTTP as bare as node:http gives it: exact bytes, headers as sent, bodies that stream. */
import { Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface HttpReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

export interface HttpSend {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Buffer | string | AsyncIterable<Uint8Array>
  /** Takes the answer chunk by chunk; `bytes` of the reply is then empty. */
  readonly onData?: (chunk: Buffer) => void
}

/** Connections are kept: a suite sends thousands of requests, and a handshake each would be most of its time. */
const agent = new Agent({ keepAlive: true, maxSockets: 512 })

/** Sends a request and reads the whole answer, also one that comes before the body was sent to its end. */
export async function send(
  url: string,
  { method = 'POST', headers = {}, body, onData }: HttpSend = {},
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const length =
      typeof body === 'string' || Buffer.isBuffer(body) ? { 'Content-Length': Buffer.byteLength(body) } : {}
    let answered = false
    const request = httpRequest(url, { method, agent, headers: { ...length, ...headers } }, (response) => {
      answered = true
      const chunks: Buffer[] = []
      response.on('data', onData ?? ((chunk: Buffer) => chunks.push(chunk)))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) })
      })
    })
    const failed = (error: Error): void => {
      if (!answered) reject(error)
    }
    request.on('error', failed)
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body)
    else pipeline(Readable.from(body, { objectMode: false }), request).catch(failed)
  })
}
