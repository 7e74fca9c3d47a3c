/**
 * Writes a SOAP answer, plain or MTOM (XOP §4.1, RFC 2387), as it is made: documents flow from the store to the socket under
 * backpressure. When a document fails midway the connection is broken off; the reader never takes a part for the whole.
 */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface MtomPart {
  /** Without angle brackets, see newContentId. */
  readonly contentId: string
  readonly contentType: string
  /** Opens the bytes; called when the part's turn comes, so that no file stays open behind a failure. */
  readonly stream: () => Readable
}

export interface MtomAnswer {
  /** HTTP status; default 200. */
  readonly status?: number
  /** WS-Addressing action of the answer. */
  readonly action?: string
  /** The SOAP Envelope in UTF-8, its documents as xop:Include (see cidUri). */
  readonly envelope: Buffer | AsyncIterable<Buffer>
  readonly parts: Iterable<MtomPart> | AsyncIterable<MtomPart>
}

export interface SimpleAnswer {
  readonly status?: number
  readonly action?: string
  /** The SOAP Envelope in UTF-8; documents inside it as base64 (see encodeBase64 of the spool). */
  readonly envelope: Buffer | AsyncIterable<Buffer>
}

/** A Content-ID (RFC 2392) that no other message has. */
export function newContentId(): string {
  return `${randomUUID()}@dmp-gateway`
}

/** What xop:Include/@href says to mean this part. */
export function cidUri(contentId: string): string {
  return `cid:${encodeURIComponent(contentId)}`
}

/** Small pieces are joined up to this size before they are written. */
const batch = 32 * 1024

/**
 * Writes the whole answer, header included.
 * Rejects, with the connection destroyed, when a part fails or the other side is gone.
 */
export async function writeMtom(response: ServerResponse, answer: MtomAnswer): Promise<void> {
  const boundary = `MIMEBoundary_${randomUUID()}`
  const root = newContentId()
  const action = answer.action === undefined ? '' : `; action="${quoted(answer.action)}"`
  const type = `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<${root}>"; start-info="application/soap+xml"${action}`
  await write(response, answer.status, type, multipart(answer, boundary, root))
}

/** As writeMtom, for `application/soap+xml`. */
export async function writeSimple(response: ServerResponse, answer: SimpleAnswer): Promise<void> {
  const action = answer.action === undefined ? '' : `; action="${quoted(answer.action)}"`
  await write(response, answer.status, `application/soap+xml; charset=UTF-8${action}`, pieces(answer.envelope))
}

async function write(
  response: ServerResponse,
  status: number | undefined,
  contentType: string,
  body: AsyncIterable<Buffer>,
): Promise<void> {
  const joined = join(body)[Symbol.asyncIterator]()
  try {
    const first = await joined.next()
    const second = first.done === true ? first : await joined.next()
    response.statusCode = status ?? 200
    response.setHeader('Content-Type', contentType)
    if (second.done === true) {
      // The whole in one piece: one write, and a length that the other side can check
      const whole = first.done === true ? Buffer.alloc(0) : first.value
      response.setHeader('Content-Length', whole.length)
      response.end(whole)
      return
    }
    await pipeline(Readable.from(resumed([first.value, second.value], joined), { objectMode: false }), response)
  } catch (error) {
    await joined.return(undefined)
    if (response.headersSent) response.destroy()
    throw error
  }
}

async function* resumed(head: readonly Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* head
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

async function* multipart(answer: MtomAnswer, boundary: string, root: string): AsyncGenerator<Buffer> {
  yield header(boundary, root, 'application/xop+xml; charset=UTF-8; type="application/soap+xml"', '')
  yield* pieces(answer.envelope)
  for await (const { contentId, contentType, stream } of answer.parts) {
    yield header(boundary, contentId, mimeValue(contentType), '\r\n')
    for await (const chunk of stream()) yield chunk as Buffer
  }
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

function header(boundary: string, contentId: string, contentType: string, before: string): Buffer {
  if (!/^[\x21-\x3b\x3d\x3f-\x7e]+$/.test(contentId)) throw new RangeError('a Content-ID holds what it must not')
  return Buffer.from(
    `${before}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`,
  )
}

/** A mimeType comes from a submission: what is not one header value must not become two. */
function mimeValue(contentType: string): string {
  return /^[\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream'
}

function quoted(value: string): string {
  if (!/^[\x20-\x7e]*$/.test(value)) throw new RangeError('a media type parameter holds what it must not')
  return value.replace(/["\\]/g, '\\$&')
}

async function* pieces(body: Buffer | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(body)) yield body
  else yield* body
}

async function* join(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    gathered.push(chunk)
    bytes += chunk.length
    if (bytes < batch) continue
    yield gathered.length === 1 ? chunk : Buffer.concat(gathered, bytes)
    gathered = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(gathered, bytes)
}
