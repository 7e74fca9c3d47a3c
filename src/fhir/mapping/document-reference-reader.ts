/**
 * DocumentReference → DocumentEntry, the way back of document-reference.ts, and the reading of what sources publish.
 * Every violation is collected with its FHIRPath location and, where XDS-RULES §4.7 has one, its rule id; what is
 * understood but has no place in the metadata is reported as a warning.
 *
 * Left out without a word, because they are not metadata of the document: id, meta.tag, meta.security, text and language
 * of the resource, identifiers that a source gives (the gateway assigns its own), custodian (returned beside the entry),
 * attachment.url and .data (the transaction sees to the bytes).
 * Required elements that are missing stay absent: the metadata rules decide. Only what the model itself requires
 * (masterIdentifier, subject, contentType) is a violation here. On publication in `ci-sis` a missing category is derived
 * from type (ASS_X16), and without a source patient the patient's INS is the sourcePatientId (PDSM4DMP DocumentEntry).
 */
import type { Attachment, DocumentReference, DocumentReferenceContext } from '@medplum/fhirtypes'
import type { Issue } from '../../errors.ts'
import type { Xon } from '../../metadata/hl7.ts'
import { type Dtm, type EntryUuid, isOid, type Oid } from '../../metadata/identifiers.ts'
import type { AvailabilityStatus, Code, DocumentEntry } from '../../metadata/model.ts'
import { classOfType } from '../../nomenclature/index.ts'
import { claimsMinimal, type Identity, readIdentity, readSlots, readUniqueId } from './attributes.ts'
import { readAuthenticator, readAuthor, readInstitution } from './author.ts'
import { readCoding, readConcept } from './coding.ts'
import { isComplete, visibilityLast } from './entry.ts'
import { readSourcePatient, readSubject } from './patient.ts'
import { defined, extensionOf, Reading, type ReadOptions } from './reading.ts'
import { readReferenceIds } from './related.ts'
import { type ReadRelation, readRelations } from './relation.ts'
import { ext } from './terms.ts'
import { readTime, type Sibling } from './time.ts'

export interface DocumentReadOptions extends ReadOptions {
  /**
   * Publication: the identity that the gateway gives the new entry; the status must be current. Absent: the resource is
   * one this gateway wrote, and says its own identity.
   */
  readonly assign?: { readonly entryUuid: EntryUuid }
  /** Limited metadata as the Bundle's profile says; else the resource's own profile decides. */
  readonly limitedMetadata?: boolean
}

export interface ReadDocument {
  /** Undefined when one of the issues is an error. */
  readonly entry: DocumentEntry | undefined
  readonly relations: readonly ReadRelation[]
  readonly custodian: Xon | undefined
  /** Errors and warnings, in the order of the resource. */
  readonly issues: readonly Issue[]
}

const documentExtensions = [ext.isArchived, ext.stability, ext.slot]
const attachmentExtensions = [ext.repositoryUniqueId, ext.homeCommunityId, ext.documentAvailability, ext.uri, ext.size]

export function fromDocumentReference(resource: DocumentReference, options: DocumentReadOptions): ReadDocument {
  const reading = new Reading(resource, options)
  const { path, problems } = reading
  reading.extensions(resource, path, documentExtensions)
  if (resource.implicitRules !== undefined)
    problems.error(`${path}.implicitRules`, 'Leave implicitRules out: no such rules are known here.')
  readDocStatus(resource, reading)

  const { assign } = options
  const identity: Identity | undefined = assign
    ? { entryUuid: assign.entryUuid, logicalId: assign.entryUuid, version: 1 }
    : readIdentity(resource, reading)
  const uniqueId = resource.masterIdentifier
    ? readUniqueId(resource.masterIdentifier, `${path}.masterIdentifier`, reading, 'DR_10')
    : problems.error(
        `${path}.masterIdentifier`,
        'Send the uniqueId of the document: system urn:ietf:rfc:3986, value urn:oid:…',
        { rule: 'DR_10' },
      )
  const availabilityStatus = readStatus(resource, reading, assign !== undefined)
  const typeCode = readConcept(resource.type, `${path}.type`, reading)
  const patientId = readSubject(resource.subject, `${path}.subject`, reading)
  const authors = (resource.author ?? []).flatMap((each, i) => readAuthor(each, `${path}.author[${i}]`, reading) ?? [])
  const legalAuthenticator =
    resource.authenticator && readAuthenticator(resource.authenticator, `${path}.authenticator`, reading)
  const relations = readRelations(resource.relatesTo, path, reading)
  const labels = readConcepts(resource.securityLabel, `${path}.securityLabel`, reading, 'CMPMETA_4')
  const attributes = {
    classCode: readCategory(resource, typeCode, reading),
    ...(assign && patientId && options.profile === 'ci-sis' && { sourcePatientId: patientId }),
    ...readContent(resource, reading),
    ...readContext(resource.context ?? {}, `${path}.context`, reading),
  }
  const custodian = resource.custodian && readCustodian(resource, reading)
  if (problems.failed || !identity || !uniqueId || !patientId || !attributes.mimeType || !availabilityStatus)
    return { entry: undefined, relations, custodian, issues: problems.issues }

  const entry = defined<Omit<DocumentEntry, 'limitedMetadata'>>({
    kind: 'DocumentEntry',
    ...identity,
    uniqueId,
    availabilityStatus,
    stability: extensionOf(resource, ext.stability)?.valueCode === 'on-demand' ? 'on-demand' : 'stable',
    patientId,
    authors,
    legalAuthenticator,
    typeCode,
    confidentialityCodes: visibilityLast(labels),
    comments: resource.description,
    extra: readSlots(resource, path, reading),
    ...attributes,
    mimeType: attributes.mimeType,
  })
  if (problems.failed) return { entry: undefined, relations, custodian, issues: problems.issues }
  const limitedMetadata = options.limitedMetadata ?? isLimited(resource, entry)
  return { entry: { ...entry, limitedMetadata }, relations, custodian, issues: problems.issues }
}

