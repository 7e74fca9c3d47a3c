/** What tests of the mapping send: resources invented in the shape of MHD and PDSm. */
import type { DocumentReference, List } from '@medplum/fhirtypes'
import {
  type DocumentReadOptions,
  fromDocumentReference,
  fromSubmissionSetList,
  type ReadDocument,
  toDocumentReference,
} from '../../../src/fhir/mapping/index.ts'
import { type EntryUuid, newEntryUuid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../../src/metadata/model.ts'

export const baseUrl = 'https://gateway.example.org/fhir'
export const insSystem = 'urn:oid:1.2.250.1.213.1.4.10'
export const ins = '260059999999999'
export const professionals = 'urn:oid:1.2.250.1.71.4.2.1'
export const structures = 'urn:oid:1.2.250.1.71.4.2.2'

export const entryUuid: EntryUuid = newEntryUuid()

/** Through the characters of a message, as a client would. */
export function sent<T>(resource: T): T {
  return JSON.parse(JSON.stringify(resource)) as T
}

export function coded(system: string, code: string, display?: string) {
  return { coding: [{ system, code, ...(display !== undefined && { display }) }] }
}

/** A document of one professional, complete for MHD; `changes` replaces whole elements, undefined takes one away. */
export function aDocumentReference(changes: { [K in keyof DocumentReference]?: unknown } = {}): DocumentReference {
  return sent({
    resourceType: 'DocumentReference',
    contained: [
      {
        resourceType: 'Practitioner',
        id: 'author',
        identifier: [{ system: professionals, value: '899700000001' }],
        name: [{ family: 'EXEMPLE', given: ['Anne'] }],
      },
      { resourceType: 'Patient', id: 'source', identifier: [{ system: insSystem, value: ins }] },
    ],
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.9.1' },
    status: 'current',
    type: coded('http://loinc.org', '11502-2'),
    category: [coded('https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument', '10')],
    subject: { identifier: { system: insSystem, value: ins } },
    date: '2026-05-12T10:15:30+02:00',
    author: [{ reference: '#author' }],
    authenticator: { reference: '#author' },
    securityLabel: [coded('http://terminology.hl7.org/CodeSystem/v3-Confidentiality', 'N')],
    content: [
      {
        attachment: {
          contentType: 'text/xml',
          language: 'fr-FR',
          url: 'urn:uuid:0c0a91c8-1111-4b2c-9d0a-000000000001',
          title: 'Bilan sanguin',
          creation: '2026-05-12T10:15:30+02:00',
        },
        format: {
          system: 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode',
          code: 'urn:ihe:lab:xd-lab:2008',
        },
      },
    ],
    context: {
      facilityType: coded(
        'https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite',
        'SA01',
      ),
      practiceSetting: coded(
        'https://mos.esante.gouv.fr/NOS/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice',
        'AMBULATOIRE',
      ),
      sourcePatientInfo: { reference: '#source' },
    },
    ...changes,
  } as DocumentReference)
}

/** The content of aDocumentReference with another attachment. */
export function withAttachment(changes: object): DocumentReference {
  const { content, ...rest } = aDocumentReference()
  const [first] = content
  return sent({
    ...rest,
    content: [{ ...first, attachment: { ...first?.attachment, ...changes } }],
  } as DocumentReference)
}

export function withContext(changes: object): DocumentReference {
  const { context, ...rest } = aDocumentReference()
  return sent({ ...rest, context: { ...context, ...changes } } as DocumentReference)
}

/** Read as published. */
export function published(resource: DocumentReference, options: Partial<DocumentReadOptions> = {}): ReadDocument {
  return fromDocumentReference(resource, { profile: 'ci-sis', assign: { entryUuid }, ...options })
}

/** The entry, where the reading gives one without any error. */
export function entryOf(resource: DocumentReference, options: Partial<DocumentReadOptions> = {}): DocumentEntry {
  const { entry, issues } = published(resource, options)
  if (entry === undefined) throw new Error(JSON.stringify(issues))
  return entry
}

/** As this gateway serves it. */
export function served(entry: DocumentEntry): DocumentReference {
  return sent(toDocumentReference(entry, { baseUrl }))
}

export function aSubmissionSetList(changes: { [K in keyof List]?: unknown } = {}): List {
  return sent({
    resourceType: 'List',
    contained: [
      {
        resourceType: 'Practitioner',
        id: 'author',
        identifier: [{ system: professionals, value: '899700000001' }],
        name: [{ family: 'EXEMPLE', given: ['Anne'] }],
      },
    ],
    extension: [
      {
        url: 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType',
        valueCodeableConcept: coded('urn:oid:1.2.250.1.213.2.2', '07'),
      },
      {
        url: 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId',
        valueIdentifier: { value: 'urn:oid:1.2.250.1.999.1.1' },
      },
    ],
    identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.9.2' }],
    status: 'current',
    mode: 'working',
    code: coded('https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', 'submissionset'),
    subject: { identifier: { system: insSystem, value: ins } },
    date: '2026-05-12T10:16:00+02:00',
    source: { reference: '#author' },
    entry: [{ item: { reference: 'urn:uuid:0c0a91c8-1111-4b2c-9d0a-000000000002' } }],
    ...changes,
  } as List)
}

export function publishedSet(list: List) {
  return fromSubmissionSetList(list, {
    profile: 'ci-sis',
    assign: { entryUuid, uniqueId: '1.2.250.1.999.9.3' as UniqueId },
  })
}
