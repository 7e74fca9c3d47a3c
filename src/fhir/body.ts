/**
 * Request bodies. A resource is read as it streams: documents go to the spool, metadata become an object whose `data`
 * elements hold a placeholder that only this request knows.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { GatewayError, type Issue } from '../errors.ts'
import { Base64Decoder, type Spool, type Spooled, type SpoolSink } from '../spool/index.ts'
import { createCutter, fhirData } from '../xml/cutter.ts'
import { XmlError } from '../xml/reader.ts'
import { type DocumentTarget, JsonCutter } from './json-cutter.ts'
import { checkStructure, isObject } from './structure/check.ts'
import { resourceFromXml } from './structure/xml-reader.ts'

/** A search by POST: two hundred identifiers are 12 KiB. */
const maxFormBytes = 256 * 1024
const maxDocuments = 256
/** ITI TF and FHIR R4 nest about 15 levels deep. */
const maxDepth = 64
const maxNodes = 500_000

export interface BodyParts {
  readonly spool: Spool
  readonly limits: { readonly maxMetadataBytes: number; readonly maxDocumentBytes: number }
}

/** A resource as received, structurally sound. */
export interface ReceivedResource {
  readonly resource: { readonly resourceType: string }
  /** The document behind a `data` element: its value is a placeholder. */
  document(placeholder: string | undefined): Spooled | undefined
  /** Removes every document that no store has taken over. */
  dispose(): Promise<void>
}

const jsonTypes = ['application/fhir+json', 'application/json']
const xmlTypes = ['application/fhir+xml', 'application/xml', 'text/xml']

/**
 * Reads a FHIR resource in JSON or XML. Throws GatewayError: `media-type`, `malformed` (every structural violation at
 * once), `over-limit`; nothing is left in the spool then.
 * @param others media types that are taken as well, by another reader: named where the one that came is not taken
 */
export async function readResource(
  request: IncomingMessage,
  parts: BodyParts,
  others: readonly string[] = [],
): Promise<ReceivedResource> {
  const type = requireMediaType(request, [...jsonTypes, ...xmlTypes], others)
  const documents = new DocumentIntake(parts)
  try {
    const { resource, issues } = jsonTypes.includes(type)
      ? { resource: await readJson(request, parts, documents), issues: [] }
      : await readXml(request, parts, documents)
    const all = [...issues, ...(issues.length > 0 && resource === undefined ? [] : checkStructure(resource))]
    if (all.length > 0) throw new GatewayError(all)
    if (!isResource(resource)) throw new GatewayError('malformed', { detail: 'Send one FHIR resource.' })
    return {
      resource,
      document: (placeholder) => documents.get(placeholder),
      dispose: () => documents.dispose(),
    }
  } catch (error) {
    await documents.dispose()
    throw error
  }
}

/** A patch has a few operations on three elements. */
const maxPatchBytes = 256 * 1024

/** Reads a JSON body of one of these types, whole, up to 256 KiB. Throws GatewayError `media-type`, `malformed`, `over-limit`. */
export async function readJsonText(request: IncomingMessage, types: readonly string[]): Promise<unknown> {
  requireMediaType(request, types)
  return parse(await readWhole(request, maxPatchBytes, 'A patch'))
}

/** `type/subtype` of the body, in lower case; empty when there is none. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Types under which a document is its own body. FHIR in XML comes as application/fhir+xml or application/xml. */
const documentTypes = ['text/xml', 'application/xslt+xml']

/** Whether the body is a document itself, not a resource that holds it. */
export function holdsDocument(request: IncomingMessage): boolean {
  return documentTypes.includes(mediaTypeOf(request))
}

/** Spools the body as a document under its own type. The caller disposes of it. */
export async function readDocument(
  request: IncomingMessage,
  { spool, limits }: BodyParts,
): Promise<{ readonly mimeType: string; readonly document: Spooled }> {
  const mimeType = requireMediaType(request, documentTypes)
  const sink = spool.sink(limits.maxDocumentBytes)
  try {
    for await (const chunk of chunksOf(request)) await sink.write(chunk)
  } catch (error) {
    await sink.abort()
    throw error
  }
  return { mimeType, document: await sink.end() }
}

/** Reads the body of a search by POST (`application/x-www-form-urlencoded`), as text; an absent body is empty. */
export async function readForm(request: IncomingMessage): Promise<string> {
  const length = request.headers['content-length']
  if (length === '0' || (length === undefined && request.headers['transfer-encoding'] === undefined)) return ''
  requireMediaType(request, ['application/x-www-form-urlencoded'])
  return decode(await readWhole(request, maxFormBytes, 'A search form'))
}