/** A Simplified Publish has no profile of its own for complete metadata: what is not complete is limited. */
function isLimited({ meta }: DocumentReference, entry: Omit<DocumentEntry, 'limitedMetadata'>): boolean {
  if (claimsMinimal(meta, 'DocumentReference')) return true
  const simplified = meta?.profile?.some((each) => /simplified-?publish/i.test(each)) ?? false
  return simplified && !isComplete(entry)
}

/** MHD forbids docStatus; only the one that takes the document back is refused, the others are not kept. */
function readDocStatus({ docStatus }: DocumentReference, { path, problems }: Reading): void {
  if (docStatus === undefined) return
  const at = `${path}.docStatus`
  if (docStatus === 'entered-in-error') problems.error(at, 'A document entered in error is not published.')
  else problems.lost(at, 'The status of the composition has no place in the metadata.')
}

function readStatus(
  resource: DocumentReference,
  { path, problems }: Reading,
  publishing: boolean,
): AvailabilityStatus | undefined {
  const archived = extensionOf(resource, ext.isArchived)?.valueBoolean === true
  const at = `${path}.status`
  if (publishing && (resource.status !== 'current' || archived))
    return problems.error(at, 'A document is published with status current and is not archived.', { rule: 'DR_11' })
  switch (resource.status) {
    case 'current':
      return archived ? 'Archived' : 'Approved'
    case 'superseded':
    case 'entered-in-error':
      if (archived) return problems.error(at, 'Only a current document can be archived.', { rule: 'DR_11' })
      return resource.status === 'superseded' ? 'Deprecated' : 'Deleted'
    default:
      return problems.error(at, 'Send current, superseded or entered-in-error.', { rule: 'DR_11' })
  }
}

function readConcepts(
  concepts: DocumentReference['securityLabel'],
  location: string,
  reading: Reading,
  rule?: string,
): readonly Code[] {
  return (concepts ?? []).flatMap((each, index) => readConcept(each, `${location}[${index}]`, reading, rule) ?? [])
}

function readCategory({ category }: DocumentReference, type: Code | undefined, reading: Reading): Code | undefined {
  const at = `${reading.path}.category`
  if (category === undefined) return type && reading.options.profile === 'ci-sis' ? classOfType(type.code) : undefined
  if (category.length > 1) return reading.problems.error(at, 'A document has one class: send one category.')
  return readConcept(category[0], `${at}[0]`, reading)
}

function readCustodian({ custodian }: DocumentReference, reading: Reading): Xon | undefined {
  const at = `${reading.path}.custodian`
  const issues = reading.problems.issues.length
  const institution = custodian && readInstitution(custodian, at, reading)
  // The custodian is the caller's structure whatever the message says: an unreadable one is no reason to refuse.
  if (institution === undefined) {
    reading.problems.issues.length = issues
    reading.problems.lost(at, 'The custodian could not be read: it is the structure of the caller.')
  }
  return institution
}

// --- content --------------------------------------------------------------------------------------------------------

type Content = Pick<
  DocumentEntry,
  | 'creationTime'
  | 'languageCode'
  | 'title'
  | 'hash'
  | 'size'
  | 'formatCode'
  | 'repositoryUniqueId'
  | 'homeCommunityId'
  | 'documentAvailability'
  | 'uri'
> & { readonly mimeType?: string }

