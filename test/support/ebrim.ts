/**
 * ebRIM as a client writes it: the metadata model in templates of text, apart from the gateway's writer. Attributes that
 * a source does not send (lid, version, status) are left out.
 */
import type { Cx, Hd, Xcn, Xon, Xtn } from '../../src/metadata/hl7.ts'
import type { Association, Author, Code, DocumentEntry, Submission, SubmissionSet } from '../../src/metadata/model.ts'

/** rim:RegistryObjectList; the prefix `rim` is declared around it. */
export function registryObjectList({ submissionSet, entries, associations }: Submission): string {
  return `<rim:RegistryObjectList>${entries.map(extrinsicObject).join('')}${registryPackage(submissionSet)}${associations.map(association).join('')}</rim:RegistryObjectList>`
}

export function extrinsicObject(entry: DocumentEntry): string {
  const id = entry.entryUuid
  return `<rim:ExtrinsicObject id="${id}" mimeType="${escapeXml(entry.mimeType)}" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">${[
    slot('creationTime', entry.creationTime),
    slot('languageCode', entry.languageCode),
    slot('serviceStartTime', entry.serviceStartTime),
    slot('serviceStopTime', entry.serviceStopTime),
    slot('sourcePatientId', entry.sourcePatientId && cx(entry.sourcePatientId)),
    slot('sourcePatientInfo', ...entry.sourcePatientInfo),
    slot('legalAuthenticator', entry.legalAuthenticator && xcn(entry.legalAuthenticator)),
    slot('hash', entry.hash),
    slot('size', entry.size?.toString()),
    slot('repositoryUniqueId', entry.repositoryUniqueId),
    slot('urn:ihe:iti:xds:2013:referenceIdList', ...entry.referenceIds.map(cx)),
    text('Name', entry.title),
    text('Description', entry.comments),
    ...entry.authors.map((each) => author(id, '93606bcf-9494-43ec-9b4e-a7748d1a838d', each)),
    code(id, '41a5887f-8865-4c09-adf7-e362475b143a', entry.classCode),
    ...entry.confidentialityCodes.map((each) => code(id, 'f4f85eac-e6cb-4883-b524-f2705394840f', each)),
    ...entry.eventCodes.map((each) => code(id, '2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4', each)),
    code(id, 'a09d5840-386c-46f2-b5ad-9c3699a4309d', entry.formatCode),
    code(id, 'f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1', entry.healthcareFacilityTypeCode),
    code(id, 'cccf5598-8b07-4b77-a05e-ae952c785ead', entry.practiceSettingCode),
    code(id, 'f0306f51-975f-434e-a61c-c59651d33983', entry.typeCode),
    identifier(id, '58a6f841-87b3-4a3e-92fd-a8ffeff98427', 'XDSDocumentEntry.patientId', cx(entry.patientId)),
    identifier(id, '2e82c1f6-a085-4c72-9da3-8640a32e42ab', 'XDSDocumentEntry.uniqueId', entry.uniqueId),
  ].join('')}</rim:ExtrinsicObject>`
}

function registryPackage(set: SubmissionSet): string {
  const id = set.entryUuid
  return `<rim:RegistryPackage id="${id}">${[
    slot('submissionTime', set.submissionTime),
    text('Name', set.title),
    text('Description', set.comments),
    `<rim:Classification id="${next(id)}" classifiedObject="${id}" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>`,
    ...set.authors.map((each) => author(id, 'a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d', each)),
    code(id, 'aa543740-bdda-424e-8c96-df4873be8500', set.contentTypeCode),
    set.patientId &&
      identifier(id, '6b5aea1a-874d-4603-a4bc-96a0a7b38446', 'XDSSubmissionSet.patientId', cx(set.patientId)),
    identifier(id, '554ac39e-e3fe-47fe-b233-965d2a147832', 'XDSSubmissionSet.sourceId', set.sourceId),
    identifier(id, '96fdda7c-d067-4183-912e-bf5ee74998a8', 'XDSSubmissionSet.uniqueId', set.uniqueId),
  ].join('')}</rim:RegistryPackage>`
}

