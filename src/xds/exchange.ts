/** One request and its answer: read, understood, identified, handled, answered in the packaging it came in. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError, type Issue, toGatewayError } from '../errors.ts'
import type { AffinityDomain } from '../metadata/affinity-domain.ts'
import type { Oid } from '../metadata/identifiers.ts'
import { tellRefused } from '../operations/alerts.ts'
import type { Operations } from '../operations/operations.ts'
import type { Alerts, Identity } from '../operations/ports.ts'
import type { Spool } from '../spool/index.ts'
import type { XmlElement } from '../xml/tree.ts'
import { contextOf } from './context.ts'
import { defined } from './defined.ts'
import type { Fragments } from './ebrim/fragments.ts'
import { errorCodeOf } from './ebrim/response.ts'
import { readMessage } from './mtom/reader.ts'
import { writeMtom, writeSimple } from './mtom/writer.ts'
import type { SchemaMode } from './schema/index.ts'
import { envelope } from './soap/answer.ts'
import { messageIdOf, readEnvelope, type SoapRequest } from './soap/envelope.ts'
import { faultHeaders, faultOf, SoapFault, writeFault } from './soap/fault.ts'
import type { SoapMessage } from './soap/message.ts'
import type { Answer, Transaction } from './transaction.ts'

/** What pino satisfies. */
export interface Logger {
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

export interface ExchangeParts {
  readonly operations: Operations
  readonly identity: Identity
  /** Told of refused credentials. */
  readonly alerts?: Alerts
  readonly spool: Spool
  readonly profile: 'ci-sis' | 'ihe'
  /** Absent: any code. */
  readonly affinityDomain?: AffinityDomain
  readonly repositoryUniqueId: Oid
  readonly limits: {
    /** Bytes of an envelope without its documents. */
    readonly maxMetadataBytes: number
    /** Bytes of one document. */
    readonly maxDocumentBytes: number
    /** MIME parts of a message. */
    readonly maxParts: number
  }
  readonly log: Logger
  readonly fragments: Fragments
  readonly schemaMode: SchemaMode
  /** What the XML Schema finds wrong with a body. */
  readonly checkSchema: (body: XmlElement) => readonly Issue[]
}

export class Exchange {
  readonly #parts: ExchangeParts
  readonly #byAction: ReadonlyMap<string, Transaction>
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #started = performance.now()
  #message: SoapMessage | undefined
  #transaction: Transaction | undefined
  #requestId: string | undefined

  constructor(
    parts: ExchangeParts,
    byAction: ReadonlyMap<string, Transaction>,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    this.#parts = parts
    this.#byAction = byAction
    this.#request = request
    this.#response = response
  }

  async run(): Promise<void> {
    try {
      await this.#answer()
    } catch (error) {
      await this.#recover(error)
    } finally {
      await this.#message?.dispose()
    }
  }

  async #answer(): Promise<void> {
    const { spool, limits, identity } = this.#parts
    if (this.#request.method !== 'POST') throw methodNotAllowed(this.#response)
    const message = await readMessage(this.#request, {
      spool,
      limits: {
        maxEnvelopeBytes: limits.maxMetadataBytes,
        maxDocumentBytes: limits.maxDocumentBytes,
        maxParts: limits.maxParts,
      },
    })
    this.#message = message
    const soap = readEnvelope(message.envelope, message.mediaTypeAction)
    const transaction = this.#select(soap)
    this.#transaction = transaction
    const context = await this.#identified(contextOf(this.#request, soap, transaction.name, identity))
    this.#requestId = context.requestId
    const { operations, profile, affinityDomain, repositoryUniqueId, fragments } = this.#parts
    const validation = { profile, ...defined({ affinityDomain }) }
    const schemaIssues = this.#schemaIssues(transaction, soap.body)
    const handling = {
      body: soap.body,
      schemaIssues,
      message,
      context,
      operations,
      validation,
      repositoryUniqueId,
      fragments,
    }
    try {
      this.#checkPackaging(transaction, message)
      const answer = await transaction.handle(handling)
      await this.#send(transaction, soap.messageId, answer)
      this.#log(answer.status, answer.issues[0] && errorCodeOf(answer.issues[0].code, transaction.endpoint))
    } catch (error) {
      // An answer that has begun is broken off by its writer: half of one must not look whole
      if (this.#response.headersSent || this.#response.destroyed) throw error
      await this.#refuse(transaction, soap.messageId, error)
    }
  }

  #select({ action, body }: SoapRequest): Transaction {
    const transaction = this.#byAction.get(action)
    if (transaction === undefined) {
      const known = [...this.#byAction.keys()].join(', ')
      throw new SoapFault('Sender', {
        subcodes: ['wsa:ActionNotSupported'],
        fr: `Cette wsa:Action n’est pas connue ici. Connues : ${known}.`,
        en: `This wsa:Action is not known here. Known: ${known}.`,
      })
    }
    const { ns: uri, local } = transaction.requestElement
    if (body.ns !== uri || body.local !== local)
      throw new SoapFault('Sender', {
        fr: `Le Body ne correspond pas à wsa:Action : envoyez {${uri}}${local}.`,
        en: `The Body does not correspond to wsa:Action: send {${uri}}${local}.`,
      })
    return transaction
  }

