/** A real HTTP server that reads SOAP messages and says what it read; and the messages to send to it. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toGatewayError } from '../../../src/errors.ts'
import { createSpool, type Spool } from '../../../src/spool/index.ts'
import { type MessageLimits, readMessage } from '../../../src/xds/mtom/reader.ts'
import type { XmlElement } from '../../../src/xml/tree.ts'

export const xdsB = 'urn:ihe:iti:xds-b:2007'
export const soapNs = 'http://www.w3.org/2003/05/soap-envelope'

export interface ReadBack {
  readonly status: number
  readonly packaging?: string
  readonly action?: string
  readonly root?: string
  readonly assertion?: string
  /** One for each Document element. */
  readonly documents?: readonly ({ readonly size: number; readonly sha1: string } | null)[]
  readonly error?: string
  readonly detail?: string
}

export interface TestServer {
  readonly port: number
  readonly spool: Spool
  /** Resolves when all requests so far have been dealt with, and at least one that is still to come if asked for. */
  handled(options?: { readonly next: boolean }): Promise<void>
  spoolFiles(): string[]
  close(): Promise<void>
}

function documentsIn(element: XmlElement): XmlElement[] {
  const own = element.ns === xdsB && element.local === 'Document' ? [element] : []
  return [...own, ...element.children.flatMap(documentsIn)]
}

function assertionIn(element: XmlElement): string | undefined {
  return element.source?.xml ?? element.children.map(assertionIn).find((each) => each !== undefined)
}

export async function startServer(limits: Partial<MessageLimits> = {}, memoryLimit?: number): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'dmp-mtom-'))
  const spool = createSpool({ directory, maxBytes: 1024 ** 3, ...(memoryLimit === undefined ? {} : { memoryLimit }) })
  let requests: Promise<void>[] = []
  const waiting: (() => void)[] = []
  const answer = async (request: http.IncomingMessage): Promise<ReadBack> => {
    try {
      const message = await readMessage(request, { spool, limits })
      try {
        const documents = documentsIn(message.envelope).map((each) => {
          const document = message.document(each)
          return document === undefined ? null : { size: document.size, sha1: document.sha1 }
        })
        const assertion = assertionIn(message.envelope)
        return {
          status: 200,
          packaging: message.packaging,
          root: message.envelope.local,
          documents,
          ...(message.mediaTypeAction === undefined ? {} : { action: message.mediaTypeAction }),
          ...(assertion === undefined ? {} : { assertion }),
        }
      } finally {
        await message.dispose()
      }
    } catch (thrown) {
      const error = toGatewayError(thrown)
      return { status: error.http, error: error.code, detail: error.issues[0].detail ?? '' }
    }
  }
  const server = http.createServer((request, response) => {
    const work = answer(request).then((read) => {
      response.statusCode = read.status
      response.end(JSON.stringify(read))
    })
    requests.push(work)
    for (const wake of waiting.splice(0)) wake()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    spool,
    async handled(options) {
      if (options?.next === true && requests.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      const under = requests
      requests = []
      await Promise.all(under)
    },
    spoolFiles: () => readdirSync(directory),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Sends a body in these pieces, each written by itself; Content-Length when asked for, else chunked. */
export async function post(
  port: number,
  contentType: string | undefined,
  pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>,
  headers: http.OutgoingHttpHeaders = {},
): Promise<ReadBack> {
  return await new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve(JSON.parse(body) as ReadBack))
      response.on('error', reject)
    })
    if (contentType !== undefined) request.setHeader('Content-Type', contentType)
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) request.setHeader(name, value)
    request.setNoDelay(true)
    request.on('error', reject)
    const send = async (): Promise<void> => {
      for await (const piece of pieces)
        if (!request.write(piece)) await new Promise((drained) => request.once('drain', drained))
      request.end()
    }
    send().catch(reject)
  })
}

export function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

/** The envelope of an ITI-41 or ITI-43, as far as this layer is concerned. */
export function envelope(...documents: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="${soapNs}"><s:Header/><s:Body><p:Request xmlns:p="${xdsB}">${documents
    .map((content, index) => `<p:Document id="Document${index}">${content}</p:Document>`)
    .join('')}</p:Request></s:Body></s:Envelope>`
}

export function include(href: string): string {
  return `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="${href}"/>`
}

export interface TestPart {
  readonly header: readonly string[]
  readonly body: Uint8Array | string
}

export const rootHeader = [
  'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',
  'Content-Transfer-Encoding: binary',
  'Content-ID: <root@test>',
]

export function root(body: string): TestPart {
  return { header: rootHeader, body }
}

export function part(contentId: string, body: Uint8Array | string, ...more: readonly string[]): TestPart {
  return { header: ['Content-Type: application/octet-stream', `Content-ID: <${contentId}>`, ...more], body }
}

export const boundary = 'MIMEBoundary_test'
export const mtomType = `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<root@test>"; start-info="application/soap+xml"; action="urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"`

export function multipart(...parts: readonly TestPart[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(({ header, body }) => [
      Buffer.from(`--${boundary}\r\n${header.map((line) => `${line}\r\n`).join('')}\r\n`),
      Buffer.from(body as string),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}
