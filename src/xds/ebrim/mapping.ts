/** ebRIM objects, once taken apart, as the objects of the metadata model (ITI TF-3 4.2.3). */
import { isDtm } from '../../metadata/dtm.ts'
import { parseCx, parseXcn, parseXon, parseXtn } from '../../metadata/hl7.ts'
import { type Dtm, type EntryUuid, toOid, type UniqueId } from '../../metadata/identifiers.ts'
import type {
  Association,
  AssociationType,
  AvailabilityStatus,
  DocumentEntry,
  Folder,
  Recipient,
  SubmissionSet,
} from '../../metadata/model.ts'
import { defined } from '../defined.ts'
import { availabilityOf, nodes, referenceIdList } from './codes.ts'
import type { ObjectReader } from './object.ts'

/** Characters of a Slot value (ebRIM 3.0, LongName). */
const longestValue = 256

/** What identifies an object and is decided for the whole message: ids resolved, state as submitted or as stored. */
export interface ObjectIdentity {
  readonly entryUuid: EntryUuid
  readonly logicalId: EntryUuid
  readonly version: number
  readonly availabilityStatus: AvailabilityStatus
  readonly homeCommunityId?: string
}

/** ITI TF-3 4.2.3.2. `stability` comes from objectType, `mimeType` is the attribute of the ExtrinsicObject. */
export function toDocumentEntry(
  object: ObjectReader,
  identity: ObjectIdentity,
  { stability, mimeType }: Pick<DocumentEntry, 'stability' | 'mimeType'>,
): DocumentEntry {
  const sourcePatientId = object.value('sourcePatientId')
  const legalAuthenticator = object.value('legalAuthenticator')
  return {
    kind: 'DocumentEntry',
    ...identity,
    uniqueId: object.requiredIdentifier('uniqueId') as UniqueId,
    stability,
    limitedMetadata: object.hasNode(nodes.limitedDocumentEntry),
    patientId: parseCx(object.requiredIdentifier('patientId')),
    sourcePatientInfo: object.values('sourcePatientInfo'),
    authors: object.authors,
    confidentialityCodes: object.codes('confidentialityCode'),
    eventCodes: object.codes('eventCodeList'),
    mimeType,
    referenceIds: object.values(referenceIdList).map(parseCx),
    extra: object.extra,
    ...defined({
      repositoryUniqueId: object.convert('repositoryUniqueId', 'D7', toOid),
      sourcePatientId: sourcePatientId === undefined ? undefined : parseCx(sourcePatientId),
      legalAuthenticator: legalAuthenticator === undefined ? undefined : parseXcn(legalAuthenticator),
      classCode: object.code('classCode'),
      typeCode: object.code('typeCode'),
      formatCode: object.code('formatCode'),
      healthcareFacilityTypeCode: object.code('healthcareFacilityTypeCode'),
      practiceSettingCode: object.code('practiceSettingCode'),
      creationTime: object.convert('creationTime', 'D7', toTime),
      serviceStartTime: object.convert('serviceStartTime', 'D7', toTime),
      serviceStopTime: object.convert('serviceStopTime', 'D7', toTime),
      languageCode: object.value('languageCode'),
      title: object.title,
      comments: object.comments,
      hash: object.convert('hash', 'D7', toHash),
      size: object.convert('size', 'D7', toSize),
      uri: readUri(object),
      documentAvailability: object.convert('documentAvailability', 'D8', toAvailability),
    }),
  }
}

/** ITI TF-3 4.2.3.3. */
export function toSubmissionSet(object: ObjectReader, identity: ObjectIdentity): SubmissionSet {
  const submissionTime = object.convert('submissionTime', 'D7', toTime)
  if (submissionTime === undefined && object.value('submissionTime') === undefined)
    object.report('D4', 'submissionTime', 'Slot submissionTime is missing: send it.')
  const patientId = object.identifier('patientId')
  return {
    kind: 'SubmissionSet',
    ...identity,
    uniqueId: object.requiredIdentifier('uniqueId') as UniqueId,
    sourceId: object.requiredIdentifier('sourceId'),
    limitedMetadata: object.hasNode(nodes.limitedSubmissionSet),
    submissionTime: submissionTime ?? ('' as Dtm),
    authors: object.authors,
    intendedRecipients: object.values('intendedRecipient').map(toRecipient),
    extra: object.extra,
    ...defined({
      patientId: patientId === undefined ? undefined : parseCx(patientId),
      contentTypeCode: object.code('contentTypeCode'),
      title: object.title,
      comments: object.comments,
    }),
  }
}

