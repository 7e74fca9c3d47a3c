/** A client of the XDS.b door: hand-written SOAP over node:http, MTOM of test/support/mtom.ts, VIHF in wsse:Security. */
import { randomUUID } from 'node:crypto'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import type { DocumentEntry, Submission } from '../../src/metadata/model.ts'
import { readObjects } from '../../src/xds/ebrim/reader.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { attribute, child, children, type XmlElement } from '../../src/xml/tree.ts'
import type { TestDocument } from './documents.ts'
import type { Declaration, FoundDocuments, OneDocument, Sent } from './door.ts'
import { escapeXml, registryObjectList } from './ebrim.ts'
import { type HttpReply, send } from './http.ts'
import { composeMtom, type MimePart, splitMtom } from './mtom.ts'
import { type Outcome, xdsOutcome } from './outcome.ts'
import type { TestPatient } from './people.ts'

const uri = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  xdsb: 'urn:ihe:iti:xds-b:2007',
  lcm: 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0',
  rim: 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  query: 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0',
  xop: 'http://www.w3.org/2004/08/xop/include',
}

export const repositoryUniqueId = '1.2.250.1.213.4.1.1.1.2'

const actions = {
  'ITI-41': { action: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b', endpoint: 'repository' },
  'ITI-43': { action: 'urn:ihe:iti:2007:RetrieveDocumentSet', endpoint: 'repository' },
  'ITI-18': { action: 'urn:ihe:iti:2007:RegistryStoredQuery', endpoint: 'registry' },
  'ITI-57': { action: 'urn:ihe:iti:2010:UpdateDocumentSet', endpoint: 'registry' },
} as const

export type XdsTransaction = keyof typeof actions

export const storedQueries = {
  FindDocuments: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d',
  GetDocuments: 'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
} as const

export interface XdsReply {
  readonly http: HttpReply
  readonly outcome: Outcome
  readonly envelope: XmlElement | undefined
  /** The child of soap:Body. */
  readonly body: XmlElement | undefined
  readonly parts: readonly MimePart[]
}

export interface XdsRequest extends Sent {
  readonly transaction: XdsTransaction
  /** The child of soap:Body. */
  readonly body: string
  readonly parts?: readonly MimePart[]
  readonly packaging?: 'mtom' | 'simple'
  /** HTTP headers that take the place of the usual ones. */
  readonly headers?: Readonly<Record<string, string>>
}

export class XdsClient {
  readonly name = 'XDS.b'
  readonly #url: string
  readonly #vihf: (who: IdentityOptions) => string

  /** @param url of the gateway, without path */
  constructor(url: string, vihf: (who: IdentityOptions) => string) {
    this.#url = url
    this.#vihf = vihf
  }

  endpoint(transaction: XdsTransaction): string {
    return `${this.#url}/xds/${actions[transaction].endpoint}`
  }

  /** The SOAP envelope with the identity of `who`, as it goes on the wire. */
  envelope(who: IdentityOptions, { transaction, body, consent }: XdsRequest): string {
    return envelopeOf(actions[transaction].action, this.#vihf(who), body, consent)
  }

  async call(who: IdentityOptions, request: XdsRequest): Promise<XdsReply> {
    const { transaction, parts = [], purpose } = request
    const headers = { ...(purpose !== undefined && { 'DMP-Purpose-Of-Use': purpose }), ...request.headers }
    const packaging = request.packaging ?? (transaction === 'ITI-18' ? 'simple' : 'mtom')
    const envelope = this.envelope(who, request)
    const { contentType, body } =
      packaging === 'mtom'
        ? composeMtom(envelope, parts)
        : { contentType: 'application/soap+xml; charset=UTF-8', body: Buffer.from(envelope) }
    return readReply(
      await send(this.endpoint(transaction), { headers: { 'Content-Type': contentType, ...headers }, body }),
    )
  }

  /** Anything at all, to an endpoint. */
  async raw(transaction: XdsTransaction, contentType: string, body: Buffer): Promise<XdsReply> {
    return readReply(await send(this.endpoint(transaction), { headers: { 'Content-Type': contentType }, body }))
  }

  /** ITI-41. */
  async provide(
    who: IdentityOptions,
    submission: Submission,
    documents: readonly TestDocument[],
    sent: Sent = {},
  ): Promise<XdsReply> {
    const parts = documents.map(({ entry, bytes }) => ({
      contentId: contentId(entry),
      contentType: entry.mimeType,
      bytes,
    }))
    const body = provideBody(
      submission,
      documents.map(({ entry }) => entry),
    )
    return this.call(bound(who, submission), { ...sent, transaction: 'ITI-41', body, parts })
  }

  /** ITI-18 FindDocuments. */
  async find(
    who: IdentityOptions,
    patient: TestPatient,
    { statuses = ['Approved'], ...sent }: FindOptions = {},
  ): Promise<FoundDocuments> {
    const urns = statuses.map((status) => `'${statusUrn(status)}'`).join(',')
    const body = queryBody(storedQueries.FindDocuments, {
      $XDSDocumentEntryPatientId: `'${patient.ins}^^^&${patient.authority}&ISO^NH'`,
      $XDSDocumentEntryStatus: `(${urns})`,
    })
    return this.#query({ ins: patient.ins, insSystem: patient.authority, ...who }, body, sent)
  }

  /** ITI-18 GetDocuments by uniqueId. */
  async findByUniqueId(who: IdentityOptions, uniqueId: string, sent: Sent = {}): Promise<FoundDocuments> {
    return this.#query(
      who,
      queryBody(storedQueries.GetDocuments, { $XDSDocumentEntryUniqueId: `('${uniqueId}')` }),
      sent,
    )
  }

  async #query(who: IdentityOptions, body: string, sent: Sent): Promise<FoundDocuments> {
    const reply = await this.call(who, { ...sent, transaction: 'ITI-18', body })
    const list = reply.body && child(reply.body, uri.rim, 'RegistryObjectList')
    const read = list && readObjects(list, 'stored')
    if (read && read.issues.length > 0) throw new Error(`ITI-18 answered what breaks a rule: ${read.issues[0]?.detail}`)
    const entries = read?.entries ?? []
    return { outcome: reply.outcome, entries, total: entries.length, raw: reply.http.bytes.toString('utf8') }
  }

  /** ITI-43. */
  async retrieve(
    who: IdentityOptions,
    { uniqueId }: Pick<DocumentEntry, 'uniqueId'>,
    sent: Sent = {},
  ): Promise<OneDocument> {
    const reply = await this.call(who, { ...sent, transaction: 'ITI-43', body: retrieveBody([uniqueId]) })
    const response = reply.body && child(reply.body, uri.xdsb, 'DocumentResponse')
    const document = response && child(response, uri.xdsb, 'Document')
    const include = document && child(document, uri.xop, 'Include')
    const cid = include && decodeURIComponent((attribute(include, 'href') ?? '').replace(/^cid:/, ''))
    const part = reply.parts.find(({ contentId: id }) => cid !== undefined && id === cid)
    const raw = reply.parts[0]?.bytes.toString('utf8') ?? ''
    return { outcome: reply.outcome, raw, ...(part && { bytes: part.bytes, mimeType: part.contentType }) }
  }
}

