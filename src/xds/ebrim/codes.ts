/** The vocabulary of ebRIM as XDS uses it (ITI TF-3 4.2): scheme UUIDs, statuses, association types, slot names. */
import type { AssociationType, AvailabilityStatus } from '../../metadata/model.ts'

/** ExtrinsicObject/@objectType (ITI TF-3 table 4.2.5.2-1). */
export const objectTypes = {
  stable: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  'on-demand': 'urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248',
} as const

/** classificationNode of a RegistryPackage, and of an object with limited metadata (ITI TF-3 table 4.2.5.1-1). */
export const nodes = {
  submissionSet: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
  folder: 'urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2',
  limitedDocumentEntry: 'urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85',
  limitedSubmissionSet: 'urn:uuid:5003a9db-8d8d-49e6-bf0c-990e34ac7707',
  limitedFolder: 'urn:uuid:2c144a76-29a9-4b7c-af54-b25409fe7d03',
} as const

/** classificationScheme of coded attributes and authors (ITI TF-3 table 4.2.5.2-1). */
export const schemes = {
  documentEntry: {
    author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
    classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
    confidentialityCode: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
    eventCodeList: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
    formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
    healthcareFacilityTypeCode: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
    practiceSettingCode: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
    typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
  },
  submissionSet: {
    author: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
    contentTypeCode: 'urn:uuid:aa543740-bdda-424e-8c96-df4873be8500',
  },
  folder: { codeList: 'urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5' },
  association: { associationDocumentation: 'urn:uuid:abd807a3-4432-4053-87b4-fd82c643d1f3' },
} as const

/** identificationScheme of ExternalIdentifiers (ITI TF-3 table 4.2.5.2-1). */
export const identifiers = {
  documentEntry: {
    patientId: 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
    uniqueId: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
  },
  submissionSet: {
    patientId: 'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
    sourceId: 'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832',
    uniqueId: 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8',
  },
  folder: {
    patientId: 'urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a',
    uniqueId: 'urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a',
  },
} as const

/** DocumentEntry slot of referenceIdList (ITI TF-3 4.2.3.2.28). */
export const referenceIdList = 'urn:ihe:iti:xds:2013:referenceIdList'

/** RegistryObject/@status; Archived and Deleted are French (JDV_J52). */
export const statusUrns: Readonly<Record<AvailabilityStatus, string>> = {
  Approved: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
  Deprecated: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated',
  Archived: 'urn:asip:ci-sis:2010:StatusType:Archived',
  Deleted: 'urn:asip:ci-sis:2010:StatusType:Deleted',
}

/** Association/@associationType (ITI TF-3 table 4.2.2-1, and ITI TF-2 3.57). */
export const associationUrns: Readonly<Record<AssociationType, string>> = {
  HasMember: 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
  RPLC: 'urn:ihe:iti:2007:AssociationType:RPLC',
  APND: 'urn:ihe:iti:2007:AssociationType:APND',
  XFRM: 'urn:ihe:iti:2007:AssociationType:XFRM',
  XFRM_RPLC: 'urn:ihe:iti:2007:AssociationType:XFRM_RPLC',
  signs: 'urn:ihe:iti:2007:AssociationType:signs',
  IsSnapshotOf: 'urn:ihe:iti:2010:AssociationType:IsSnapshotOf',
  UpdateAvailabilityStatus: 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus',
  SubmitAssociation: 'urn:ihe:iti:2010:AssociationType:SubmitAssociation',
}

export const availabilityUrns = {
  Online: 'urn:ihe:iti:2010:DocumentAvailability:Online',
  Offline: 'urn:ihe:iti:2010:DocumentAvailability:Offline',
} as const

function inverse<Name extends string>(urns: Readonly<Record<Name, string>>): ReadonlyMap<string, Name> {
  return new Map(Object.entries(urns).map(([name, urn]) => [urn as string, name as Name]))
}

export const statusOf = inverse(statusUrns)
export const associationTypeOf = inverse(associationUrns)
export const availabilityOf = inverse(availabilityUrns)
export const stabilityOf = inverse(objectTypes)

