/** URLs, systems and OIDs that the mapping reads and writes. */

const ours = 'https://dmp-gateway.example.org/fhir/StructureDefinition'
const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition'

/** Extensions of this gateway: each keeps something of the metadata that FHIR R4 and MHD have no element for. */
export const ext = {
  /** The HL7 v2 value as XDS carries it, where the FHIR elements beside it cannot say all of it. */
  hl7v2: `${ours}/hl7v2-value`,
  /** On a date or time: how much of it was known (`year`, `month`, `day`, `hour`, `minute`). */
  precision: `${ours}/precision`,
  /** An extra `urn:` slot: `name` and `value`s. */
  slot: `${ours}/slot`,
  /** On the author: institutions after the first. */
  authorInstitution: `${ours}/author-institution`,
  /** On a Device or Patient, which FHIR gives no role or specialty. */
  authorRole: `${ours}/author-role`,
  authorSpecialty: `${ours}/author-specialty`,
  /** On a List: authors after the first. */
  author: `${ours}/author`,
  /** On the contained source patient: the `PID-n|value` lines, in order, and the sourcePatientId. */
  sourcePatientInfo: `${ours}/source-patient-info`,
  sourcePatientId: `${ours}/source-patient-id`,
  /** On the attachment. */
  repositoryUniqueId: `${ours}/repository-unique-id`,
  documentAvailability: `${ours}/document-availability`,
  uri: `${ours}/document-uri`,
  /** Bytes, in decimal, where FHIR R4 unsignedInt ends. */
  size: `${ours}/size`,
  homeCommunityId: `${ours}/home-community-id`,
  /** `on-demand`. */
  stability: `${ours}/document-stability`,
  /** On relatesTo: the association type where the FHIR code says less, and its associationDocumentation. */
  associationType: `${ours}/association-type`,
  associationDocumentation: `${ours}/association-documentation`,
  /** PDSm 3.1.1. */
  isArchived: 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived',
  /** MHD 4.2. */
  designationType: `${mhd}/ihe-designationType`,
  sourceId: `${mhd}/ihe-sourceId`,
  intendedRecipient: `${mhd}/ihe-intendedRecipient`,
  authorOrg: `${mhd}/ihe-authorOrg`,
  sourcePatient: `${mhd}/ihe-sourcePatientId`,
} as const

export const profiles = {
  minimal: {
    DocumentReference: `${mhd}/IHE.MHD.Minimal.DocumentReference`,
    SubmissionSet: `${mhd}/IHE.MHD.Minimal.SubmissionSet`,
    Folder: `${mhd}/IHE.MHD.Minimal.Folder`,
  },
  comprehensive: {
    DocumentReference: `${mhd}/IHE.MHD.Comprehensive.DocumentReference`,
    SubmissionSet: `${mhd}/IHE.MHD.Comprehensive.SubmissionSet`,
    Folder: `${mhd}/IHE.MHD.Comprehensive.Folder`,
  },
} as const

export const systems = {
  /** Identifiers that are URIs (ITI TF-2 appendix E.3). */
  uri: 'urn:ietf:rfc:3986',
  v2Table0203: 'http://terminology.hl7.org/CodeSystem/v2-0203',
  dicomUid: 'urn:dicom:uid',
  listTypes: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes',
} as const

export const oids = {
  /** PS_IdNat. */
  professional: '1.2.250.1.71.4.2.1',
  /** Struct_IdNat. */
  structure: '1.2.250.1.71.4.2.2',
  /** SIREN of a service (SNR). */
  siren: '1.3.2',
  /** TRE_A07, visibility. */
  visibility: '1.2.250.1.213.1.1.4.13',
  /** TRE_G15 professions. */
  profession: '1.2.250.1.71.1.2.7',
  /** TRE_A02, profession and savoir-faire in one code (`G15_10/SM26`). */
  professionAndSpecialty: '1.2.250.1.213.1.1.4.5',
} as const

/** INS authorities: NIR, NIA, and those of test and demonstration (DMP-FACTS §3). */
const insAuthorities: ReadonlySet<string> = new Set(['8', '9', '10', '11'].map((last) => `1.2.250.1.213.1.4.${last}`))

export function isInsAuthority(oid: string | undefined): boolean {
  return oid !== undefined && insAuthorities.has(oid)
}

/** referenceIdList types (ITI TF-3 table 4.2.3.1.7-2, JDV_J197). */
export const referenceTypes = {
  uniqueId: 'urn:ihe:iti:xds:2013:uniqueId',
  accession: 'urn:ihe:iti:xds:2013:accession',
  order: 'urn:ihe:iti:xds:2013:order',
  referral: 'urn:ihe:iti:xds:2013:referral',
  study: 'urn:ihe:iti:xds:2016:studyInstanceUID',
  encounter: 'urn:ihe:iti:xds:2015:encounterId',
  /** Ours: CXi requires a type where FHIR has none; it is taken off again on the way back. */
  none: 'urn:dmp-gateway:reference:untyped',
} as const