  /** In the DMP both are taken, as its own clients send both (docs/conformance.md, H1). */
  #checkPackaging({ name, packaging }: Transaction, message: SoapMessage): void {
    if (this.#parts.profile !== 'ihe' || packaging === 'mtom' || message.packaging === 'simple') return
    const detail = `${name} is not sent as MTOM: send the envelope alone, as application/soap+xml.`
    throw new GatewayError({ code: 'XDSRegistryError', rule: 'H1', location: 'Content-Type', detail })
  }

  #schemaIssues({ violation }: Transaction, body: XmlElement): readonly Issue[] {
    const { schemaMode, checkSchema, log } = this.#parts
    if (schemaMode === 'off') return []
    const issues = checkSchema(body).map((issue) =>
      issue.code === 'over-limit' ? issue : { ...issue, code: violation },
    )
    if (schemaMode === 'strict' || issues.length === 0) return issues
    log.warn({ ...this.#fields(), violations: issues.length }, 'the request breaks the XML Schema')
    return []
  }

  /** What is wrong with an identity or with the headers around it is a fault; what is wrong in here is an error. */
  async #identified<T>(context: Promise<T>): Promise<T> {
    try {
      return await context
    } catch (error) {
      tellRefused(this.#parts.alerts, 'xds', this.#request.socket.remoteAddress, error)
      throw error instanceof GatewayError ? faultOf(error) : error
    }
  }

  async #send(transaction: Transaction, relatesTo: string | undefined, { body, parts = [] }: Answer): Promise<void> {
    const action = transaction.responseAction
    const whole = envelope({ action, relatesTo }, body)
    if (this.#message?.packaging === 'mtom') {
      const attached = parts.map(({ contentId, contentType, stream }) => ({ contentId, contentType, stream }))
      await writeMtom(this.#response, { action, envelope: whole, parts: attached })
    } else await writeSimple(this.#response, { action, envelope: whole })
  }

  async #refuse(transaction: Transaction, relatesTo: string | undefined, error: unknown): Promise<void> {
    const { issues, code } = this.#known(error)
    await this.#send(transaction, relatesTo, { status: 'Failure', body: transaction.failure(issues), issues })
    this.#log('Failure', code)
  }

  /** Last resort: a fault, unless the answer has begun or nobody is there to read it. */
  async #recover(error: unknown): Promise<void> {
    if (this.#response.headersSent || this.#response.destroyed) {
      this.#log('broken-off', this.#known(error).code)
      if (!this.#response.writableEnded) this.#response.destroy()
      return
    }
    const fault = error instanceof SoapFault ? error : this.#faultOf(error)
    const relatesTo = this.#message && messageIdOf(this.#message.envelope)
    const { action, http: status } = fault
    const whole = envelope({ action, relatesTo, headers: faultHeaders(fault) }, writeFault(fault))
    this.#log('fault', fault.logCode)
    try {
      if (this.#message?.packaging === 'mtom')
        await writeMtom(this.#response, { status, action, envelope: whole, parts: [] })
      else await writeSimple(this.#response, { status, action, envelope: whole })
    } catch {
      this.#response.destroy()
    }
  }

  #faultOf(error: unknown): SoapFault {
    const known = this.#known(error)
    const soap11 = known.code === 'media-type' && /^\s*text\/xml\b/i.test(this.#request.headers['content-type'] ?? '')
    const fault = faultOf(known)
    return soap11 ? new SoapFault('VersionMismatch', fault.details) : fault
  }

  /** What is no GatewayError is our own fault: the log names its kind and code, never its text. */
  #known(error: unknown): GatewayError {
    const known = toGatewayError(error)
    if (known !== error) this.#parts.log.error({ ...this.#fields(), ...kindOf(error) }, 'unexpected error')
    return known
  }

  #log(outcome: string, code: string | undefined): void {
    this.#parts.log.info({ ...this.#fields(), outcome, ...defined({ code }) }, 'xds')
  }

  #fields() {
    const ms = Math.round((performance.now() - this.#started) * 10) / 10
    return { ms, ...defined({ transaction: this.#transaction?.name, requestId: this.#requestId }) }
  }
}

function methodNotAllowed(response: ServerResponse): GatewayError {
  response.setHeader('Allow', 'POST')
  return new GatewayError('method-not-allowed', { detail: 'Send the SOAP request by POST.' })
}

/** Name and code of an error (`SQLITE_BUSY`, `ECONNRESET`), and where it came from; its message may hold content. */
function kindOf(error: unknown): object {
  if (!(error instanceof Error)) return { err: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? { errCode: error.code } : {}
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? []
  return { err: error.name, ...code, at: frames.slice(0, 5).map((line) => line.trim()) }
}
