/** A client of the FHIR door: fetch, a JWT in Authorization, the resources of test/support/resources.ts. */
import type { Bundle, DocumentReference } from '@medplum/fhirtypes'
import { fromDocumentReference } from '../../src/fhir/mapping/index.ts'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import type { Declaration, FoundDocuments, OneDocument, Sent } from './door.ts'
import { at, type Json, parseJson } from './json.ts'
import { fhirOutcome, type Outcome } from './outcome.ts'
import type { TestPatient } from './people.ts'

export interface FhirReply {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** The body as JSON, or undefined when it is none. */
  readonly json: Json | undefined
  readonly outcome: Outcome
}

export interface FhirRequest extends Sent {
  readonly body?: Buffer | string | object | undefined
  /** Headers that take the place of the usual ones; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Instead of a token of `who`. */
  readonly token?: string
}

export class FhirClient {
  readonly name = 'FHIR'
  readonly base: string
  readonly #jwt: (who: IdentityOptions) => Promise<string>

  /** @param url of the gateway, without path */
  constructor(url: string, jwt: (who: IdentityOptions) => Promise<string>) {
    this.base = `${url}/fhir`
    this.#jwt = jwt
  }

  /** @param target path under the base (`/DocumentReference?…`), or a URL as the gateway gave it */
  async call(who: IdentityOptions, method: string, target: string, request: FhirRequest = {}): Promise<FhirReply> {
    const { body, consent, purpose } = request
    const headers: Record<string, string | undefined> = {
      Authorization: `Bearer ${request.token ?? (await this.#jwt(who))}`,
      'DMP-Consent': consent && consentHeader(consent),
      'DMP-Purpose-Of-Use': purpose,
      'Content-Type': body === undefined ? undefined : 'application/fhir+json',
      ...request.headers,
    }
    const response = await fetch(target.startsWith('http') ? target : this.base + target, {
      method,
      headers: Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined),
      ...(body !== undefined && { body: bytesOf(body) }),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const json = parseJson(bytes)
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      json,
      outcome: fhirOutcome(response.status, json),
    }
  }

  /** ITI-104: opens the record of a patient. */
  async open(who: IdentityOptions, { ins, authority }: TestPatient, demographics: object = {}): Promise<FhirReply> {
    const system = `urn:oid:${authority}`
    const body = { resourceType: 'Patient', identifier: [{ system, value: ins }], ...demographics }
    return this.call(who, 'PUT', `/Patient?identifier=${encodeURIComponent(`${system}|${ins}`)}`, { body })
  }

  /** ITI-65. */
  async provide(who: IdentityOptions, bundle: Bundle, options: Sent = {}): Promise<FhirReply> {
    return this.call(who, 'POST', '', { ...options, body: bundle })
  }

  /** ITI-105. */
  async publish(who: IdentityOptions, resource: DocumentReference, options: Sent = {}): Promise<FhirReply> {
    return this.call(who, 'POST', '/DocumentReference', { ...options, body: resource })
  }

  /** ITI-67, all pages. @param query further parameters: `status=superseded` */
  async find(
    who: IdentityOptions,
    patient: TestPatient,
    { query = 'status=current', ...options }: SearchOptions = {},
  ): Promise<FoundDocuments> {
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    let next: string | undefined = `/DocumentReference?patient.identifier=${token}${query === '' ? '' : `&${query}`}`
    const entries: DocumentEntry[] = []
    let first: FhirReply | undefined
    while (next !== undefined) {
      const reply: FhirReply = await this.call(who, 'GET', next, options)
      first ??= reply
      for (const entry of list(at(reply.json, 'entry'))) entries.push(entryOf(at(entry, 'resource')))
      const link = list(at(reply.json, 'link')).find((each) => at(each, 'relation') === 'next')
      next = link === undefined ? undefined : String(at(link, 'url'))
    }
    if (first === undefined) throw new Error('a search has a first page')
    return {
      outcome: first.outcome,
      entries,
      total: Number(at(first.json, 'total') ?? 0),
      raw: first.bytes.toString('utf8'),
    }
  }

  /** ITI-68. */
  async retrieve(
    who: IdentityOptions,
    { logicalId }: Pick<DocumentEntry, 'logicalId'>,
    options: FhirRequest = {},
  ): Promise<OneDocument> {
    const reply = await this.call(who, 'GET', `/Binary/${logicalId.slice('urn:uuid:'.length)}`, options)
    const { outcome, bytes, headers } = reply
    const mimeType = headers.get('content-type') ?? ''
    return { outcome, raw: outcome.ok ? '' : bytes.toString('utf8'), ...(outcome.ok && { bytes, mimeType }) }
  }

  /** ITI-81, newest first. */
  async history(who: IdentityOptions, patient: TestPatient): Promise<FhirReply> {
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    return this.call(who, 'GET', `/AuditEvent?patient.identifier=${token}`)
  }
}

export interface SearchOptions extends Sent {
  readonly query?: string
}

/** The entry behind a DocumentReference of the gateway. */
function entryOf(resource: Json | undefined): DocumentEntry {
  const { entry, issues } = fromDocumentReference(resource as unknown as DocumentReference, { profile: 'ihe' })
  // A warning says what the mapping does not keep of a resource (the name of the custodian): entries are compared, not it
  if (entry === undefined) throw new Error(`ITI-67 answered what breaks a rule: ${issues[0]?.detail}`)
  return entry
}

/** RFC 9651 dictionary: tokens for the codes, booleans, strings; text with accents as a Display String. */
export function consentHeader(declaration: Declaration): string {
  const codes = new Set(['basis', 'means'])
  return Object.entries(declaration)
    .map(([name, value]) => {
      if (typeof value === 'boolean') return `${name}=?${value ? 1 : 0}`
      return `${name}=${codes.has(name) ? value : quoted(value)}`
    })
    .join(', ')
}

function quoted(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return `"${value.replace(/["\\]/g, '\\$&')}"`
  const bytes = [...Buffer.from(value)]
  const plain = (byte: number) => byte > 0x1f && byte < 0x7f && byte !== 0x25 && byte !== 0x22
  const escaped = bytes.map((byte) =>
    plain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`,
  )
  return `%"${escaped.join('')}"`
}

function bytesOf(body: Buffer | string | object): Uint8Array<ArrayBuffer> {
  if (Buffer.isBuffer(body)) return new Uint8Array(body)
  return new Uint8Array(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}
