/**
 * MTOM as a hospital's client would write it, by hand and apart from the gateway's own reader and writer: what they agree
 * on here is the standard (XOP 1.0, MTOM for SOAP 1.2), not one of them with itself.
 */
import { randomUUID } from 'node:crypto'

export interface MimePart {
  /** Without angle brackets. */
  readonly contentId: string
  readonly contentType?: string
  readonly bytes: Buffer
}

export interface MimeMessage {
  /** Value of the HTTP header Content-Type. */
  readonly contentType: string
  readonly body: Buffer
}

const rootId = 'root.envelope@client.example'
const soapType = 'application/soap+xml'

/** A multipart/related message: the envelope first, each document in a part of its own. */
export function composeMtom(envelope: string, parts: readonly MimePart[] = []): MimeMessage {
  const boundary = `MIMEBoundary_${randomUUID()}`
  return {
    contentType: mtomType(boundary),
    body: Buffer.concat([
      Buffer.from(rootHead(boundary) + envelope),
      ...parts.flatMap(({ bytes, ...part }) => [Buffer.from(partHead(boundary, part)), bytes]),
      Buffer.from(tail(boundary)),
    ]),
  }
}

/** The same with one document that comes in pieces, so that a large one is never in memory. */
export function streamMtom(
  envelope: string,
  part: Omit<MimePart, 'bytes'>,
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
): { readonly contentType: string; readonly body: AsyncGenerator<Buffer> } {
  const boundary = `MIMEBoundary_${randomUUID()}`
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from(rootHead(boundary) + envelope + partHead(boundary, part))
    yield* bytes
    yield Buffer.from(tail(boundary))
  }
  return { contentType: mtomType(boundary), body: body() }
}

function mtomType(boundary: string): string {
  return `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<${rootId}>"; start-info="${soapType}"`
}

function rootHead(boundary: string): string {
  return `--${boundary}\r\n${headers('application/xop+xml; charset=UTF-8; type="application/soap+xml"', rootId)}`
}

function partHead(boundary: string, { contentId, contentType = 'text/xml' }: Omit<MimePart, 'bytes'>): string {
  return `\r\n--${boundary}\r\n${headers(contentType, contentId)}`
}

function headers(contentType: string, contentId: string): string {
  return `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`
}

function tail(boundary: string): string {
  return `\r\n--${boundary}--\r\n`
}

/** The parts of a message, the envelope first; a plain answer is its own only part. */
export function splitMtom(contentType: string, body: Buffer): readonly MimePart[] {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (!/^multipart\/related/i.test(contentType) || boundary === undefined) {
    return [{ contentId: '', contentType, bytes: body }]
  }
  const parts: MimePart[] = []
  const delimiter = Buffer.from(`--${boundary}`)
  let at = body.indexOf(delimiter)
  while (at >= 0) {
    const start = body.indexOf('\r\n', at + delimiter.length)
    const next = body.indexOf(Buffer.concat([Buffer.from('\r\n'), delimiter]), start)
    if (start < 0 || next < 0) break
    const end = body.indexOf('\r\n\r\n', start)
    const head = body.subarray(start, end).toString('latin1')
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim() ?? ''
    parts.push({
      contentId: field('Content-ID').replace(/^<|>$/g, ''),
      contentType: field('Content-Type'),
      bytes: body.subarray(end + 4, next),
    })
    at = next + 2
  }
  return parts
}
