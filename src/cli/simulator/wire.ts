/** One request off the wire, as HTTP, MIME and XOP have it (DMP-SERVICES §1.2, §1.3), read on its own terms. */
import type { IncomingMessage } from 'node:http'
import { parseXml } from '../../xml/reader.ts'
import type { XmlElement } from '../../xml/tree.ts'
import { all, type Check, mediaType, ns, of, parameter } from './check.ts'

/** A simulated DMP holds what it is sent in memory. */
const maxBytes = 256 * 1024 * 1024

export interface WireMessage {
  /** As they came, for who reads them again. */
  readonly bytes: Buffer
  readonly packaging: 'simple' | 'mtom'
  readonly envelope: XmlElement
  /** Of the Content-Type. */
  readonly action?: string
  /** Documents by the id of their Content-ID. */
  readonly parts: ReadonlyMap<string, Part>
}

interface Part {
  readonly headers: ReadonlyMap<string, string>
  readonly bytes: Buffer
}

/** A message that cannot be read at all. */
export class Unreadable extends Error {}

export async function readWire(request: IncomingMessage, check: Check): Promise<WireMessage> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length
    if (size > maxBytes) throw new Unreadable(`le simulateur lit ${maxBytes} octets au plus`)
    chunks.push(chunk as Buffer)
  }
  const bytes = Buffer.concat(chunks)
  const type = request.headers['content-type'] ?? ''
  check.that(request.method === 'POST', '§1.1', 'POST attendu')
  const action = parameter(type, 'action')
  const common = { bytes, ...(action !== undefined && { action }) }
  if (mediaType(type) === 'application/soap+xml') {
    checkCharset(check, type, '§1.2 Content-Type')
    return { ...common, packaging: 'simple', envelope: envelopeOf(bytes), parts: new Map() }
  }
  if (mediaType(type) !== 'multipart/related')
    throw new Unreadable(`§1.2 Content-Type : application/soap+xml ou multipart/related attendu`)
  return { ...common, packaging: 'mtom', ...readMtom(bytes, type, check) }
}

function readMtom(bytes: Buffer, type: string, check: Check): Pick<WireMessage, 'envelope' | 'parts'> {
  const rule = '§1.3 Content-Type'
  const boundary = parameter(type, 'boundary')
  if (boundary === undefined || boundary === '') throw new Unreadable(`${rule} : boundary manque`)
  check.that(parameter(type, 'type') === 'application/xop+xml', rule, 'type="application/xop+xml" attendu')
  check.that(
    parameter(type, 'start-info') === 'application/soap+xml',
    rule,
    'start-info="application/soap+xml" attendu',
  )
  const start = parameter(type, 'start') ?? ''
  check.that(/^<[^<>\s]+>$/.test(start), rule, 'start="<Content-ID>" attendu')
  const [root, ...others] = split(bytes, boundary)
  if (root === undefined) throw new Unreadable('§1.3 : aucune partie')
  checkPart(check, root)
  const rootType = root.headers.get('content-type') ?? ''
  check.that(root.headers.get('content-id') === start, '§1.3 partie racine', 'Content-ID égal à start attendu')
  check.that(mediaType(rootType) === 'application/xop+xml', '§1.3 partie racine', 'application/xop+xml attendu')
  check.that(parameter(rootType, 'type') === 'application/soap+xml', '§1.3 partie racine', 'type soap+xml attendu')
  checkCharset(check, rootType, '§1.3 partie racine')
  const parts = new Map<string, Part>()
  for (const part of others) {
    checkPart(check, part)
    const id = (part.headers.get('content-id') ?? '').replace(/^<|>$/g, '')
    check.that(!parts.has(id), '§1.3 Content-ID', 'deux parties de même Content-ID')
    check.that(
      ['text/xml', 'application/octet-stream'].includes(mediaType(part.headers.get('content-type') ?? '')),
      '§1.3 partie de document',
      'text/xml ou application/octet-stream attendu',
    )
    parts.set(id, part)
  }
  const envelope = envelopeOf(root.bytes)
  checkIncludes(check, envelope, parts)
  return { envelope, parts }
}

function checkPart(check: Check, { headers }: Part): void {
  const encoding = headers.get('content-transfer-encoding')
  check.that(encoding === 'binary', '§1.3 Content-Transfer-Encoding', 'binary attendu')
  check.that(/^<[^<>\s]+>$/.test(headers.get('content-id') ?? ''), '§1.3 Content-ID', 'entre < et > attendu')
}

function checkCharset(check: Check, type: string, rule: string): void {
  check.that((parameter(type, 'charset') ?? '').toUpperCase() === 'UTF-8', rule, 'charset=UTF-8 attendu')
}

/** Every document part is included once, and every inclusion leads to a part. */
function checkIncludes(check: Check, envelope: XmlElement, parts: ReadonlyMap<string, Part>): void {
  const included = includes(envelope).map(contentId)
  for (const id of included) check.that(parts.has(id), '§1.3 xop:Include', 'une référence ne mène à aucune partie')
  check.that(new Set(included).size === included.length, '§1.3 xop:Include', 'une partie est incluse deux fois')
  for (const id of parts.keys())
    check.that(included.includes(id), '§1.3 xop:Include', 'une partie n’est incluse nulle part')
}

function includes(element: XmlElement): XmlElement[] {
  return element.children.flatMap((each) => (each.ns === ns.xop && each.local === 'Include' ? [each] : includes(each)))
}

/** RFC 2392: what `cid:` leads to. */
function contentId(include: XmlElement): string {
  const href = of(include, 'href')
  if (!href.startsWith('cid:')) return ''
  try {
    return decodeURIComponent(href.slice(4))
  } catch {
    return href.slice(4)
  }
}

/** The bytes of an xdsb:Document, through its xop:Include. */
export function documentBytes({ parts }: WireMessage, document: XmlElement): Buffer | undefined {
  const [include] = all(document, ns.xop, 'Include')
  return include && parts.get(contentId(include))?.bytes
}

function envelopeOf(bytes: Buffer): XmlElement {
  return parseXml(bytes, { capture: [{ ns: ns.saml, local: 'Assertion' }] })
}

/** RFC 2046 §5.1. */
function split(bytes: Buffer, boundary: string): Part[] {
  const parts: Part[] = []
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const opening = bytes.indexOf(`--${boundary}\r\n`)
  if (opening < 0) throw new Unreadable('§1.3 : le boundary ne commence aucune partie')
  let at = opening + delimiter.length
  for (;;) {
    const end = bytes.indexOf(delimiter, at)
    const head = bytes.indexOf('\r\n\r\n', at)
    if (end < 0 || head < 0 || head > end) throw new Unreadable('§1.3 : une partie n’a pas de fin')
    parts.push({ headers: headersOf(bytes.toString('latin1', at, head)), bytes: bytes.subarray(head + 4, end) })
    at = end + delimiter.length
    if (bytes.toString('latin1', at, at + 2) === '--') return parts
    at += 2
  }
}

function headersOf(text: string): ReadonlyMap<string, string> {
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
}
