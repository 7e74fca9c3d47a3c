/**
 * FHIR resources as a client of MHD and PDSm writes them, apart from the gateway's mapping: authors contained, patient as
 * a logical reference, code systems as urn:oid:. Only what the mothers of test/support fill in.
 */
import { randomUUID } from 'node:crypto'
import type {
  Bundle,
  CodeableConcept,
  Device,
  DocumentReference,
  Identifier,
  List,
  Organization,
  Practitioner,
  PractitionerRole,
  Resource,
} from '@medplum/fhirtypes'
import type { Cx, Hd, Xcn, Xon } from '../../src/metadata/hl7.ts'
import type { Author, Code, DocumentEntry, SubmissionSet } from '../../src/metadata/model.ts'
import { submissionOf, type TestDocument } from './documents.ts'

export interface Relates {
  readonly code: 'replaces' | 'transforms' | 'signs' | 'appends'
  /** Literal reference: `DocumentReference/{id}`. */
  readonly target: string
}

/** For ITI-105: the document comes inside, in base64. */
export function simplifiedPublish(document: TestDocument, relates: readonly Relates[] = []): DocumentReference {
  const resource = documentReference(document.entry, relates)
  const [content] = resource.content ?? []
  if (content?.attachment) content.attachment.data = document.bytes.toString('base64')
  return resource
}

/** For ITI-65: a List of the SubmissionSet, a DocumentReference and a Binary for each document. */
export function provideBundle(documents: readonly TestDocument[], relates: readonly Relates[] = []): Bundle {
  const { submissionSet } = submissionOf(documents)
  const parts = documents.map((document) => ({ document, at: newUrn(), binary: newUrn() }))
  return {
    resourceType: 'Bundle',
    meta: { profile: ['https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Comprehensive.ProvideBundle'] },
    type: 'transaction',
    entry: [
      posted(
        submissionSetList(
          submissionSet,
          parts.map(({ at }) => at),
        ),
        newUrn(),
      ),
      ...parts.flatMap(({ document: { entry, bytes }, at, binary }) => [
        posted(documentReference(entry, relates, binary), at),
        posted({ resourceType: 'Binary', contentType: entry.mimeType, data: bytes.toString('base64') }, binary),
      ]),
    ],
  }
}

export function documentReference(
  entry: DocumentEntry,
  relates: readonly Relates[] = [],
  url?: string,
): DocumentReference {
  const contained = new Contained()
  const authors = entry.authors.map((each) => ({ reference: contained.author(each) }))
  const authenticator = entry.legalAuthenticator && { reference: contained.add(person(entry.legalAuthenticator)) }
  const source = contained.add(sourcePatient(entry))
  const hash = entry.hash && Buffer.from(entry.hash, 'hex').toString('base64')
  return clean<DocumentReference>({
    resourceType: 'DocumentReference',
    contained: contained.list,
    masterIdentifier: uri(entry.uniqueId),
    status: 'current',
    type: entry.typeCode && concept(entry.typeCode),
    category: entry.classCode && [concept(entry.classCode)],
    subject: { type: 'Patient', identifier: patientIdentifier(entry.patientId) },
    date: dateTime(entry.creationTime),
    author: authors,
    authenticator,
    relatesTo: relates.map(({ code, target }) => ({ code, target: { reference: target } })),
    description: entry.comments,
    securityLabel: entry.confidentialityCodes.map(concept),
    content: [
      {
        attachment: clean({
          contentType: entry.mimeType,
          language: entry.languageCode,
          url,
          size: entry.size,
          hash,
          title: entry.title,
          creation: dateTime(entry.creationTime),
        }),
        ...(entry.formatCode && { format: coding(entry.formatCode) }),
      },
    ],
    context: clean({
      event: entry.eventCodes.map(concept),
      period: clean({ start: dateTime(entry.serviceStartTime), end: dateTime(entry.serviceStopTime) }),
      facilityType: entry.healthcareFacilityTypeCode && concept(entry.healthcareFacilityTypeCode),
      practiceSetting: entry.practiceSettingCode && concept(entry.practiceSettingCode),
      sourcePatientInfo: { reference: source },
    }),
  })
}

