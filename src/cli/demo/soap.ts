/** A small XDS.b client for the demo: sends a sample with its documents as MTOM and reads the answer back. */
import { randomUUID } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Spool } from '../../spool/index.ts'
import { readMessage } from '../../xds/mtom/reader.ts'
import type { SoapMessage } from '../../xds/soap/message.ts'
import type { XmlElement } from '../../xml/tree.ts'

export interface Part {
  readonly contentId: string
  readonly bytes: Buffer
}

/** Sends an envelope to `url`; `vihf` replaces the comment that marks its place in the sample. */
export async function sendSoap(
  url: string,
  envelope: string,
  vihf: string,
  spool: Spool,
  parts: readonly Part[] = [],
): Promise<SoapMessage> {
  const mtom = /ProvideAndRegister|RetrieveDocumentSet/.test(envelope)
  const root = Buffer.from(envelope.replace('<!-- VIHF -->', () => vihf))
  const boundary = `demo-${randomUUID()}`
  const body = mtom ? multipart(boundary, root, parts) : root
  const contentType = mtom
    ? `multipart/related; type="application/xop+xml"; start="<root@demo>"; start-info="application/soap+xml"; boundary="${boundary}"`
    : 'application/soap+xml; charset=UTF-8'
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest(url, {
      method: 'POST',
      headers: { 'Content-Type': contentType, 'Content-Length': body.length },
    })
    sent.once('response', resolve).once('error', reject).end(body)
  })
  return readMessage(response, { spool })
}

function multipart(boundary: string, root: Buffer, parts: readonly Part[]): Buffer {
  const part = (contentType: string, contentId: string, bytes: Buffer) => [
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]
  return Buffer.concat([
    ...part('application/xop+xml; charset=UTF-8; type="application/soap+xml"', 'root@demo', root),
    ...parts.flatMap(({ contentId, bytes }) => part('text/xml', contentId, bytes)),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}

/** Every element with this local name, in document order. */
export function elements(root: XmlElement, local: string): XmlElement[] {
  return [...(root.local === local ? [root] : []), ...root.children.flatMap((child) => elements(child, local))]
}
