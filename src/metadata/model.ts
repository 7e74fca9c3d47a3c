/**
 * The IHE document-sharing model (ITI TF-3 4.2), as both doors and every DMP see it. One model: the FHIR door and the
 * XDS.b door translate to and from these types, nothing between them knows where a request came from.
 * Objects are immutable; a missing attribute is an absent property, never an empty string.
 */
import type { Cx, Xcn, Xon, Xtn } from './hl7.ts'
import type { Dtm, EntryUuid, Oid, UniqueId } from './identifiers.ts'

/** A coded value: `system` is the XDS codingScheme as received (in France a bare OID). */
export interface Code {
  readonly code: string
  readonly system: string
  readonly display?: string
}

/** The four French statuses are first-class (JDV_J52): `urn:oasis:…:Approved|Deprecated`, `urn:asip:…:Archived|Deleted`. */
export type AvailabilityStatus = 'Approved' | 'Deprecated' | 'Archived' | 'Deleted'

/** A metadata attribute outside the standard (its name begins with `urn:`), kept as it came. */
export interface Slot {
  readonly name: string
  readonly values: readonly string[]
}

/** One author: its parts belong together (ITI TF-3 4.2.3.1.4). */
export interface Author {
  readonly person?: Xcn
  readonly institutions: readonly Xon[]
  /** authorRole, as received: a display name (JDV_J47), a code or `code^^^&OID&ISO`. */
  readonly roles: readonly string[]
  /** authorSpecialty, as received: `code^label^OID` in France (JDV_J01). */
  readonly specialties: readonly string[]
  readonly telecoms: readonly Xtn[]
}

interface RegistryObjectBase {
  readonly entryUuid: EntryUuid
  /** lid: stable over metadata versions, equals the entryUUID of version 1. */
  readonly logicalId: EntryUuid
  /** VersionInfo/@versionName, from 1. */
  readonly version: number
  readonly homeCommunityId?: string
  /** Extra `urn:` slots, kept as received. */
  readonly extra: readonly Slot[]
}

/** ITI TF-3 4.2.3.2. Cardinalities of the profiles are rules, not types: limited metadata has fewer attributes. */
export interface DocumentEntry extends RegistryObjectBase {
  readonly kind: 'DocumentEntry'
  readonly uniqueId: UniqueId
  readonly repositoryUniqueId?: Oid
  readonly availabilityStatus: AvailabilityStatus
  readonly stability: 'stable' | 'on-demand'
  /** Stored with the limitedMetadata classification (MHD minimal metadata). */
  readonly limitedMetadata: boolean
  readonly patientId: Cx
  readonly sourcePatientId?: Cx
  /** `PID-n|value` lines, as received. */
  readonly sourcePatientInfo: readonly string[]
  readonly authors: readonly Author[]
  readonly legalAuthenticator?: Xcn
  readonly classCode?: Code
  readonly typeCode?: Code
  readonly formatCode?: Code
  readonly healthcareFacilityTypeCode?: Code
  readonly practiceSettingCode?: Code
  readonly confidentialityCodes: readonly Code[]
  readonly eventCodes: readonly Code[]
  readonly creationTime?: Dtm
  readonly serviceStartTime?: Dtm
  readonly serviceStopTime?: Dtm
  readonly languageCode?: string
  readonly mimeType: string
  readonly title?: string
  readonly comments?: string
  /** SHA-1, 40 lower-case hex digits. */
  readonly hash?: string
  /** Bytes. */
  readonly size?: number
  readonly uri?: string
  readonly documentAvailability?: 'Online' | 'Offline'
  /** referenceIdList, CXi. */
  readonly referenceIds: readonly Cx[]
}

/** `XON|XCN|XTN` of SubmissionSet.intendedRecipient. */
export interface Recipient {
  readonly organization?: Xon
  readonly person?: Xcn
  readonly telecom?: Xtn
}

/** ITI TF-3 4.2.3.3. */
export interface SubmissionSet extends RegistryObjectBase {
  readonly kind: 'SubmissionSet'
  readonly uniqueId: UniqueId
  readonly sourceId: string
  readonly availabilityStatus: AvailabilityStatus
  readonly limitedMetadata: boolean
  readonly patientId?: Cx
  readonly submissionTime: Dtm
  readonly contentTypeCode?: Code
  readonly authors: readonly Author[]
  readonly intendedRecipients: readonly Recipient[]
  readonly title?: string
  readonly comments?: string
}

/** ITI TF-3 4.2.3.4. */
export interface Folder extends RegistryObjectBase {
  readonly kind: 'Folder'
  readonly uniqueId: UniqueId
  readonly availabilityStatus: AvailabilityStatus
  readonly limitedMetadata: boolean
  readonly patientId?: Cx
  readonly codes: readonly Code[]
  readonly lastUpdateTime?: Dtm
  readonly title?: string
  readonly comments?: string
}

/** Association types without their `urn:oasis:names:tc:ebxml-regrep:AssociationType:` or `urn:ihe:iti:…` prefix. */
export type AssociationType =
  | 'HasMember'
  | 'RPLC'
  | 'APND'
  | 'XFRM'
  | 'XFRM_RPLC'
  | 'signs'
  | 'IsSnapshotOf'
  | 'UpdateAvailabilityStatus'
  | 'SubmitAssociation'

/** ITI TF-3 4.2.2. `source` and `target` are entryUUIDs once stored. */
export interface Association extends RegistryObjectBase {
  readonly kind: 'Association'
  readonly type: AssociationType
  readonly source: EntryUuid
  readonly target: EntryUuid
  readonly availabilityStatus: AvailabilityStatus
  /** SubmissionSetStatus slot: `Original` or `Reference`, on HasMember from a SubmissionSet only. */
  readonly submissionSetStatus?: 'Original' | 'Reference'
  /** associationDocumentation classification. */
  readonly documentation?: Code
}

export type RegistryObject = DocumentEntry | SubmissionSet | Folder | Association

/** What a source sends in one go (ITI-41, ITI-65, ITI-105): one SubmissionSet and what belongs to it, ids resolved. */
export interface Submission {
  readonly submissionSet: SubmissionSet
  readonly entries: readonly DocumentEntry[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
}
