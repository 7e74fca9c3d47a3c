/** The DMP as one request of ours asks it: each call under a token made for it, counted, its answer checked for its shape. */
import type { FhirResource, OpPatch, RequestOptions, SearchParams } from 'fhir-kit-client'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { RequestContext } from '../../operations/ports.ts'
import { type AnsweredBundle, type AnsweredResource, asBundle, invalid } from './answers.ts'
import { consentHeader } from './declaration.ts'
import { RefusedByDmp, type SentObjects } from './outcome.ts'
import type { Parts } from './parts.ts'
import { type Purpose, presented, signToken } from './token.ts'
import type { Incoming, OutgoingBody } from './transport.ts'
import { type Answer, json, Wire } from './wire.ts'

/** Resources of one page. */
const pageSize = 200

/** What a call is for. */
export interface Asking {
  /** TD number, for the metrics. */
  readonly transaction: string
  readonly use: Purpose
  /** Whom it is about, where that is known. */
  readonly patient: PatientKey | undefined
}

type CallOptions = RequestOptions & { readonly headers: Record<string, string> }
type Page = Parameters<Wire['client']['nextPage']>[0]['bundle']
type Entry = NonNullable<AnsweredBundle['entry']>[number]

export class FhirPeer {
  readonly #parts: Parts
  readonly #context: RequestContext
  readonly #wire: Wire
  #count = 0

  constructor(parts: Parts, context: RequestContext) {
    this.#parts = parts
    this.#context = context
    this.#wire = new Wire(parts.transport, parts.base, parts.options.limits.answer)
  }

  /** Calls so far. */
  get count(): number {
    return this.#count
  }

  /**
   * What matches, over all pages.
   * @throws GatewayError dmp-answer-invalid: an answer that is no searchset, names a resource twice, leads elsewhere in its
   * links, or has no end
   */
  async search(asking: Asking, type: string, parameters: SearchParams): Promise<readonly AnsweredResource[]> {
    const { client } = this.#wire
    const { results } = this.#parts.options.limits
    const found = new Map<string, AnsweredResource>()
    // A patient's identifier stands in no URL where it need not: MHD takes both forms, TD0.2 and Consent are read by GET
    const postSearch = type === 'DocumentReference' || type === 'List'
    const searchParams = { ...parameters, _count: pageSize }
    const first = await this.#call(asking, (options) =>
      client.search({ resourceType: type, searchParams, options: { ...options, postSearch } }),
    )
    for await (const { resource, search } of this.#entries(asking, first, 'searchset')) {
      if (resource === undefined || (search?.mode ?? 'match') !== 'match') continue
      if (resource.resourceType !== type || resource.id === undefined)
        throw invalid(`something else than a ${type} with an id is in it`)
      if (found.has(resource.id)) throw invalid(`a ${type} is in it twice`)
      if (found.size >= results) throw invalid(`it has more than ${results} ${type}s`)
      found.set(resource.id, resource)
    }
    return [...found.values()]
  }

  /** Of a page and of those that follow it. @throws GatewayError dmp-answer-invalid, as search */
  async *#entries(asking: Asking, first: unknown, type: 'searchset' | 'history'): AsyncGenerator<Entry> {
    const { results, answer } = this.#parts.options.limits
    const followed = new Set<string>()
    let bytes = 0
    for (let page = first; ; ) {
      bytes += this.#wire.sizeOf(page)
      if (bytes > answer) throw invalid(`its pages have more than ${answer} bytes`)
      const bundle = asBundle(page, type)
      yield* bundle.entry ?? []
      const next = bundle.link?.find(({ relation }) => relation === 'next')?.url
      if (next === undefined) return
      if (followed.has(next) || followed.size >= results) throw invalid('its pages have no end')
      followed.add(next)
      page = await this.#call(asking, async (options) =>
        this.#wire.client.nextPage({ bundle: bundle as Page, options }),
      )
    }
  }

  /** Undefined where the DMP knows of none. */
  read(asking: Asking, resourceType: string, id: string): Promise<unknown> {
    return unlessAbsent(this.#call(asking, (options) => this.#wire.client.read({ resourceType, id, options })))
  }

  /** Every version, over all pages; none where the DMP knows of none. @throws GatewayError as search */
  async history(asking: Asking, resourceType: string, id: string): Promise<readonly AnsweredResource[]> {
    const first = await unlessAbsent(
      this.#call(asking, (options) => this.#wire.client.history({ resourceType, id, options })),
    )
    const versions: AnsweredResource[] = []
    if (first === undefined) return versions
    for await (const { resource } of this.#entries(asking, first, 'history')) if (resource) versions.push(resource)
    return versions
  }

  /** @param version versionId that the change was made on */
  patch(
    asking: Asking,
    resourceType: string,
    id: string,
    jsonPatch: OpPatch[],
    version: string | undefined,
  ): Promise<unknown> {
    const more = { Prefer: 'return=representation', ...(version !== undefined && { 'If-Match': `W/"${version}"` }) }
    return this.#call(asking, ({ headers }) =>
      this.#wire.client.patch({ resourceType, id, jsonPatch, options: { headers: { ...headers, ...more } } }),
    )
  }

  create(asking: Asking, resourceType: string, body: FhirResource): Promise<unknown> {
    return this.#call(asking, (options) => this.#wire.client.create({ resourceType, body, options }))
  }

  /**
   * A POST whose body is made as it is sent.
   * @param path below the base; empty: the base itself
   */
  post(asking: Asking, path: string, body: OutgoingBody, sent: SentObjects): Promise<Answer> {
    const { url } = this.#parts.base
    return this.#call(asking, ({ headers }) =>
      this.#wire.ask(
        {
          method: 'POST',
          url: path === '' ? url : `${url}/${path}`,
          headers: { ...headers, accept: json, 'content-type': json, prefer: 'return=representation' },
          body,
          safe: false,
        },
        sent,
      ),
    )
  }

  /** The bytes of a document, still to come; undefined where there are none. */
  async document(asking: Asking, reference: string, accept: string): Promise<Incoming | undefined> {
    const url = this.#parts.base.resolve(reference)
    return unlessAbsent(
      this.#call(asking, ({ headers }) =>
        this.#wire.open({ method: 'GET', url, headers: { ...headers, accept }, safe: true }),
      ),
    )
  }

  async #call<T>({ transaction, use, patient }: Asking, act: (options: CallOptions) => Promise<T>): Promise<T> {
    const { options, credentials, clock, observer } = this.#parts
    const { declaration, requestId } = this.#context
    const who = presented(options, this.#context, use)
    const token = await signToken(options, credentials, this.#context, who, patient, clock.now())
    const consent = consentHeader(declaration)
    const headers = {
      authorization: `Bearer ${token}`,
      ...(/^[\w.-]{1,64}$/.test(requestId) && { 'x-request-id': requestId }),
      ...(consent !== undefined && { 'dmp-consent': consent }),
    }
    this.#count++
    const started = performance.now()
    let outcome: 'ok' | 'failed' = 'failed'
    try {
      const result = await act({ headers })
      outcome = 'ok'
      return result
    } catch (error) {
      // An answer that says no is an answer
      if (error instanceof RefusedByDmp && error.status < 500) outcome = 'ok'
      throw error
    } finally {
      observer.call(transaction, outcome, (performance.now() - started) / 1000)
    }
  }
}

async function unlessAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof RefusedByDmp && (error.status === 404 || error.status === 410)) return undefined
    throw error
  }
}
