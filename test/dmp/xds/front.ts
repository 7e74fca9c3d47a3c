/**
 * A server before the simulated DMP: it answers some services with what a test says, word for word, and gives everything
 * else on. Answers are written from the description of the wire (DMP-SERVICES §2), not by the connector.
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Simulator } from '../../../src/cli/simulator/index.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import type { XmlElement } from '../../../src/xml/tree.ts'

export interface Asked {
  /** Last step of the path. */
  readonly service: string
  /** wsa:Action. */
  readonly action: string
  /** The child of soap:Body. */
  readonly body: XmlElement
  /** Attributes of the VIHF by name; NameID among them. */
  readonly vihf: Readonly<Record<string, string>>
}

export interface Front {
  readonly baseUrl: string
  /** What it answered itself, in order. */
  readonly asked: readonly Asked[]
  close(): Promise<void>
}

const path = '/si-dmp-server/v2/services/'

/** @param answer the child of soap:Body, or undefined for what the simulated DMP is to answer */
export async function openFront(
  { keys, baseUrl }: Simulator,
  answer: (asked: Asked) => string | undefined,
): Promise<Front> {
  const asked: Asked[] = []
  const client = {
    key: readFileSync(keys.authentication.key),
    cert: readFileSync(keys.authentication.certificate),
    ca: readFileSync(keys.authority),
  }
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    const service = request.url?.slice(path.length) ?? ''
    const question = askedIn(service, bytes)
    const xml = question && answer(question)
    if (question !== undefined && xml !== undefined) {
      asked.push(question)
      response.writeHead(200, { 'Content-Type': 'application/soap+xml; charset=UTF-8' })
      response.end(
        `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header/><soap:Body>${xml}</soap:Body></soap:Envelope>`,
      )
      return
    }
    const onward = httpsRequest(`${baseUrl}/${service}`, {
      ...client,
      method: request.method,
      headers: { ...request.headers, host: new URL(baseUrl).host },
    })
    onward.once('response', (given) => {
      response.writeHead(given.statusCode ?? 500, given.headers)
      given.pipe(response)
    })
    onward.once('error', () => response.destroy())
    onward.end(bytes)
  }
  const tls = { key: keys.serverKey, cert: keys.serverCertificate, ca: keys.clientCertificate }
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `https://localhost:${(server.address() as AddressInfo).port}${path.slice(0, -1)}`,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Undefined for MTOM and for no message at all. */
function askedIn(service: string, bytes: Buffer): Asked | undefined {
  if (bytes.subarray(0, 1).toString() !== '<') return undefined
  const envelope = parseXml(bytes)
  const [header, body] = envelope.children
  const content = body?.children[0]
  if (header === undefined || content === undefined) return undefined
  const named = all(header, 'Attribute').map((each) => [nameOf(each), all(each, 'AttributeValue')[0]?.text ?? ''])
  return {
    service,
    action: all(header, 'Action')[0]?.text ?? '',
    body: content,
    vihf: { ...Object.fromEntries(named), NameID: all(header, 'NameID')[0]?.text ?? '' },
  }
}

function nameOf({ attributes }: XmlElement): string {
  return attributes.find(({ local }) => local === 'Name')?.value ?? ''
}

function all(element: XmlElement, local: string): readonly XmlElement[] {
  return element.children.flatMap((child) => [...(child.local === local ? [child] : []), ...all(child, local)])
}
