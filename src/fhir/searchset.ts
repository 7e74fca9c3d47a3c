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

export async function sendSearchset(
  response: Response,
  format: Format,
  { total, links }: SearchsetHead,
  matches: AsyncIterable<Match> | Iterable<Match>,
): Promise<void> {
  const bundle: Bundle = { resourceType: 'Bundle', type: 'searchset', total, link: links.map((link) => ({ ...link })) }
  const form = forms[format]
  const out = new Output(response, format)
  let first = true
  out.add(form.head(bundle))
  for await (const { fullUrl, resource, mode = 'match' } of matches) {
    out.add(form.entry({ ...(fullUrl === undefined ? {} : { fullUrl }), resource, search: { mode } }, first))
    first = false
    await out.flush(batch)
  }
  out.add(form.tail(first))
  await out.end()
}

const forms = {
  json: {
    head: (bundle: Bundle) => JSON.stringify(bundle).slice(0, -1),
    entry: (entry: BundleEntry, first: boolean) => (first ? ',"entry":[' : ',') + JSON.stringify(entry),
    tail: (empty: boolean) => (empty ? '}' : ']}'),
  },
  xml: {
    head: (bundle: Bundle) => xmlDeclaration + resourceToXml(bundle).slice(0, -'</Bundle>'.length),
    entry: (entry: BundleEntry) => elementToXml('entry', entry, 'Bundle.entry'),
    tail: () => '</Bundle>',
  },
} as const

class Output {
  readonly #response: Response
  readonly #format: Format
  #text = ''
  readonly #held: Buffer[] = []
  #heldBytes = 0

  constructor(response: Response, format: Format) {
    this.#response = response
    this.#format = format
  }

  add(text: string): void {
    this.#text += text
  }

  async flush(atLeast: number): Promise<void> {
    if (this.#text.length < atLeast) return
    const bytes = Buffer.from(this.#text)
    this.#text = ''
    if (!this.#response.headersSent && this.#heldBytes + bytes.length <= held) {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
      return
    }
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'Content-Type': contentType(this.#format) })
    for (const each of [...this.#held.splice(0), bytes]) await write(this.#response, each)
  }

  async end(): Promise<void> {
    const bytes = Buffer.concat([...this.#held, Buffer.from(this.#text)])
    if (!this.#response.headersSent)
      this.#response.writeHead(200, { 'Content-Type': contentType(this.#format), 'Content-Length': bytes.length })
    this.#response.end(bytes)
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
