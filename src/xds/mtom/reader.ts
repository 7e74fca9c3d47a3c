/**
 * Reads a SOAP request, plain or MTOM, as it arrives: the envelope into a tree, every document into the spool. Nothing of
 * a document is held but its last chunk; when anything is wrong all that was spooled is removed.
 */
import type { IncomingMessage } from 'node:http'
import { GatewayError, toGatewayError } from '../../errors.ts'
import { type Spool, type Spooled, type SpoolSink, throughBase64 } from '../../spool/index.ts'
import { type Cutter, createCutter, xdsDocument } from '../../xml/cutter.ts'
import type { OpaqueRule } from '../../xml/opaque.ts'
import { XmlError, type XmlLimits } from '../../xml/reader.ts'
import { attribute, type XmlElement } from '../../xml/tree.ts'
import { ns } from '../namespaces.ts'
import type { SoapMessage } from '../soap/message.ts'
import { mediaTypeError, readMediaType, readRootType, unwrapContentId } from './media-type.ts'
import { createMultipartSplitter, malformed, type PartHeader, type PartSink } from './multipart.ts'

export interface MessageLimits {
  /** Bytes of the envelope without the documents. */
  readonly maxEnvelopeBytes: number
  /** Bytes of one document, as decoded. */
  readonly maxDocumentBytes: number
  /** Parts of a multipart message, and inline documents of a plain one. */
  readonly maxParts: number
  /** Bytes of the header of one part. */
  readonly maxHeaderBytes: number
  /** Bytes of the whole request: what one sender can put on the disk before its identity is known. */
  readonly maxMessageBytes: number
}

export const defaultMessageLimits: MessageLimits = {
  maxEnvelopeBytes: 16 * 1024 * 1024,
  maxDocumentBytes: 512 * 1024 * 1024,
  maxParts: 512,
  maxHeaderBytes: 8 * 1024,
  maxMessageBytes: 1024 * 1024 * 1024,
}

export interface ReadMessageOptions {
  readonly spool: Spool
  readonly limits?: Partial<MessageLimits>
  readonly xml?: Partial<XmlLimits>
}

const xop = 'http://www.w3.org/2004/08/xop/include'
/** The one that readEnvelope takes for the identity, which is then verified or refused; any other is parsed like the rest. */
const assertion: OpaqueRule = {
  element: { ns: ns.saml2, local: 'Assertion' },
  path: [
    { ns: ns.soap, local: 'Envelope' },
    { ns: ns.soap, local: 'Header' },
    { ns: ns.wsse, local: 'Security' },
  ],
}

/** Bytes still taken from a refused sender, so that it can read why. */
const drainLimit = 256 * 1024 * 1024

/**
 * Reads one request to its end.
 * @throws GatewayError media-type, malformed, over-limit or store-unavailable. Nothing is left in the spool then, and the
 * rest of the request is read away while the caller answers.
 */
export async function readMessage(request: IncomingMessage, options: ReadMessageOptions): Promise<SoapMessage> {
  const reading = new Reading(options)
  try {
    return await reading.read(request)
  } catch (error) {
    await reading.dispose()
    drain(request)
    throw asGatewayError(error)
  }
}