export interface FindOptions extends Sent {
  readonly statuses?: readonly DocumentEntry['availabilityStatus'][]
}

/** A VIHF names the patient of the request (resource-id), unless the test says which. */
function bound(who: IdentityOptions, { submissionSet: { patientId } }: Submission): IdentityOptions {
  const authority = patientId?.assigningAuthority?.universalId
  return patientId && authority ? { ins: patientId.id, insSystem: authority, ...who } : who
}

export function contentId({ entryUuid }: Pick<DocumentEntry, 'entryUuid'>): string {
  return `${entryUuid.slice('urn:uuid:'.length)}@client.example`
}

/** The body of ITI-41; each document is a xop:Include of the part that `contentId` names. */
export function provideBody(submission: Submission, documents: readonly DocumentEntry[]): string {
  const included = documents.map(
    (entry) =>
      `<xds:Document id="${entry.entryUuid}"><xop:Include xmlns:xop="${uri.xop}" href="cid:${encodeURIComponent(contentId(entry))}"/></xds:Document>`,
  )
  return `<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="${uri.xdsb}" xmlns:rim="${uri.rim}"><lcm:SubmitObjectsRequest xmlns:lcm="${uri.lcm}">${registryObjectList(submission)}</lcm:SubmitObjectsRequest>${included.join('')}</xds:ProvideAndRegisterDocumentSetRequest>`
}