function submissionSetList(set: SubmissionSet, items: readonly string[]): List {
  const contained = new Contained()
  const [author] = set.authors
  const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition'
  return clean<List>({
    resourceType: 'List',
    contained: contained.list,
    extension: [
      {
        url: `${mhd}/ihe-designationType`,
        ...(set.contentTypeCode && { valueCodeableConcept: concept(set.contentTypeCode) }),
      },
      { url: `${mhd}/ihe-sourceId`, valueIdentifier: uri(set.sourceId) },
    ],
    identifier: [{ use: 'usual', ...uri(set.uniqueId) }],
    status: 'current',
    mode: 'working',
    title: set.title,
    code: {
      coding: [{ system: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', code: 'submissionset' }],
    },
    subject: set.patientId && { type: 'Patient', identifier: patientIdentifier(set.patientId) },
    date: dateTime(set.submissionTime),
    source: author && { reference: contained.author(author) },
    entry: items.map((reference) => ({ item: { reference } })),
  })
}

class Contained {
  readonly list: Resource[] = []

  add(resource: Resource): string {
    const id = `c${this.list.length + 1}`
    this.list.push({ ...resource, id } as Resource)
    return `#${id}`
  }

  author({ person: xcn, institutions: [institution], roles, specialties }: Author): string {
    const organization = institution && { reference: this.add(structure(institution)) }
    if (xcn?.nameType === 'U')
      return this.add(
        clean<Device>({
          resourceType: 'Device',
          identifier: [xcnIdentifier(xcn)],
          deviceName: [{ name: xcn.family ?? '', type: 'user-friendly-name' }],
          modelNumber: xcn.given,
          owner: organization,
        }),
      )
    return this.add(
      clean<PractitionerRole>({
        resourceType: 'PractitionerRole',
        practitioner: xcn && { reference: this.add(person(xcn)) },
        organization,
        code: roles.map((role) => ({ text: role })),
        specialty: specialties.map((each) => {
          const [code = '', display = '', system = ''] = each.split('^')
          return concept({ code, display, system })
        }),
      }),
    )
  }
}

function person(xcn: Xcn): Practitioner {
  return clean<Practitioner>({
    resourceType: 'Practitioner',
    identifier: [xcnIdentifier(xcn)],
    name: [clean({ family: xcn.family, given: xcn.given === undefined ? undefined : [xcn.given] })],
  })
}

function structure({ id, name, assigningAuthority }: Xon): Organization {
  return clean<Organization>({
    resourceType: 'Organization',
    identifier: id === undefined ? undefined : [{ system: oidOf(assigningAuthority), value: id }],
    name,
  })
}

function sourcePatient({ sourcePatientId, sourcePatientInfo }: DocumentEntry): Resource {
  const line = (field: string) =>
    sourcePatientInfo.find((each) => each.startsWith(`${field}|`))?.slice(field.length + 1)
  const [family, given] = line('PID-5')?.split('^') ?? []
  const birth = line('PID-7')
  const genders: Readonly<Record<string, string>> = { F: 'female', M: 'male' }
  return clean({
    resourceType: 'Patient',
    identifier: sourcePatientId && [patientIdentifier(sourcePatientId)],
    name: [clean({ use: 'official', family, given: given ? [given] : undefined })],
    gender: genders[line('PID-8') ?? ''],
    birthDate: birth && `${birth.slice(0, 4)}-${birth.slice(4, 6)}-${birth.slice(6, 8)}`,
  }) as Resource
}

function posted(resource: Resource, fullUrl: string): NonNullable<Bundle['entry']>[number] {
  return { fullUrl, resource, request: { method: 'POST', url: resource.resourceType } }
}

function newUrn(): string {
  return `urn:uuid:${randomUUID()}`
}

function coding({ code, system, display }: Code) {
  return clean({ system: `urn:oid:${system}`, code, display })
}

function concept(code: Code): CodeableConcept {
  return { coding: [coding(code)] }
}

function uri(oid: string): Identifier {
  return { system: 'urn:ietf:rfc:3986', value: `urn:oid:${oid}` }
}

function patientIdentifier({ id, assigningAuthority }: Cx): Identifier {
  return { system: oidOf(assigningAuthority), value: id }
}

/** IDNPS goes without saying; the identifier of a device does not. */
function xcnIdentifier({ id = '', assigningAuthority, idType }: Xcn): Identifier {
  const type =
    idType === undefined || idType === 'IDNPS'
      ? {}
      : { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: idType }] } }
  return { ...type, system: oidOf(assigningAuthority), value: id }
}

function oidOf(authority: Hd | undefined): string {
  return `urn:oid:${authority?.universalId ?? ''}`
}

/** `20260512081530` → `2026-05-12T08:15:30Z`; eight digits stay a date. */
export function dateTime(dtm: string | undefined): string | undefined {
  if (dtm === undefined) return undefined
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?$/.exec(dtm) ?? []
  if (year === undefined) throw new RangeError(`FHIR has no time for ${dtm}: give a date, or a time to the second`)
  return hour === undefined ? `${year}-${month}-${day}` : `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}

/** Without what is undefined or an empty list: FHIR has neither. */
function clean<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as T
}
