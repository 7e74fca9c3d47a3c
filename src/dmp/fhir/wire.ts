/**
 * fhir-kit-client over our own transport: it says how each interaction of FHIR is asked, the bytes go another way, because
 * by itself it reads any amount, throws on what is not JSON, follows links to any host with the token, and knows no
 * client certificate.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { Client, type FhirResource, type RequestOptions } from 'fhir-kit-client'
import type { Base } from './base.ts'
import { refusalOf, type SentObjects } from './outcome.ts'
import { type Incoming, type Outgoing, type Transport, unusable } from './transport.ts'

export const json = 'application/fhir+json'

export interface Answer {
  /** JSON; undefined for an answer without a body (204). */
  readonly body: unknown
  readonly headers: IncomingHttpHeaders
}

export class Wire {
  readonly client: Client
  readonly #transport: Transport
  readonly #most: number
  readonly #sizes = new WeakMap<object, number>()

  /** @param most bytes of one answer */
  constructor(transport: Transport, base: Base, most: number) {
    this.#transport = transport
    this.#most = most
    this.client = new Client({ baseUrl: base.url })
    this.client.httpClient.request = async (method, url, options: RequestOptions = {}, body) => {
      const text = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
      const answer = await this.ask({
        method: method as Outgoing['method'],
        url: base.resolve(url.replace(/^\//, '')),
        headers: { accept: json, ...options.headers },
        ...(text !== undefined && { body: { length: text.length, stream: () => once(text) } }),
        safe: method === 'GET' || /\/_search$/.test(url),
      })
      return answer.body as FhirResource
    }
  }

  /** Bytes of an answer, by its body as the client gave it. */
  sizeOf(body: unknown): number {
    return (typeof body === 'object' && body !== null && this.#sizes.get(body)) || 0
  }

  /**
   * @param sent the objects behind the entries of a Bundle, for what the answer says of them
   * @throws GatewayError what the DMP refuses, RefusedByDmp; what cannot be used
   */
  async ask(outgoing: Outgoing, sent?: SentObjects): Promise<Answer> {
    const answer = await this.#transport.exchange(outgoing)
    const body = await this.#bodyOf(answer, outgoing)
    const { status, headers } = answer
    if (status >= 400) throw refusalOf(status, body, outgoing.safe, sent)
    if (status < 200 || status > 299)
      throw unusable(outgoing, `is HTTP ${status}: it leads elsewhere, and is not followed`)
    if (body === undefined && status !== 204) throw unusable(outgoing, 'is no FHIR in JSON')
    return { body, headers }
  }

  /** The answer with its bytes still to come. @throws as ask */
  async open(outgoing: Outgoing): Promise<Incoming> {
    const answer = await this.#transport.exchange(outgoing)
    if (answer.status === 200) return answer
    const body = await this.#bodyOf(answer, outgoing)
    if (answer.status >= 400) throw refusalOf(answer.status, body, outgoing.safe)
    throw unusable(outgoing, `is HTTP ${answer.status}: a document is expected`)
  }

  /** Undefined for what is no JSON. @throws GatewayError when it is cut short, too long or malformed */
  async #bodyOf(answer: Incoming, outgoing: Outgoing): Promise<unknown> {
    const type = (answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
    const chunks: Buffer[] = []
    for await (const chunk of answer.read(this.#most)) chunks.push(chunk)
    if (chunks.length === 0 || (type !== json && type !== 'application/json')) return undefined
    try {
      const bytes = Buffer.concat(chunks)
      const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
      if (typeof body === 'object' && body !== null) this.#sizes.set(body, bytes.length)
      return body
    } catch {
      // The message of the engine quotes the text, which is personal data: it goes no further
      throw unusable(outgoing, 'is no well-formed JSON')
    }
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