function asGatewayError(error: unknown): GatewayError {
  if (!(error instanceof XmlError)) return toGatewayError(error)
  const sentence = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`
  return new GatewayError(error.kind, { detail: sentence, cause: error })
}

function drain(request: IncomingMessage): void {
  let bytes = 0
  request.on('error', () => {})
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > drainLimit) request.destroy()
  })
  request.resume()
}

interface Part {
  readonly spooled: Spooled
  /** The Document element that took it: a store may rename the file away, so that it serves one document. */
  takenBy?: XmlElement
}

class Reading {
  readonly #spool: Spool
  readonly #limits: MessageLimits
  readonly #cutter: Cutter<Spooled>
  readonly #open = new Set<SpoolSink>()
  readonly #spooled: Spooled[] = []
  readonly #parts = new Map<string, Part>()
  readonly #contentIds = new Set<string>()
  #action: string | undefined
  #sawRoot = false
  #envelope: XmlElement | undefined

  constructor(options: ReadMessageOptions) {
    this.#spool = options.spool
    this.#limits = { ...defaultMessageLimits, ...options.limits }
    this.#cutter = createCutter({
      rule: xdsDocument,
      open: () => throughBase64(this.#sink()),
      maxCuts: this.#limits.maxParts,
      reader: { limits: { ...options.xml, maxBytes: this.#limits.maxEnvelopeBytes } },
      opaque: assertion,
    })
  }

  async read(request: IncomingMessage): Promise<SoapMessage> {
    const packaging = readMediaType(request.headers['content-type'])
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') throw mediaTypeError('A Content-Encoding is not read here.')
    if (Number(request.headers['content-length'] ?? 0) > this.#limits.maxMessageBytes) throw this.#tooLarge()
    this.#action = packaging.action
    if (packaging.kind === 'simple') {
      await this.#pump(request, this.#cutter)
      this.#envelope = await this.#cutter.end()
    } else {
      const splitter = createMultipartSplitter({
        boundary: packaging.boundary,
        maxParts: this.#limits.maxParts,
        maxHeaderBytes: this.#limits.maxHeaderBytes,
        part: (header) => this.#part(header, packaging.start),
      })
      await this.#pump(request, splitter)
      await splitter.end()
    }
    if (this.#envelope === undefined)
      throw malformed('No part has the Content-ID that the start parameter names: send the envelope in that part.')
    return {
      packaging: packaging.kind,
      envelope: this.#envelope,
      ...(this.#action === undefined ? {} : { mediaTypeAction: this.#action }),
      document: (element) => this.#document(element),
      dispose: () => this.dispose(),
    }
  }

  async dispose(): Promise<void> {
    const open = [...this.#open]
    this.#open.clear()
    await Promise.allSettled([
      ...open.map((sink) => sink.abort()),
      ...this.#spooled.map((spooled) => spooled.dispose()),
    ])
  }

  async #pump(request: IncomingMessage, target: { write(chunk: Uint8Array): Promise<void> }): Promise<void> {
    let bytes = 0
    try {
      // Leaving the loop on an error must not destroy the socket that the answer goes out on
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        bytes += (chunk as Buffer).length
        if (bytes > this.#limits.maxMessageBytes) throw this.#tooLarge()
        await target.write(chunk as Buffer)
      }
    } catch (error) {
      if (error instanceof GatewayError || error instanceof XmlError || !request.destroyed) throw error
      throw malformed('The connection was closed before the end of the message.', error)
    }
    if (!request.complete) throw malformed('The connection was closed before the end of the message.')
  }

  #tooLarge(): GatewayError {
    return new GatewayError('over-limit', {
      detail: `The message is larger than ${this.#limits.maxMessageBytes} bytes: send the documents in several submissions.`,
    })
  }

  /** A sink of the spool that is given up with the message unless it ends. */
  #sink(): SpoolSink {
    const sink = this.#spool.sink(this.#limits.maxDocumentBytes)
    this.#open.add(sink)
    return {
      write: (chunk) => sink.write(chunk),
      abort: () => sink.abort(),
      end: async () => {
        const spooled = await sink.end()
        this.#open.delete(sink)
        this.#spooled.push(spooled)
        return spooled
      },
    }
  }

  #part(header: PartHeader, start: string | undefined): PartSink {
    const raw = header.get('content-id')
    const contentId = raw === undefined ? undefined : unwrapContentId(raw)
    if (contentId !== undefined) {
      if (this.#contentIds.has(contentId)) throw malformed('Two parts have the same Content-ID.')
      this.#contentIds.add(contentId)
    }
    const isRoot = start === undefined ? !this.#sawRoot : contentId === start
    if (isRoot) {
      this.#sawRoot = true
      const { action } = readRootType(header.get('content-type'))
      this.#action ??= action
      return transferDecoded(header, {
        write: (chunk) => this.#cutter.write(chunk),
        end: async () => {
          this.#envelope = await this.#cutter.end()
        },
      })
    }
    if (contentId === undefined || contentId === '')
      throw malformed('A part that is not the envelope has no Content-ID: send one, and refer to it with xop:Include.')
    const sink = this.#sink()
    return transferDecoded(header, {
      write: (chunk) => sink.write(chunk),
      end: async () => {
        this.#parts.set(contentId, { spooled: await sink.end() })
      },
    })
  }

  #document(element: XmlElement): Spooled | undefined {
    const [include, ...others] = element.children
    const text = element.text.trim()
    if (include === undefined) {
      if (text === '') return undefined
      const spooled = this.#cutter.cut(text)
      if (spooled === undefined)
        throw malformed('A Document holds a comment or CDATA: send base64 alone, or one xop:Include.')
      return spooled
    }
    if (include.ns !== xop || include.local !== 'Include' || others.length > 0 || text !== '')
      throw malformed('A Document holds something else than base64 or one xop:Include.')
    const part = this.#resolve(attribute(include, 'href') ?? '')
    if (part.takenBy !== undefined && part.takenBy !== element)
      throw malformed('Two Documents refer to the same part: send one part for each.')
    part.takenBy = element
    return part.spooled
  }

  /** RFC 2392: cid: and the percent-encoded Content-ID without its angle brackets. */
  #resolve(href: string): Part {
    const id = href.slice(4)
    // Some senders write the Content-ID as it stands in the header
    const part = /^cid:/i.test(href) ? (this.#parts.get(percentDecoded(id)) ?? this.#parts.get(id)) : undefined
    if (part === undefined)
      throw malformed(
        'An xop:Include does not resolve: send href="cid:ID" where ID is the percent-encoded Content-ID of a part, without < >.',
      )
    return part
  }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** RFC 2045 §6: what MTOM allows as it is, and base64. */
function transferDecoded(
  header: PartHeader,
  target: { write(chunk: Uint8Array): unknown; end(): Promise<void> },
): PartSink {
  const encoding = (header.get('content-transfer-encoding') ?? 'binary').toLowerCase()
  if (encoding === 'binary' || encoding === '8bit' || encoding === '7bit') return target
  if (encoding === 'base64') return throughBase64(target)
  throw malformed('A part has a Content-Transfer-Encoding that is not read here: send binary, 8bit, 7bit or base64.')
}