export function retrieveBody(uniqueIds: readonly string[]): string {
  const requests = uniqueIds.map(
    (id) =>
      `<xds:DocumentRequest><xds:RepositoryUniqueId>${repositoryUniqueId}</xds:RepositoryUniqueId><xds:DocumentUniqueId>${id}</xds:DocumentUniqueId></xds:DocumentRequest>`,
  )
  return `<xds:RetrieveDocumentSetRequest xmlns:xds="${uri.xdsb}">${requests.join('')}</xds:RetrieveDocumentSetRequest>`
}

/** @param parameters stored-query parameters with their literals: `('…')` */
export function queryBody(id: string, parameters: Readonly<Record<string, string>>, returnType = 'LeafClass'): string {
  const slots = Object.entries(parameters).map(
    ([name, value]) =>
      `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${escapeXml(value)}</rim:Value></rim:ValueList></rim:Slot>`,
  )
  return `<query:AdhocQueryRequest xmlns:query="${uri.query}" xmlns:rim="${uri.rim}"><query:ResponseOption returnComposedObjects="true" returnType="${returnType}"/><rim:AdhocQuery id="${id}">${slots.join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`
}

function envelopeOf(action: string, assertion: string, body: string, consent: Declaration | undefined): string {
  const declared = Object.entries(consent ?? {}).map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
  const block = consent ? `<Consent xmlns="urn:dmp-gateway:access"${declared.join('')}/>` : ''
  return `<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="${uri.soap}" xmlns:wsa="${uri.wsa}"><soap:Header><wsa:Action soap:mustUnderstand="true">${action}</wsa:Action><wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID><wsa:ReplyTo><wsa:Address>${uri.wsa}/anonymous</wsa:Address></wsa:ReplyTo><wsse:Security xmlns:wsse="${uri.wsse}" soap:mustUnderstand="true">${assertion}</wsse:Security>${block}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`
}

function statusUrn(status: DocumentEntry['availabilityStatus']): string {
  const french = status === 'Archived' || status === 'Deleted'
  return `${french ? 'urn:asip:ci-sis:2010' : 'urn:oasis:names:tc:ebxml-regrep'}:StatusType:${status}`
}

function readReply(http: HttpReply): XdsReply {
  const parts = splitMtom(http.headers['content-type'] ?? '', http.bytes)
  const envelope = parseEnvelope(parts[0]?.bytes)
  const soapBody = envelope && child(envelope, uri.soap, 'Body')
  return { http, envelope, body: soapBody?.children[0], parts, outcome: xdsOutcome(http.status, envelope) }
}

function parseEnvelope(bytes: Buffer | undefined): XmlElement | undefined {
  try {
    return bytes && parseXml(bytes)
  } catch {
    return undefined
  }
}

/** Objects of a kind in an answer of ITI-18. */
export function registryObjects(reply: XdsReply, local: string): readonly XmlElement[] {
  const list = reply.body && child(reply.body, uri.rim, 'RegistryObjectList')
  return list ? children(list, uri.rim, local) : []
}
