/** The XDS.b door on a loopback port over operations that a test provides, and a client that speaks SOAP to it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import type { Caller } from '../../src/access/caller.ts'
import { GatewayError } from '../../src/errors.ts'
import { toOid } from '../../src/metadata/identifiers.ts'
import type { Submission } from '../../src/metadata/model.ts'
import type { Findings, Operations } from '../../src/operations/operations.ts'
import type { AssertionSource, DocumentContent, Identity } from '../../src/operations/ports.ts'
import { createSpool } from '../../src/spool/index.ts'
import { writeAssociation, writeDocumentEntry, writeFolder, writeSubmissionSet } from '../../src/xds/ebrim/writer.ts'
import { createXdsDoor } from '../../src/xds/index.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { attribute, child, type XmlElement } from '../../src/xml/tree.ts'
import { XmlWriter } from '../../src/xml/writer.ts'
import { sha1 } from '../mothers/metadata.ts'

export const repositoryUniqueId = toOid('1.2.250.1.213.4.1.1.1.2')

export const professional: Caller = {
  kind: 'professional',
  authentication: 'direct',
  person: { id: '899700000001', name: 'EXEMPLE Anne' },
  structure: { id: '1010099999', name: 'CH EXEMPLE' },
  profession: { code: '10', system: '1.2.250.1.71.1.2.7' },
  specialities: [],
  regulation: false,
  secretConnection: false,
  proof: 'vihf',
}

const notAsked = (): never => {
  throw new Error('this operation was not expected')
}

/** Those of the test; any other throws when it is called. */
export function operationsWith(some: Partial<Operations>): Operations {
  return new Proxy(some as Operations, {
    get: (target, name) => target[name as keyof Operations] ?? notAsked,
  })
}

export const noFindings: Findings = {
  documents: [],
  submissionSets: [],
  folders: [],
  associations: [],
  async *entries() {},
}

/** Takes any assertion for the professional, unless the test says otherwise. */
export function identityWith(some: Partial<Identity> = {}): Identity {
  return {
    fromBearer: async () => notAsked(),
    fromConnection: () => undefined,
    fromAssertion: async () => professional,
    anonymous: () => undefined,
    ...some,
  }
}

export function contentOf(bytes: Buffer): DocumentContent {
  return { size: bytes.length, sha1: sha1(bytes), bytes, stream: () => Readable.from([bytes]) }
}

export interface RunningDoor {
  readonly registry: string
  readonly repository: string
  /** Lines of the log, as the door wrote them. */
  readonly log: object[]
  /** Files left in the spool. */
  readonly spoolDirectory: string
  close(): Promise<void>
}

export interface DoorOptions {
  readonly operations?: Partial<Operations>
  readonly identity?: Partial<Identity>
  readonly profile?: 'ci-sis' | 'ihe'
  readonly xsd?: 'strict' | 'warn' | 'off'
}

