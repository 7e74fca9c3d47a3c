/**
 * DocumentEntry → DocumentReference (MHD 3:4.5.1.1, PDSm 3.1.1; docs/mapping.md). What FHIR R4 and MHD have no element
 * for goes into extensions of terms.ts, so that reading the resource gives back the same entry.
 * The extension isArchived stands first and only where it is true; the others of the resource are the extra slots; those
 * about where the document is kept are on the attachment.
 */
import type {
  Attachment,
  CodeableConcept,
  DocumentReference,
  DocumentReferenceContext,
  Extension,
  Organization,
  Period,
  Reference,
} from '@medplum/fhirtypes'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Code, DocumentEntry } from '../../metadata/model.ts'
import { idOf, writeIds, writeMeta, writeSlots, writeUniqueId } from './attributes.ts'
import { Contained, writeAuthenticator, writeAuthor } from './author.ts'
import { writeCoding, writeConcept } from './coding.ts'
import { isComplete, statusOf, visibilityFirst } from './entry.ts'
import { writeSourcePatient, writeSubject } from './patient.ts'
import { defined, some } from './reading.ts'
import { writeReferenceIds } from './related.ts'
import { type Relation, writeRelations } from './relation.ts'
import { ext, oids, profiles } from './terms.ts'
import { type Sibling, writeDateTime, writeInstant } from './time.ts'

export { fromDocumentReference } from './document-reference-reader.ts'

export interface WriteOptions {
  /** Absolute URL of the FHIR door, without a slash at the end. */
  readonly baseUrl: string
  /** ISO 8601 instant of the last metadata change. */
  readonly updatedAt?: string
  /** Changes of status since this version was made. */
  readonly revision?: number
  /** Relationships that start at this document and that the caller may see. */
  readonly relations?: readonly Relation[]
  /** The structure that fed the document (Struct_IdNat), where it is known. */
  readonly custodian?: { readonly id: string; readonly name?: string }
  /** `Patient/{id}` where the door has an id for this patient; the identifier is always given. */
  readonly patientReference?: (patient: PatientKey) => string | undefined
}

/** FHIR JSON keeps the extensions of a primitive value beside it. */
export type WrittenDocumentReference = DocumentReference & { readonly _date?: Sibling }

export function toDocumentReference(entry: DocumentEntry, options: WriteOptions): WrittenDocumentReference {
  const contained = new Contained()
  const authors = entry.authors.map((each) => writeAuthor(each, contained))
  const authenticator = entry.legalAuthenticator && writeAuthenticator(entry.legalAuthenticator, contained)
  const { status, archived } = statusOf(entry.availabilityStatus)
  const context = contextOf(entry, contained)
  return defined<WrittenDocumentReference>({
    resourceType: 'DocumentReference',
    id: idOf(entry),
    meta: writeMeta(entry, options, profileOf(entry)),
    contained: some(contained.list),
    extension: some([
      ...(archived ? [{ url: ext.isArchived, valueBoolean: true }] : []),
      ...(entry.stability === 'on-demand' ? [{ url: ext.stability, valueCode: entry.stability }] : []),
      ...writeSlots(entry.extra),
    ]),
    masterIdentifier: writeUniqueId(entry.uniqueId),
    identifier: writeIds(entry),
    status,
    type: entry.typeCode && writeConcept(entry.typeCode),
    category: entry.classCode && [writeConcept(entry.classCode)],
    subject: writeSubject(entry.patientId, options.patientReference),
    // creationTime: the guides disagree on where it stands, so it stands in both places.
    ...writeInstant('date', entry.creationTime),
    author: some(authors),
    authenticator,
    custodian: options.custodian && custodianOf(options.custodian),
    relatesTo: writeRelations(options.relations ?? []),
    description: entry.comments,
    securityLabel: some(visibilityFirst(entry.confidentialityCodes).map(writeConcept)),
    content: [
      defined({
        attachment: attachmentOf(entry, options.baseUrl),
        format: entry.formatCode && writeCoding(entry.formatCode),
      }),
    ],
    context: Object.keys(context).length === 0 ? undefined : context,
  })
}

/**
 * The claim of meta.profile, which also tells limited metadata (MHD 3:4.5.1.1 limitedMetadata). None for an entry that
 * is neither limited nor complete: a claim must hold.
 */
function profileOf(entry: DocumentEntry): string | undefined {
  if (entry.limitedMetadata) return profiles.minimal.DocumentReference
  return isComplete(entry) ? profiles.comprehensive.DocumentReference : undefined
}

function custodianOf({ id, name }: NonNullable<WriteOptions['custodian']>): Reference<Organization> {
  const identifier = { system: `urn:oid:${oids.structure}`, value: id }
  return defined<Reference<Organization>>({ type: 'Organization', identifier, display: name })
}

/** FHIR R4 unsignedInt. */
const largest = 2 ** 31 - 1

function attachmentOf(entry: DocumentEntry, baseUrl: string): Attachment {
  const { size = 0, repositoryUniqueId, homeCommunityId, documentAvailability, uri } = entry
  const extension: Extension[] = [
    ...(repositoryUniqueId ? [{ url: ext.repositoryUniqueId, valueOid: `urn:oid:${repositoryUniqueId}` }] : []),
    ...(homeCommunityId ? [{ url: ext.homeCommunityId, valueUri: homeCommunityId }] : []),
    ...(documentAvailability ? [{ url: ext.documentAvailability, valueCode: documentAvailability }] : []),
    ...(uri ? [{ url: ext.uri, valueString: uri }] : []),
    ...(size > largest ? [{ url: ext.size, valueString: String(size) }] : []),
  ]
  return defined<Attachment & { _creation?: Sibling }>({
    extension: some(extension),
    contentType: entry.mimeType,
    language: entry.languageCode,
    url: `${baseUrl}/Binary/${idOf(entry)}`,
    size: size > largest ? undefined : entry.size,
    // XDS has the SHA-1 in hexadecimal, FHIR in base64 of the 20 bytes.
    hash: entry.hash && Buffer.from(entry.hash, 'hex').toString('base64'),
    title: entry.title,
    ...writeDateTime('creation', entry.creationTime),
  })
}

function contextOf(entry: DocumentEntry, contained: Contained): DocumentReferenceContext {
  const source = writeSourcePatient(entry)
  const concept = (code: Code | undefined): CodeableConcept | undefined => code && writeConcept(code)
  const period: Period = {
    ...writeDateTime('start', entry.serviceStartTime),
    ...writeDateTime('end', entry.serviceStopTime),
  }
  return defined<DocumentReferenceContext>({
    ...writeReferenceIds(entry.referenceIds),
    event: some(entry.eventCodes.map(writeConcept)),
    period: Object.keys(period).length === 0 ? undefined : period,
    facilityType: concept(entry.healthcareFacilityTypeCode),
    practiceSetting: concept(entry.practiceSettingCode),
    sourcePatientInfo: source && contained.add(source),
  })
}