function readContent(resource: DocumentReference, reading: Reading): Content {
  const { problems, path } = reading
  const [content, ...others] = resource.content ?? []
  if (content === undefined || others.length > 0) {
    problems.error(`${path}.content`, 'Send one content: each document has its own DocumentReference.', {
      rule: 'DR_1',
    })
    return {}
  }
  const at = `${path}.content[0].attachment`
  reading.extensions(content, `${path}.content[0]`, [])
  const attachment: Attachment & { _creation?: Sibling } = content.attachment ?? {}
  reading.extensions(attachment, at, attachmentExtensions)
  const { contentType, language, title, hash } = attachment
  if (contentType === undefined)
    problems.error(`${at}.contentType`, 'Send the MIME type of the document.', { rule: 'DR_3' })
  return defined<Content>({
    mimeType: contentType,
    languageCode: language,
    title,
    hash: hash === undefined ? undefined : readHash(hash, `${at}.hash`, reading),
    size: attachment.size ?? sizeOf(attachment),
    creationTime: readCreation(resource, attachment, at, reading),
    formatCode: readCoding(content.format, `${path}.content[0].format`, reading),
    ...readPlace(attachment, at, reading),
  })
}

function sizeOf(attachment: Attachment): number | undefined {
  const digits = extensionOf(attachment, ext.size)?.valueString
  return digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined
}

/** base64 of the 20 bytes; base64 of the 40 hexadecimal digits is how the published MHD examples have it. */
function readHash(hash: string, location: string, { problems }: Reading): string | undefined {
  const bytes = Buffer.from(hash, 'base64')
  if (bytes.length === 20) return bytes.toString('hex')
  const digits = bytes.toString('latin1').toLowerCase()
  if (/^[0-9a-f]{40}$/.test(digits)) return digits
  return problems.error(location, 'Send the SHA-1 of the document: base64 of its 20 bytes.')
}

/**
 * creationTime stands in attachment.creation (MHD, PDSm) or date (PDSm4DMP draft), or in both. Where both say different
 * times attachment.creation is taken: MHD gives date no place in XDS, PDSm makes it the time of the resource itself.
 */
function readCreation(
  resource: DocumentReference & { _date?: Sibling },
  attachment: Attachment & { _creation?: Sibling },
  location: string,
  { path, problems }: Reading,
): Dtm | undefined {
  const date = readTime(resource.date, resource._date, `${path}.date`, problems)
  const creation = readTime(attachment.creation, attachment._creation, `${location}.creation`, problems)
  if (date === undefined || creation === undefined) return creation ?? date
  if (date.startsWith(creation) || resource.date?.startsWith(attachment.creation ?? ' ')) return date
  if (!creation.startsWith(date))
    problems.warn(
      `${path}.date`,
      'date differs from attachment.creation, which is kept as creationTime: send both equal.',
    )
  return creation
}

type Place = Pick<DocumentEntry, 'repositoryUniqueId' | 'homeCommunityId' | 'documentAvailability' | 'uri'>

function readPlace(attachment: Attachment, location: string, { problems }: Reading): Place {
  const repository = extensionOf(attachment, ext.repositoryUniqueId)?.valueOid?.replace('urn:oid:', '')
  if (repository !== undefined && !isOid(repository))
    problems.error(`${location}.extension`, 'A repositoryUniqueId is an OID: urn:oid:…')
  const availability = extensionOf(attachment, ext.documentAvailability)?.valueCode
  if (availability !== undefined && availability !== 'Online' && availability !== 'Offline')
    problems.error(`${location}.extension`, 'documentAvailability is Online or Offline.')
  return defined<Place>({
    repositoryUniqueId: repository as Oid | undefined,
    homeCommunityId: extensionOf(attachment, ext.homeCommunityId)?.valueUri,
    documentAvailability: availability as 'Online' | 'Offline' | undefined,
    uri: extensionOf(attachment, ext.uri)?.valueString,
  })
}

// --- context --------------------------------------------------------------------------------------------------------

type Context = Pick<
  DocumentEntry,
  | 'eventCodes'
  | 'serviceStartTime'
  | 'serviceStopTime'
  | 'healthcareFacilityTypeCode'
  | 'practiceSettingCode'
  | 'sourcePatientId'
  | 'sourcePatientInfo'
  | 'referenceIds'
>

function readContext(context: DocumentReferenceContext, path: string, reading: Reading): Context {
  reading.extensions(context, path, [])
  const period: DocumentReferenceContext['period'] & { _start?: Sibling; _end?: Sibling } = context.period ?? {}
  return defined<Context>({
    eventCodes: readConcepts(context.event, `${path}.event`, reading),
    serviceStartTime: readTime(period.start, period._start, `${path}.period.start`, reading.problems),
    serviceStopTime: readTime(period.end, period._end, `${path}.period.end`, reading.problems),
    healthcareFacilityTypeCode: readConcept(context.facilityType, `${path}.facilityType`, reading),
    practiceSettingCode: readConcept(context.practiceSetting, `${path}.practiceSetting`, reading),
    ...readSourcePatient(context.sourcePatientInfo, `${path}.sourcePatientInfo`, reading),
    referenceIds: readReferenceIds(context, path, reading),
  })
}