function association({ entryUuid, type, source, target, submissionSetStatus }: Association): string {
  const urn =
    type === 'HasMember'
      ? 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember'
      : `urn:ihe:iti:2007:AssociationType:${type}`
  return `<rim:Association id="${entryUuid}" associationType="${urn}" sourceObject="${source}" targetObject="${target}">${slot('SubmissionSetStatus', submissionSetStatus)}</rim:Association>`
}

let last = 0

/** Ids of parts are symbols, new in every message. */
function next(owner: string): string {
  return `c${++last}-${owner.slice(-12)}`
}

function slot(name: string, ...values: readonly (string | undefined)[]): string {
  const given = values.filter((value) => value !== undefined)
  if (given.length === 0) return ''
  return `<rim:Slot name="${name}"><rim:ValueList>${given.map((value) => `<rim:Value>${escapeXml(value)}</rim:Value>`).join('')}</rim:ValueList></rim:Slot>`
}

function text(element: 'Name' | 'Description', value: string | undefined): string {
  if (value === undefined) return ''
  return `<rim:${element}><rim:LocalizedString xml:lang="fr-FR" charset="UTF-8" value="${escapeXml(value)}"/></rim:${element}>`
}

function code(owner: string, scheme: string, value: Code | undefined): string {
  if (value === undefined) return ''
  return `<rim:Classification id="${next(owner)}" classifiedObject="${owner}" classificationScheme="urn:uuid:${scheme}" nodeRepresentation="${escapeXml(value.code)}">${slot('codingScheme', value.system)}${text('Name', value.display ?? value.code)}</rim:Classification>`
}

function author(owner: string, scheme: string, { person, institutions, roles, specialties, telecoms }: Author): string {
  return `<rim:Classification id="${next(owner)}" classifiedObject="${owner}" classificationScheme="urn:uuid:${scheme}" nodeRepresentation="">${[
    slot('authorPerson', person && xcn(person)),
    slot('authorInstitution', ...institutions.map(xon)),
    slot('authorRole', ...roles),
    slot('authorSpecialty', ...specialties),
    slot('authorTelecommunication', ...telecoms.map(xtn)),
  ].join('')}</rim:Classification>`
}

function identifier(owner: string, scheme: string, name: string, value: string): string {
  return `<rim:ExternalIdentifier id="${next(owner)}" registryObject="${owner}" identificationScheme="urn:uuid:${scheme}" value="${escapeXml(value)}">${text('Name', name)}</rim:ExternalIdentifier>`
}

function hd(authority: Hd | undefined): string {
  return authority
    ? `${authority.namespaceId ?? ''}&${authority.universalId ?? ''}&${authority.universalIdType ?? ''}`
    : ''
}

export function cx({ id, assigningAuthority, typeCode = '' }: Cx): string {
  return trimmed(`${id}^^^${hd(assigningAuthority)}^${typeCode}`)
}

function xcn({ id = '', family = '', given = '', assigningAuthority, nameType = '', idType = '' }: Xcn): string {
  return trimmed(`${id}^${family}^${given}^^^^^^${hd(assigningAuthority)}^${nameType}^^^${idType}`)
}

function xon({ name, assigningAuthority, idType = '', id = '' }: Xon): string {
  return trimmed(`${name}^^^^^${hd(assigningAuthority)}^${idType}^^^${id}`)
}

function xtn({ use = '', type = '', email = '', unformatted = '' }: Xtn): string {
  return trimmed(`^${use}^${type}^${email}^^^^^^^^${unformatted}`)
}

function trimmed(value: string): string {
  return value.replace(/\^+$/, '')
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export function escapeXml(value: string): string {
  return value.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}
