/** Calls of one request to the DMP: each under an identity made for it, counted, its answer a tree that was checked to be one. */
import { GatewayError } from '../../errors.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { RequestContext } from '../../operations/ports.ts'
import type { Spool, Spooled } from '../../spool/index.ts'
import { composeMtom, composeSimple, type RequestPart } from '../../xds/mtom/request.ts'
import type { XmlElement } from '../../xml/tree.ts'
import type { RemoteParts } from '../remote/parts.ts'
import type { Credentials } from './credentials.ts'
import type { NationalOptions, Service } from './options.ts'
import type { PatientStatus } from './patient-status.ts'
import { type Presented, type Purpose, presented } from './profile.ts'
import { bodyOf, writeEnvelope } from './soap.ts'
import type { Templates } from './template.ts'
import type { Transport } from './transport.ts'
import { writeVihf } from './vihf.ts'

/** What all requests share; nothing in it is about a person. */
export interface Parts extends RemoteParts<PatientStatus> {
  readonly options: NationalOptions
  readonly spool: Spool
  readonly credentials: Credentials
  readonly transport: Transport
  readonly templates: Templates
}

export interface Call {
  /** TD number, for the metrics. */
  readonly transaction: string
  readonly service: Service
  readonly action: string
  readonly body: Buffer
  readonly use: Purpose
  readonly patient: PatientKey | undefined
  /** Sent and expected as MTOM. */
  readonly mtom?: { readonly parts: readonly RequestPart[]; readonly rootAction?: string }
}

/** The child of soap:Body, and the documents that came with it. */
export interface Reply {
  readonly body: XmlElement
  document(element: XmlElement): Spooled | undefined
  dispose(): Promise<void>
}

export class Calls {
  readonly #parts: Parts
  readonly #context: RequestContext
  #count = 0

  constructor(parts: Parts, context: RequestContext) {
    this.#parts = parts
    this.#context = context
  }

  /** So far. */
  get count(): number {
    return this.#count
  }

  presented(use: Purpose, patient: PatientKey | undefined): Presented {
    return presented(this.#parts.options, this.#context, use, patient)
  }

  /** An answer without documents. Throws GatewayError. */
  async ask(call: Call): Promise<XmlElement> {
    const reply = await this.send(call)
    await reply.dispose()
    return reply.body
  }

  /** Throws GatewayError; nothing is left in the spool then. */
  async send({ transaction, service, action, body, use, patient, mtom }: Call): Promise<Reply> {
    const { options, credentials, transport, clock, observer } = this.#parts
    const vihf = writeVihf(options, credentials.signing, this.presented(use, patient), clock.now())
    const to = options.addressTo === 'url' ? transport.urlOf(service) : undefined
    const envelope = writeEnvelope(action, to, vihf, body)
    const request = mtom ? composeMtom(action, envelope, mtom.parts, mtom.rootAction) : composeSimple(action, envelope)
    this.#count++
    const started = performance.now()
    let outcome: 'ok' | 'failed' = 'failed'
    try {
      const answer = await transport.exchange(service, request)
      try {
        const content = bodyOf(answer.envelope)
        outcome = 'ok'
        return {
          body: content,
          document: (element) => documentOf(answer, element),
          dispose: () => answer.dispose(),
        }
      } catch (error) {
        await answer.dispose()
        throw error
      }
    } finally {
      observer.call(transaction, outcome, (performance.now() - started) / 1000)
    }
  }
}

function documentOf(answer: Awaited<ReturnType<Transport['exchange']>>, element: XmlElement): Spooled | undefined {
  try {
    return answer.document(element)
  } catch (cause) {
    throw new GatewayError('dmp-answer-invalid', { detail: 'A document of the answer is not in it.', cause })
  }
}