export async function startDoor({
  operations = {},
  identity,
  profile = 'ci-sis',
  xsd = 'strict',
}: DoorOptions): Promise<RunningDoor> {
  const spoolDirectory = await mkdtemp(path.join(tmpdir(), 'xds-door-'))
  const log: object[] = []
  const write = (fields: object) => void log.push(fields)
  const door = createXdsDoor({
    operations: operationsWith(operations),
    identity: identityWith(identity),
    spool: createSpool({ directory: spoolDirectory, maxBytes: 64 * 1024 * 1024, memoryLimit: 1024 }),
    profile,
    xsd,
    repositoryUniqueId,
    limits: { maxMetadataBytes: 1024 * 1024, maxDocumentBytes: 32 * 1024 * 1024, maxParts: 20 },
    log: { info: write, warn: write, error: write },
  })
  const server = createServer((request, response) => {
    const at = request.url === '/xds/registry' ? door.registry : door.repository
    void at(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/xds`
  return {
    registry: `${base}/registry`,
    repository: `${base}/repository`,
    log,
    spoolDirectory,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(spoolDirectory, { recursive: true, force: true })
    },
  }
}

// --- Requests -------------------------------------------------------------------------------------------------------

export const messageId = 'urn:uuid:2f4d6c80-0000-4000-8000-000000000001'
export const anAssertion = `<saml2:Assertion xmlns:saml2="${ns.saml2}" ID="_a1" Version="2.0"/>`
export const aSecurity = `<wsse:Security xmlns:wsse="${ns.wsse}" soap:mustUnderstand="1">${anAssertion}</wsse:Security>`

export interface EnvelopeParts {
  readonly action?: string
  /** Header blocks besides Action, MessageID and Security. */
  readonly headers?: string
  readonly security?: string
  readonly body: string
}

export function anEnvelope({ action, headers = '', security = aSecurity, body }: EnvelopeParts): string {
  const actionBlock = action === undefined ? '' : `<wsa:Action soap:mustUnderstand="1">${action}</wsa:Action>`
  return `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="${ns.soap}" xmlns:wsa="${ns.wsa}"><soap:Header>${actionBlock}<wsa:MessageID>${messageId}</wsa:MessageID>${headers}${security}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`
}

/** rim:RegistryObjectList in lcm:SubmitObjectsRequest. */
export function submitObjects({ submissionSet, entries, folders, associations }: Submission): string {
  const xml = new XmlWriter().start('lcm:SubmitObjectsRequest', { 'xmlns:lcm': ns.lcm, 'xmlns:rim': ns.rim })
  xml.start('rim:RegistryObjectList')
  for (const entry of entries) writeDocumentEntry(xml, entry)
  writeSubmissionSet(xml, submissionSet)
  for (const folder of folders) writeFolder(xml, folder)
  for (const association of associations) writeAssociation(xml, association)
  return xml.end().end().take().toString('utf8')
}

/** xdsb:Document elements with their content inline, or as xop:Include of parts named doc0, doc1, … */
export function provideAndRegister(submission: string, documents: readonly { id: string; bytes?: Buffer }[]): string {
  const elements = documents.map(({ id, bytes }, index) =>
    bytes
      ? `<xdsb:Document id="${id}">${bytes.toString('base64')}</xdsb:Document>`
      : `<xdsb:Document id="${id}"><xop:Include xmlns:xop="${ns.xop}" href="cid:doc${index}@test"/></xdsb:Document>`,
  )
  return `<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="${ns.xdsb}">${submission}${elements.join('')}</xdsb:ProvideAndRegisterDocumentSetRequest>`
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly contentType: string
  /** The Envelope. */
  readonly envelope: XmlElement
  /** The one child of soap:Body. */
  readonly body: XmlElement
  readonly text: string
  /** MIME parts by Content-ID without brackets, the root aside. */
  readonly parts: ReadonlyMap<string, { readonly contentType: string; readonly bytes: Buffer }>
}

export async function postSimple(url: string, envelope: string, headers: Record<string, string> = {}): Promise<Reply> {
  return post(url, { 'Content-Type': 'application/soap+xml; charset=UTF-8', ...headers }, Buffer.from(envelope))
}

/** The envelope as the root of multipart/related, and each document as the part doc0@test, doc1@test, … */
export async function postMtom(url: string, envelope: string, documents: readonly Buffer[] = []): Promise<Reply> {
  const boundary = 'MIMEBoundary_test'
  const part = (id: string, type: string, bytes: Buffer) => [
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}>\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]
  const root = 'application/xop+xml; charset=UTF-8; type="application/soap+xml"'
  const body = Buffer.concat([
    ...part('root@test', root, Buffer.from(envelope)),
    ...documents.flatMap((bytes, index) => part(`doc${index}@test`, 'application/octet-stream', bytes)),
    Buffer.from(`--${boundary}--\r\n`),
  ])
  const type = `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<root@test>"; start-info="application/soap+xml"`
  return post(url, { 'Content-Type': type }, body)
}

export async function post(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
  method = 'POST',
): Promise<Reply> {
  const { status, headers: received, bytes } = await exchange(url, headers, body, method)
  const contentType = received['content-type'] ?? ''
  const mime = /^multipart\/related.*boundary="([^"]+)"/.exec(contentType)
  const parts = mime?.[1] ? splitParts(bytes, mime[1]) : []
  const text = (parts[0]?.bytes ?? bytes).toString('utf8')
  const envelope = parseXml(text)
  const soapBody = child(envelope, ns.soap, 'Body')
  const [first] = soapBody?.children ?? []
  if (first === undefined) throw new Error(`no SOAP body in the answer: ${text}`)
  const named = parts.slice(1).map((each) => [each.contentId, each] as const)
  return { status, headers: received, contentType, envelope, body: first, text, parts: new Map(named) }
}

function exchange(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
  method: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers: { ...headers, 'Content-Length': body.length } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

function splitParts(bytes: Buffer, boundary: string): { contentId: string; contentType: string; bytes: Buffer }[] {
  const text = bytes.toString('latin1')
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n')
      const head = part.slice(0, end)
      const field = (name: string) => new RegExp(`${name}: *(.*)`, 'i').exec(head)?.[1]?.trim() ?? ''
      return {
        contentId: field('Content-ID').replace(/^<|>$/g, ''),
        contentType: field('Content-Type'),
        bytes: Buffer.from(part.slice(end + 4, -2), 'latin1'),
      }
    })
}