async function readWhole(request: IncomingMessage, most: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of chunksOf(request)) {
    size += chunk.length
    if (size > most) throw new GatewayError('over-limit', { detail: `${what} is limited to ${most} bytes.` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

async function readJson(request: IncomingMessage, { limits }: BodyParts, documents: DocumentIntake): Promise<unknown> {
  const cutter = new JsonCutter({
    maxBytes: limits.maxMetadataBytes,
    maxDepth,
    maxNodes,
    open: () => documents.open(),
  })
  for await (const chunk of chunksOf(request)) await cutter.write(chunk)
  return parse(cutter.end())
}

async function readXml(
  request: IncomingMessage,
  { limits }: BodyParts,
  documents: DocumentIntake,
): Promise<{ resource: unknown; issues: readonly Issue[] }> {
  try {
    const cutter = createCutter<string>({
      rule: fhirData,
      open: () => documents.open(),
      maxCuts: maxDocuments,
      reader: { limits: { maxBytes: limits.maxMetadataBytes, maxDepth }, processingInstructions: 'ignore' },
    })
    for await (const chunk of chunksOf(request)) await cutter.write(chunk)
    return resourceFromXml(await cutter.end(), (text) => cutter.cut(text))
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new GatewayError(error.kind, { detail: `The XML is refused: ${error.message}.`, cause: error })
  }
}

/** The documents of one message on their way to the spool, one after the other. */
class DocumentIntake {
  readonly #parts: BodyParts
  readonly #documents = new Map<string, Spooled>()
  readonly #nonce = randomBytes(16).toString('hex')
  #used = 0
  #open: DocumentInSpool | undefined

  constructor(parts: BodyParts) {
    this.#parts = parts
  }

  open(): DocumentTarget {
    if (this.#documents.size >= maxDocuments)
      throw new GatewayError('over-limit', { detail: `A message is limited to ${maxDocuments} documents.` })
    const { spool, limits } = this.#parts
    this.#open = new DocumentInSpool(spool.sink(limits.maxDocumentBytes - this.#used), (document) => {
      this.#used += document.size
      const placeholder = `spool/${this.#nonce}/${this.#documents.size}`
      this.#documents.set(placeholder, document)
      this.#open = undefined
      return placeholder
    })
    return this.#open
  }

  get(placeholder: string | undefined): Spooled | undefined {
    return this.#documents.get(placeholder ?? '')
  }

  async dispose(): Promise<void> {
    await this.#open?.abort()
    for (const document of this.#documents.values()) await document.dispose()
  }
}

class DocumentInSpool implements DocumentTarget {
  readonly #decoder = new Base64Decoder()
  readonly #sink: SpoolSink
  readonly #done: (document: Spooled) => string

  constructor(sink: SpoolSink, done: (document: Spooled) => string) {
    this.#sink = sink
    this.#done = done
  }

  write(text: Uint8Array): undefined | Promise<true> {
    const written = this.#sink.write(this.#decoder.write(text))
    return written === true ? undefined : written
  }

  async end(): Promise<string> {
    await this.#sink.write(this.#decoder.end())
    return this.#done(await this.#sink.end())
  }

  abort(): Promise<void> {
    return this.#sink.abort()
  }
}

/** Leaving the loop early keeps the connection, so that the refusal can still be answered on it. */
function chunksOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(decode(text))
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    // The engine's message quotes the text, which is personal data
    throw new GatewayError('malformed', { detail: 'The body is not well-formed JSON (RFC 8259).', cause })
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new GatewayError('malformed', { detail: 'The body is not UTF-8.', cause })
  }
}

function isResource(value: unknown): value is { readonly resourceType: string } {
  return isObject(value) && typeof value.resourceType === 'string'
}

/** The media type of the body, one of those accepted, in UTF-8 and not encoded. */
function requireMediaType(
  request: IncomingMessage,
  accepted: readonly string[],
  others: readonly string[] = [],
): string {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';')
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(parameter)?.[1])
    .find(Boolean)
  const encoding = request.headers['content-encoding']
  if (!accepted.includes(type.trim()))
    throw new GatewayError('media-type', { detail: `Send Content-Type: ${[...others, ...accepted].join(' or ')}.` })
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new GatewayError('media-type', { detail: 'Send the body in UTF-8.' })
  if (encoding !== undefined && encoding !== 'identity')
    throw new GatewayError('media-type', { detail: 'Send the body without Content-Encoding.' })
  return type.trim()
}