/** ITI TF-3 4.2.3.4. */
export function toFolder(object: ObjectReader, identity: ObjectIdentity): Folder {
  const patientId = object.identifier('patientId')
  return {
    kind: 'Folder',
    ...identity,
    uniqueId: object.requiredIdentifier('uniqueId') as UniqueId,
    limitedMetadata: object.hasNode(nodes.limitedFolder),
    codes: object.codes('codeList'),
    extra: object.extra,
    ...defined({
      patientId: patientId === undefined ? undefined : parseCx(patientId),
      lastUpdateTime: object.convert('lastUpdateTime', 'D7', toTime),
      title: object.title,
      comments: object.comments,
    }),
  }
}

/** ITI TF-3 4.2.2. */
export function toAssociation(
  object: ObjectReader,
  identity: ObjectIdentity,
  ends: { readonly type: AssociationType; readonly source: EntryUuid; readonly target: EntryUuid },
): Association {
  return {
    kind: 'Association',
    ...identity,
    ...ends,
    extra: object.extra,
    ...defined({
      submissionSetStatus: object.convert('SubmissionSetStatus', 'A4', toSubmissionSetStatus),
      documentation: object.code('associationDocumentation'),
    }),
  }
}

function toTime(value: string): Dtm {
  if (!isDtm(value))
    throw new RangeError(`${value.slice(0, 40)} is no time: send YYYY[MM[DD[hh[mm[ss]]]]] in UTC, of the calendar.`)
  return value
}

/** SHA-1 in hexadecimal, in any case on input. */
function toHash(value: string): string {
  if (!/^[0-9a-f]{40}$/i.test(value)) throw new RangeError('hash is not 40 hexadecimal digits (SHA-1).')
  return value.toLowerCase()
}

function toSize(value: string): number {
  if (!/^[0-9]{1,15}$/.test(value)) throw new RangeError('size is not a number of bytes in decimal digits.')
  return Number(value)
}

function toAvailability(value: string): 'Online' | 'Offline' {
  const availability = availabilityOf.get(value)
  if (availability === undefined)
    throw new RangeError('documentAvailability is urn:ihe:iti:2010:DocumentAvailability:Online or …:Offline.')
  return availability
}

function toSubmissionSetStatus(value: string): 'Original' | 'Reference' {
  if (value !== 'Original' && value !== 'Reference')
    throw new RangeError('SubmissionSetStatus is Original or Reference.')
  return value
}

/** `XON|XCN|XTN`, each part optional (ITI TF-3 table 4.2.3.3-1, intendedRecipient). */
function toRecipient(value: string): Recipient {
  const [organization, person, ...telecom] = value.split('|')
  return defined({
    organization: organization ? parseXon(organization) : undefined,
    person: person ? parseXcn(person) : undefined,
    telecom: telecom.join('|') ? parseXtn(telecom.join('|')) : undefined,
  })
}

function readUri(object: ObjectReader): string | undefined {
  const values = object.values('URI')
  if (values.some((value) => value.length > longestValue))
    object.report('M3', 'URI', `A value is longer than ${longestValue} characters: send pieces, 1|http://…, 2|….`)
  return joinUri(values)
}

/** A URI longer than a Slot value comes in numbered pieces, `1|http://…`, `2|…` (ITI TF-3 4.2.3.2.27). */
function joinUri(values: readonly string[]): string | undefined {
  const pieces = values.map((value) => /^([0-9]+)\|(.*)$/s.exec(value))
  if (values.length === 0) return undefined
  if (pieces.some((piece) => piece === null)) return values.join('')
  return pieces
    .sort((a, b) => Number(a?.[1]) - Number(b?.[1]))
    .map((piece) => piece?.[2] ?? '')
    .join('')
}