/** What an ebRIM object of one kind may hold, compiled for the reader. */
export interface ObjectProfile {
  readonly kind: 'DocumentEntry' | 'SubmissionSet' | 'Folder' | 'Association'
  /** Of the names of its ExternalIdentifiers: `XDSFolder.uniqueId`. */
  readonly prefix: string
  /** Slots of the standard; others must begin `urn:`. */
  readonly slots: Readonly<Record<string, 'one' | 'many'>>
  readonly author?: string
  /** Coded attributes by classificationScheme. */
  readonly codes: ReadonlyMap<string, { readonly attribute: string; readonly repeats: boolean }>
  /** ExternalIdentifiers by identificationScheme. */
  readonly identifiers: ReadonlyMap<string, string>
  readonly nodes: ReadonlySet<string>
}

function codesOf(
  uuids: Readonly<Record<string, string>>,
  repeating: readonly string[] = [],
): ReadonlyMap<string, { attribute: string; repeats: boolean }> {
  return new Map(
    Object.entries(uuids)
      .filter(([attribute]) => attribute !== 'author')
      .map(([attribute, uuid]) => [uuid, { attribute, repeats: repeating.includes(attribute) }]),
  )
}

export const documentEntryProfile: ObjectProfile = {
  kind: 'DocumentEntry',
  prefix: 'XDSDocumentEntry',
  slots: {
    creationTime: 'one',
    languageCode: 'one',
    sourcePatientId: 'one',
    sourcePatientInfo: 'many',
    legalAuthenticator: 'one',
    serviceStartTime: 'one',
    serviceStopTime: 'one',
    hash: 'one',
    size: 'one',
    URI: 'many',
    repositoryUniqueId: 'one',
    documentAvailability: 'one',
    [referenceIdList]: 'many',
  },
  author: schemes.documentEntry.author,
  codes: codesOf(schemes.documentEntry, ['confidentialityCode', 'eventCodeList']),
  identifiers: inverse(identifiers.documentEntry),
  nodes: new Set([nodes.limitedDocumentEntry]),
}

export const submissionSetProfile: ObjectProfile = {
  kind: 'SubmissionSet',
  prefix: 'XDSSubmissionSet',
  slots: { submissionTime: 'one', intendedRecipient: 'many' },
  author: schemes.submissionSet.author,
  codes: codesOf(schemes.submissionSet),
  identifiers: inverse(identifiers.submissionSet),
  nodes: new Set([nodes.submissionSet, nodes.limitedSubmissionSet]),
}

export const folderProfile: ObjectProfile = {
  kind: 'Folder',
  prefix: 'XDSFolder',
  slots: { lastUpdateTime: 'one' },
  codes: codesOf(schemes.folder, ['codeList']),
  identifiers: inverse(identifiers.folder),
  nodes: new Set([nodes.folder, nodes.limitedFolder]),
}

export const associationProfile: ObjectProfile = {
  kind: 'Association',
  prefix: 'XDSAssociation',
  slots: { SubmissionSetStatus: 'one' },
  codes: codesOf(schemes.association),
  identifiers: new Map(),
  nodes: new Set(),
}

/** Slots that say what an update does; they are of the request, not of the object (XDS Metadata Update, 3.57.4.1.3.1). */
export const annotationSlots = ['PreviousVersion', 'AssociationPropagation', 'OriginalStatus', 'NewStatus'] as const
export type AnnotationSlot = (typeof annotationSlots)[number]

/** An association of a metadata update. */
export const annotatedAssociationProfile: ObjectProfile = {
  ...associationProfile,
  slots: { ...associationProfile.slots, ...Object.fromEntries(annotationSlots.map((slot) => [slot, 'one'])) },
}

/** Slots of an author Classification (ITI TF-3 4.2.3.1.4). */
export const authorSlots: Readonly<Record<string, 'one' | 'many'>> = {
  authorPerson: 'one',
  authorInstitution: 'many',
  authorRole: 'many',
  authorSpecialty: 'many',
  authorTelecommunication: 'many',
}

/** Children of every ebRIM object, in the order of the schema (ebRIM 3.0 rim.xsd, RegistryObjectType). */
export const childOrder: readonly string[] = [
  'Slot',
  'Name',
  'Description',
  'VersionInfo',
  'Classification',
  'ExternalIdentifier',
]
