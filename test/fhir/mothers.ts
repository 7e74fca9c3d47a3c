/** FHIR messages that are valid, so that a test changes one thing. All people and identifiers are invented. */
import { randomUUID } from 'node:crypto'
import type { Binary, Bundle, BundleEntry, DocumentReference, List, Parameters, Resource } from '@medplum/fhirtypes'

const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition'
export const authority = 'urn:oid:1.2.250.1.213.1.4.10'
export const ins = '260059999999999'
export const patientToken = `${authority}|${ins}`

export function newOid(): string {
  return `urn:oid:2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`
}

export function newFullUrl(): string {
  return `urn:uuid:${randomUUID()}`
}

export interface DocumentOptions {
  readonly bytes?: Buffer
  readonly uniqueId?: string
  readonly url?: string
  readonly value?: string
  readonly change?: (resource: DocumentReference) => void
}

export function aDocumentReference({
  uniqueId = newOid(),
  url,
  value = ins,
  change,
}: DocumentOptions = {}): DocumentReference {
  const resource: DocumentReference = {
    resourceType: 'DocumentReference',
    contained: [
      { resourceType: 'Patient', id: 'source', identifier: [{ system: authority, value }] },
      {
        resourceType: 'Practitioner',
        id: 'author',
        identifier: [{ system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899700000001' }],
        name: [{ family: 'Dupont', given: ['Anne'] }],
      },
    ],
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: uniqueId },
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11488-4' }] },
    category: [{ coding: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.1', code: '10' }] }],
    subject: { identifier: { system: authority, value } },
    date: '2026-06-12T10:00:00+02:00',
    author: [{ reference: '#author' }],
    securityLabel: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] }],
    content: [
      {
        attachment: {
          contentType: 'text/plain',
          language: 'fr-FR',
          title: 'Compte rendu',
          creation: '2026-06-12T10:00:00+02:00',
          ...(url === undefined ? {} : { url }),
        },
        format: { system: 'urn:oid:1.3.6.1.4.1.19376.1.2.3', code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient' },
      },
    ],
    context: {
      facilityType: { coding: [{ system: 'urn:oid:1.2.250.1.71.4.2.4', code: 'SA01' }] },
      practiceSetting: { coding: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.9', code: 'ETABLISSEMENT' }] },
      sourcePatientInfo: { reference: '#source' },
    },
  }
  change?.(resource)
  return resource
}

/** For ITI-105: the document comes inside. */
export function aSimplifiedPublish(options: DocumentOptions = {}): DocumentReference {
  const resource = aDocumentReference(options)
  const [content] = resource.content
  if (content?.attachment) content.attachment.data = (options.bytes ?? Buffer.from('bonjour')).toString('base64')
  return resource
}

export function aBinary(bytes: Buffer = Buffer.from('bonjour'), contentType = 'text/plain'): Binary {
  return { resourceType: 'Binary', contentType, data: bytes.toString('base64') }
}

export function aSubmissionSetList(items: readonly string[], change?: (list: List) => void): List {
  const list: List = {
    resourceType: 'List',
    extension: [
      {
        url: `${mhd}/ihe-designationType`,
        valueCodeableConcept: { coding: [{ system: 'urn:oid:1.2.250.1.213.2.2', code: '97' }] },
      },
      {
        url: `${mhd}/ihe-sourceId`,
        valueIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.7' },
      },
    ],
    identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: newOid() }],
    status: 'current',
    mode: 'working',
    code: { coding: [{ system: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', code: 'submissionset' }] },
    subject: { identifier: { system: authority, value: ins } },
    date: '2026-06-12T10:05:00+02:00',
    source: {
      type: 'Practitioner',
      identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899700000001' },
      display: 'DUPONT Anne',
    },
    ...(items.length === 0 ? {} : { entry: items.map((reference) => ({ item: { reference } })) }),
  }
  change?.(list)
  return list
}

export function aFolderList(items: readonly string[]): List {
  return aSubmissionSetList(items, (list) => {
    list.extension = list.extension?.slice(0, 1) ?? []
    list.title = 'Grossesse'
    delete list.source
    list.code = { coding: [{ system: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', code: 'folder' }] }
  })
}

export function post(resource: Resource, fullUrl = newFullUrl()): BundleEntry {
  return { fullUrl, resource, request: { method: 'POST', url: resource.resourceType } }
}

export interface ProvidedDocument {
  readonly reference: DocumentReference
  readonly bytes?: Buffer
}

export interface BundleOptions {
  readonly documents?: readonly DocumentOptions[]
  readonly level?: 'Comprehensive' | 'Minimal'
  readonly set?: (list: List) => void
  readonly extra?: readonly BundleEntry[]
  readonly change?: (bundle: Bundle) => void
}

/** A provide Bundle: the SubmissionSet, each document, then each Binary. */
export function aBundle({
  documents = [{}],
  level = 'Comprehensive',
  set,
  extra = [],
  change,
}: BundleOptions = {}): Bundle {
  const parts = documents.map((options) => {
    const url = newFullUrl()
    return { document: post(aDocumentReference({ ...options, url })), binary: post(aBinary(options.bytes), url) }
  })
  const items = parts.map(({ document }) => document.fullUrl ?? '')
  const bundle: Bundle = {
    resourceType: 'Bundle',
    meta: { profile: [`${mhd}/IHE.MHD.${level}.ProvideBundle`] },
    type: 'transaction',
    entry: [
      post(aSubmissionSetList(items, set)),
      ...parts.map(({ document }) => document),
      ...parts.map(({ binary }) => binary),
      ...extra,
    ],
  }
  change?.(bundle)
  return bundle
}

/** The entry that sets the replaced document to superseded. */
export function aPatch(url: string, status = 'superseded'): BundleEntry {
  const resource: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'operation',
        part: [
          { name: 'type', valueCode: 'replace' },
          { name: 'path', valueString: 'DocumentReference.status' },
          { name: 'value', valueCode: status },
        ],
      },
    ],
  }
  return { fullUrl: newFullUrl(), resource, request: { method: 'PATCH', url } }
}
