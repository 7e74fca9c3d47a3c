/** Searchset Bundles, written entry by entry: a page of hundreds of documents is never one object or one string. */
import { once } from 'node:events'
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes'
import type { Response } from 'express'
import { contentType, xmlDeclaration } from './answer.ts'
import type { Format } from './negotiate.ts'
import { elementToXml, resourceToXml } from './structure/xml-writer.ts'

export interface SearchsetHead {
  readonly total: number
  readonly links: readonly { readonly relation: string; readonly url: string }[]
}

export interface Match {
  /** Absolute; an outcome has none. */
  readonly fullUrl?: string
  readonly resource: Resource
  /** Default: a match, which the total counts. */
  readonly mode?: 'match' | 'include' | 'outcome'
}

/** Text gathered before it is encoded and sent. */
const batch = 64 * 1024
/** An answer up to this size is sent whole, so that a failure while it is made is still answered as one. */
const held = 256 * 1024

/** @param matches resources, or in JSON whole entries as they were written before */
export async function sendSearchset(
  response: Response,
  format: Format,
  { total, links }: SearchsetHead,
  matches: AsyncIterable<Match | Buffer> | Iterable<Match>,
): Promise<void> {
  const bundle: Bundle = { resourceType: 'Bundle', type: 'searchset', total, link: links.map((link) => ({ ...link })) }
  const form = forms[format]
  const out = new Output(response, format)
  let first = true
  out.add(form.head(bundle))
  for await (const match of matches) {
    out.add(form.before(first))
    out.add(Buffer.isBuffer(match) ? match : form.entry(entryOf(match)))
    first = false
    await out.flush(batch)
  }
  out.add(form.tail(first))
  await out.end()
}

/** A match as it stands in the Bundle. */
export function entryOf({ fullUrl, resource, mode = 'match' }: Match): BundleEntry {
  return { ...(fullUrl === undefined ? {} : { fullUrl }), resource, search: { mode } }
}

const forms = {
  json: {
    head: (bundle: Bundle) => JSON.stringify(bundle).slice(0, -1),
    before: (first: boolean) => (first ? ',"entry":[' : ','),
    entry: (entry: BundleEntry) => JSON.stringify(entry),
    tail: (empty: boolean) => (empty ? '}' : ']}'),
  },
  xml: {
    head: (bundle: Bundle) => xmlDeclaration + resourceToXml(bundle).slice(0, -'</Bundle>'.length),
    before: () => '',
    entry: (entry: BundleEntry) => elementToXml('entry', entry, 'Bundle.entry'),
    tail: () => '</Bundle>',
  },
} as const

class Output {
  readonly #response: Response
  readonly #format: Format
  /** Text since the last chunk: encoded at once, as each encoding costs more than its bytes. */
  #text = ''
  #chunks: Buffer[] = []
  /** Of the chunks. */
  #bytes = 0

  constructor(response: Response, format: Format) {
    this.#response = response
    this.#format = format
  }

  add(part: string | Buffer): void {
    if (typeof part === 'string') this.#text += part
    else {
      this.#encode()
      this.#push(part)
    }
  }

  /** Sends what there is once it is too much to hold. */
  async flush(atLeast: number): Promise<void> {
    if (this.#text.length >= atLeast) this.#encode()
    if (this.#bytes < atLeast || (!this.#response.headersSent && this.#bytes <= held)) return
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'Content-Type': contentType(this.#format) })
    await write(this.#response, this.#take())
  }

  async end(): Promise<void> {
    this.#encode()
    const bytes = this.#take()
    if (!this.#response.headersSent)
      this.#response.writeHead(200, { 'Content-Type': contentType(this.#format), 'Content-Length': bytes.length })
    this.#response.end(bytes)
  }

  #encode(): void {
    if (this.#text === '') return
    this.#push(Buffer.from(this.#text))
    this.#text = ''
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#chunks, this.#bytes)
    this.#chunks = []
    this.#bytes = 0
    return bytes
  }
}

/** Waits for a slow reader; gives up with the connection. */
export async function write(response: Response, bytes: Buffer): Promise<void> {
  if (response.destroyed) throw new Error('the caller has gone')
  if (response.write(bytes)) return
  const gone = new AbortController()
  const closed = (): void => gone.abort()
  response.once('close', closed)
  try {
    await once(response, 'drain', { signal: gone.signal })
  } finally {
    response.off('close', closed)
  }
}
