/**
 * A SOAP request to another system, plain or MTOM (XOP §4.1, RFC 2387): its header and its bytes, made as they are sent.
 * The length is known beforehand, which old proxies ask for.
 */
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { newContentId } from './writer.ts'

export interface RequestPart {
  /** Without angle brackets, see newContentId. */
  readonly contentId: string
  readonly contentType: string
  readonly size: number
  /** Opens the bytes; called when the part's turn comes. */
  stream(): Readable
}

export interface ComposedRequest {
  readonly contentType: string
  /** Bytes of the whole body. */
  readonly length: number
  body(): AsyncGenerator<Buffer>
}

const quoted = (value: string): string => value.replace(/["\\]/g, '\\$&')

export function composeSimple(action: string, envelope: Buffer): ComposedRequest {
  return {
    contentType: `application/soap+xml; charset=UTF-8; action="${quoted(action)}"`,
    length: envelope.length,
    async *body() {
      yield envelope
    },
  }
}

/** @param rootAction the action parameter of the root part; some servers want their own operation name there */
export function composeMtom(
  action: string,
  envelope: Buffer,
  parts: readonly RequestPart[],
  rootAction = action,
): ComposedRequest {
  const boundary = `MIMEBoundary_${randomUUID()}`
  const root = newContentId()
  const rootType = `application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="${quoted(rootAction)}"`
  const headers = [head(boundary, root, rootType, '')]
  for (const part of parts) headers.push(head(boundary, part.contentId, part.contentType, '\r\n'))
  const end = Buffer.from(`\r\n--${boundary}--\r\n`)
  const documents = parts.reduce((sum, { size }) => sum + size, 0)
  return {
    contentType: `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<${root}>"; start-info="application/soap+xml"; action="${quoted(action)}"`,
    length: headers.reduce((sum, { length }) => sum + length, 0) + envelope.length + documents + end.length,
    async *body() {
      const [first, ...others] = headers
      yield Buffer.concat([first ?? Buffer.alloc(0), envelope])
      for (const [index, part] of parts.entries()) {
        yield others[index] ?? Buffer.alloc(0)
        for await (const chunk of part.stream()) yield chunk as Buffer
      }
      yield end
    },
  }
}

function head(boundary: string, contentId: string, contentType: string, before: string): Buffer {
  const type = /^[\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream'
  return Buffer.from(
    `${before}--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`,
  )
}