// --- Answers --------------------------------------------------------------------------------------------------------

export interface ReadError {
  readonly errorCode: string | undefined
  readonly codeContext: string | undefined
  readonly severity: string | undefined
  readonly location: string | undefined
}

/** Status and errors of a RegistryResponse, AdhocQueryResponse or RetrieveDocumentSetResponse. */
export function outcomeOf({ body }: Reply): { status: string; errors: readonly ReadError[] } {
  const holder = child(body, ns.rs, 'RegistryResponse') ?? body
  const list = child(holder, ns.rs, 'RegistryErrorList')
  const errors = (list?.children ?? []).map((error) => ({
    errorCode: attribute(error, 'errorCode'),
    codeContext: attribute(error, 'codeContext'),
    severity: attribute(error, 'severity')?.replace(/^.*:/, ''),
    location: attribute(error, 'location'),
  }))
  return { status: attribute(holder, 'status')?.replace(/^.*:/, '') ?? '', errors }
}

export interface ReadFault {
  readonly code: string
  readonly subcodes: readonly string[]
  readonly reasons: Readonly<Record<string, string>>
  readonly details: readonly string[]
}

export function faultOf({ body }: Reply): ReadFault {
  if (body.local !== 'Fault') throw new Error(`no fault but ${body.local}`)
  const code = child(body, ns.soap, 'Code')
  const subcodes: string[] = []
  for (let at = code && child(code, ns.soap, 'Subcode'); at; at = child(at, ns.soap, 'Subcode'))
    subcodes.push(child(at, ns.soap, 'Value')?.text ?? '')
  const reasons = child(body, ns.soap, 'Reason')?.children ?? []
  return {
    code: (code && child(code, ns.soap, 'Value')?.text) ?? '',
    subcodes,
    reasons: Object.fromEntries(
      reasons.map((text) => [attribute(text, 'lang', 'http://www.w3.org/XML/1998/namespace') ?? '', text.text]),
    ),
    details: child(body, ns.soap, 'Detail')?.children.map(({ text }) => text) ?? [],
  }
}

/** Text of a header block of WS-Addressing in the answer. */
export function addressing({ envelope }: Reply, local: string): string | undefined {
  const header = child(envelope, ns.soap, 'Header')
  return header && child(header, ns.wsa, local)?.text
}

export function refusing(code: ConstructorParameters<typeof GatewayError>[0]): () => Promise<never> {
  return async () => {
    throw new GatewayError(code)
  }
}

export type { AssertionSource }
