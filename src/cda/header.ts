/**
 * The header of a CDA R2 document as document-sharing metadata (CI-SIS: Structuration minimale, and the annex that links
 * a CDA header to XDS metadata). What the header does not say is absent; nothing is guessed here.
 */
import { formatCx, type Xcn, type Xon } from '../metadata/hl7.ts'
import type { UniqueId } from '../metadata/identifiers.ts'
import type { AssociationType, Author, Code, DocumentEntry } from '../metadata/model.ts'
import type { XmlElement } from '../xml/tree.ts'
import { formatOf } from './format.ts'
import {
  all,
  at,
  attributeOf,
  authority,
  codeOf,
  component,
  identifierOf,
  insAuthorities,
  nameOf,
  organizationOf,
  personOf,
  present,
  professionals,
  textOf,
  timeOf,
  uniqueIdOf,
} from './values.ts'

/** A document that this one replaces, appends to or transforms. */
export interface RelatedDocument {
  readonly type: Extract<AssociationType, 'RPLC' | 'APND' | 'XFRM'>
  readonly uniqueId: UniqueId
}

type Attributes = Pick<
  DocumentEntry,
  | 'patientId'
  | 'sourcePatientId'
  | 'legalAuthenticator'
  | 'typeCode'
  | 'formatCode'
  | 'healthcareFacilityTypeCode'
  | 'practiceSettingCode'
  | 'creationTime'
  | 'serviceStartTime'
  | 'serviceStopTime'
  | 'languageCode'
  | 'title'
>

export interface CdaHeader extends Partial<Attributes> {
  readonly uniqueId?: UniqueId
  readonly sourcePatientInfo: readonly string[]
  readonly authors: readonly Author[]
  readonly confidentialityCodes: readonly Code[]
  readonly eventCodes: readonly Code[]
  readonly referenceIds: DocumentEntry['referenceIds']
  readonly related: readonly RelatedDocument[]
  readonly custodian?: Xon
}

/** @param bodyType mediaType of `nonXMLBody/text`; undefined for a structured body */
export function readHeader(document: XmlElement, bodyType: string | undefined): CdaHeader {
  const id = identifierOf(at(document, 'id'))
  const acts = all(document, 'documentationOf').flatMap((each) => at(each, 'serviceEvent') ?? [])
  // CI-SIS: the main act is the one that says when it took place
  const main = acts.find((act) => at(act, 'effectiveTime')) ?? acts[0]
  const period = at(main, 'effectiveTime')
  const confidentiality = codeOf(at(document, 'confidentialityCode'))
  return present<CdaHeader>({
    uniqueId: id && uniqueIdOf(id),
    typeCode: codeOf(at(document, 'code')),
    title: textOf(at(document, 'title')),
    creationTime: timeOf(at(document, 'effectiveTime')),
    languageCode: attributeOf(at(document, 'languageCode'), 'code'),
    confidentialityCodes: confidentiality ? [confidentiality] : [],
    formatCode: formatOf(
      all(document, 'templateId').flatMap((each) => attributeOf(each, 'root') ?? []),
      bodyType,
    ),
    ...readPatient(at(document, 'recordTarget', 'patientRole')),
    authors: all(document, 'author').flatMap((each) => readAuthor(each) ?? []),
    legalAuthenticator: readSigner(at(document, 'legalAuthenticator', 'assignedEntity')),
    custodian: organizationOf(at(document, 'custodian', 'assignedCustodian', 'representedCustodianOrganization')),
    serviceStartTime: timeOf(at(period, 'low')) ?? timeOf(period),
    serviceStopTime: timeOf(at(period, 'high')),
    eventCodes: distinct(acts.flatMap((act) => codeOf(at(act, 'code')) ?? [])),
    healthcareFacilityTypeCode: codeOf(
      at(document, 'componentOf', 'encompassingEncounter', 'location', 'healthCareFacility', 'code'),
    ),
    practiceSettingCode: codeOf(
      at(main, 'performer', 'assignedEntity', 'representedOrganization', 'standardIndustryClassCode'),
    ),
    referenceIds: all(document, 'inFulfillmentOf').flatMap((each) => readOrder(at(each, 'order'))),
    related: all(document, 'relatedDocument').flatMap((each) => readRelated(each) ?? []),
  })
}

