/** A transaction of XDS.b as data: what it is called, where it is asked, what it takes and what it answers. */
import type { Readable } from 'node:stream'
import type { Issue } from '../errors.ts'
import type { Oid } from '../metadata/identifiers.ts'
import type { ValidationOptions } from '../metadata/rules.ts'
import type { Operations } from '../operations/operations.ts'
import type { RequestContext } from '../operations/ports.ts'
import type { XmlElement } from '../xml/tree.ts'
import { XmlWriter } from '../xml/writer.ts'
import type { Fragments } from './ebrim/fragments.ts'
import { type Actor, type ResponseStatus, responseStatusUrns, writeErrorList } from './ebrim/response.ts'
import { ns } from './namespaces.ts'
import type { SoapMessage } from './soap/message.ts'

export interface Transaction {
  /** ITI-41, for the trace and the log. */
  readonly name: string
  /** wsa:Action. */
  readonly requestAction: string
  readonly responseAction: string
  /** The one child of soap:Body. */
  readonly requestElement: { readonly ns: string; readonly local: string }
  /** The endpoint that takes it; its actor names the errors. */
  readonly endpoint: Actor
  /** `simple`: the Technical Framework has it without MTOM (rule H1). */
  readonly packaging: 'simple' | 'mtom'
  /** The code of what the XML Schema finds: of the metadata in a submission, of the request elsewhere. */
  readonly violation: 'XDSRegistryMetadataError' | 'XDSRegistryError'
  /** The answer to a readable request. Throws GatewayError: then `failure` writes the answer. */
  handle(request: TransactionRequest): Promise<Answer>
  /** The whole child of soap:Body that says Failure. */
  failure(issues: readonly Issue[]): Buffer
}

export interface TransactionRequest {
  /** The child of soap:Body. */
  readonly body: XmlElement
  /** What the XML Schema of the request finds wrong with it; the transaction tells it with what it finds itself. */
  readonly schemaIssues: readonly Issue[]
  readonly message: SoapMessage
  readonly context: RequestContext
  readonly operations: Operations
  /** Profile and affinity domain that the metadata are judged by. */
  readonly validation: Pick<ValidationOptions, 'profile' | 'affinityDomain'>
  readonly repositoryUniqueId: Oid
  /** Entries written before, shared by all requests of the door. */
  readonly fragments: Fragments
}

/** An attachment of the answer, sent as it is read. */
export interface AnswerPart {
  /** Content-ID without angle brackets. */
  readonly contentId: string
  readonly contentType: string
  stream(): Readable
}

export interface Answer {
  readonly status: ResponseStatus
  /** The child of soap:Body: whole, or piece by piece as it is made. */
  readonly body: Buffer | AsyncIterable<Buffer>
  /** Only when the request came as MTOM. */
  readonly parts?: readonly AnswerPart[]
  /** Codes of what the answer reports, for the log. */
  readonly issues: readonly Issue[]
}

/** rs:RegistryResponse as the child of soap:Body. */
export function registryResponse(status: ResponseStatus, issues: readonly Issue[], actor: Actor): Buffer {
  const xml = new XmlWriter()
  writeRegistryResponse(xml, status, issues, actor, { 'xmlns:rs': ns.rs })
  return xml.take()
}

export function writeRegistryResponse(
  xml: XmlWriter,
  status: ResponseStatus,
  issues: readonly Issue[],
  actor: Actor,
  attributes: Readonly<Record<string, string>> = {},
): void {
  xml.start('rs:RegistryResponse', { ...attributes, status: responseStatusUrns[status] })
  writeErrorList(xml, issues, actor)
  xml.end()
}
