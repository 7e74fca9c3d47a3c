/** What an attacker sends to the XDS.b door, bytes as they are, and what may come back. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { ns } from '../../src/xds/namespaces.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { child } from '../../src/xml/tree.ts'
import { type HttpSend, send } from '../support/http.ts'
import { splitMtom } from '../support/mtom.ts'
import { list, type Registry } from '../xds/registry/registry.ts'

export const simple = 'application/soap+xml; charset=UTF-8'
export const mtom = (boundary = 'b', more = '; start="<root>"') =>
  `multipart/related; type="application/xop+xml"; boundary="${boundary}"${more}; start-info="application/soap+xml"`

export interface Answer {
  readonly status: number
  /** `fault` with its code, `failure` with the code of its first error, `success`. */
  readonly kind: string
  readonly text: string
}

/** Sends and understands; fails when the answer is no SOAP or tells of our insides. */
export async function attack(
  url: string,
  contentType: string,
  body: HttpSend['body'],
  more: HttpSend = {},
): Promise<Answer> {
  const headers = { 'Content-Type': contentType, ...more.headers }
  const reply = await send(url, { ...more, headers, ...(body !== undefined && { body }) })
  const [root] = splitMtom(reply.headers['content-type'] ?? '', reply.bytes)
  return understood(reply.status, (root?.bytes ?? reply.bytes).toString('utf8'))
}

export function understood(status: number, text: string): Answer {
  assert.notEqual(status, 500, text.slice(0, 500))
  const envelope = parseXml(text)
  const [content] = child(envelope, ns.soap, 'Body')?.children ?? []
  assert.ok(content, 'an answer is SOAP')
  assert.doesNotMatch(text, insides)
  if (content.local === 'Fault') {
    assert.ok(status >= 400 && status < 500, `a Sender fault has a status of the client: ${status}`)
    const code = child(content, ns.soap, 'Code')
    return { status, text, kind: `fault ${(code && child(code, ns.soap, 'Value')?.text) ?? ''}` }
  }
  assert.equal(status, 200)
  const error = /errorCode="([^"]*)"/.exec(text)?.[1]
  return { status, text, kind: error === undefined ? 'success' : `failure ${error}` }
}

/** Paths, stack frames, names of our libraries and tables. */
const insides = /node_modules|\/src\/|\.ts:\d|at \w+ \(|SQLITE|sqlite|saxes|libxml|TypeError|RangeError|undefined/

/** Whether the gateway still answers a plain question. */
export async function stillServes(registry: Registry): Promise<void> {
  const { outcome } = await registry.query('GetDocuments', { XDSDocumentEntryUniqueId: list('1.2.3') }, 'ObjectRef')
  assert.equal(outcome.status, 'Success')
}

/** Bytes over a socket of our own, for what no HTTP client would send; gives what came back until the end. */
export function raw(
  url: string,
  write: (say: (bytes: string | Buffer) => void, hangUp: () => void) => void,
): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    let received = ''
    socket.on('connect', () =>
      write(
        (bytes) => void socket.write(bytes),
        () => socket.end(),
      ),
    )
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}