type PatientAttributes = Pick<CdaHeader, 'patientId' | 'sourcePatientId' | 'sourcePatientInfo'>

/** The INS is the patientId, another identifier (IPP) that of the source; a document without an INS has its first. */
function readPatient(role: XmlElement | undefined): PatientAttributes {
  const ids = all(role, 'id')
    .flatMap((each) => identifierOf(each) ?? [])
    .flatMap(({ root, extension }) =>
      extension === undefined
        ? []
        : {
            id: component(extension) ?? '',
            assigningAuthority: authority(root),
            typeCode: insAuthorities.has(root) ? 'NH' : 'PI',
          },
    )
  const ins = ids.find(({ typeCode }) => typeCode === 'NH')
  const patientId = ins ?? ids[0]
  if (patientId === undefined) return { sourcePatientInfo: [] }
  const person = at(role, 'patient')
  const { family = '', given = '' } = nameOf(at(person, 'name'))
  const gender = attributeOf(at(person, 'administrativeGenderCode'), 'code')
  const birth = attributeOf(at(person, 'birthTime'), 'value')?.slice(0, 8)
  return {
    patientId,
    sourcePatientId: ids.find((each) => each !== ins) ?? patientId,
    sourcePatientInfo: [
      `PID-3|${formatCx(patientId)}`,
      ...(family + given === '' ? [] : [`PID-5|${family}^${given}^^^^^L`]),
      ...(birth === undefined ? [] : [`PID-7|${birth}`]),
      ...(gender === 'M' || gender === 'F' ? [`PID-8|${gender}`] : []),
    ],
  }
}

/** CI-SIS authorRole is a display name (JDV_J47), authorSpecialty `code^label^OID`. */
function readAuthor(author: XmlElement): Author | undefined {
  const assigned = at(author, 'assignedAuthor')
  const institution = organizationOf(at(assigned, 'representedOrganization'))
  const person = readPerson(assigned)
  if (person === undefined && institution === undefined) return undefined
  const role = codeOf(at(author, 'functionCode'))
  const specialty = codeOf(at(assigned, 'code'))
  return {
    ...(person && { person }),
    institutions: institution ? [institution] : [],
    roles: role ? [component(role.display ?? role.code) ?? role.code] : [],
    specialties: specialty ? [[specialty.code, component(specialty.display) ?? '', specialty.system].join('^')] : [],
    telecoms: [],
  }
}

function readPerson(assigned: XmlElement | undefined): Xcn | undefined {
  const device = at(assigned, 'assignedAuthoringDevice')
  if (device === undefined) return personOf(all(assigned, 'id'), nameOf(at(assigned, 'assignedPerson', 'name')))
  const system = component(textOf(at(device, 'softwareName')))
  const model = component(textOf(at(device, 'manufacturerModelName')))
  const named = personOf(all(assigned, 'id'), present({ family: system ?? model, given: system && model }))
  // A device has an identifier of the structure it serves (RI), whatever the authority is
  const idType = named?.assigningAuthority?.universalId === professionals ? 'RI' : 'EI'
  return named && { ...named, nameType: 'U', ...(named.id !== undefined && { idType }) }
}

function readSigner(entity: XmlElement | undefined): Xcn | undefined {
  return entity && personOf(all(entity, 'id'), nameOf(at(entity, 'assignedPerson', 'name')))
}

function readOrder(order: XmlElement | undefined): DocumentEntry['referenceIds'] {
  return all(order, 'id')
    .flatMap((each) => identifierOf(each) ?? [])
    .flatMap(({ root, extension }) =>
      extension === undefined
        ? []
        : {
            id: component(extension) ?? '',
            assigningAuthority: authority(root),
            typeCode: 'urn:ihe:iti:xds:2013:order',
          },
    )
}

function readRelated(related: XmlElement): RelatedDocument | undefined {
  const type = attributeOf(related, 'typeCode')
  const id = identifierOf(at(related, 'parentDocument', 'id'))
  if (id === undefined || (type !== 'RPLC' && type !== 'APND' && type !== 'XFRM')) return undefined
  return { type, uniqueId: uniqueIdOf(id) }
}

function distinct(codes: readonly Code[]): readonly Code[] {
  return [...new Map(codes.map((code) => [`${code.system}|${code.code}`, code])).values()]
}
