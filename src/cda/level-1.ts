/**
 * A document that is no CDA, made one: CDA R2 of level 1 with the French header (CI-SIS, structuration minimale), built
 * from the metadata alone (DMP-SERVICES §5). Written in canonical form, so that its digest is that of the bytes as sent.
 */

import type { Issue } from '../errors.ts'
import type { Cx, Xcn, Xon } from '../metadata/hl7.ts'
import { type Dtm, isOid } from '../metadata/identifiers.ts'
import type { Author, Code, DocumentEntry } from '../metadata/model.ts'
import { displayOf } from '../nomenclature/index.ts'
import { canonicalizeDocument } from '../xml/c14n-inclusive.ts'
import { type Attributes, XmlWriter } from '../xml/writer.ts'
import { hl7v3, insAuthorities, professionals, structures } from './values.ts'

/** What stands before and after the base64 of the document, in canonical XML. */
export interface LevelOne {
  readonly head: Buffer
  readonly tail: Buffer
}

export interface LevelOneOptions {
  /** The structure that keeps the document: who feeds. */
  readonly custodian: { readonly id: string; readonly name: string }
  /** uniqueId of the document that this one replaces. */
  readonly replaces?: string
}

const place = '@'

/** What a body of level 1 may be (SM, nonXMLBody), by the media type of the entry, and its formatCode (JDV_J60). */
const ihe = '1.3.6.1.4.1.19376.1.2.3'
const kinds: Readonly<Record<string, { readonly mediaType: string; readonly format: Code }>> = {
  'application/pdf': kind('application/pdf', 'urn:ihe:iti:xds-sd:pdf:2008'),
  'text/plain': kind('text/plain', 'urn:ihe:iti:xds-sd:text:2008'),
  'text/rtf': kind('text/rtf', 'urn:ihe:iti-fr:xds-sd:rtf:2010'),
  'application/rtf': kind('text/rtf', 'urn:ihe:iti-fr:xds-sd:rtf:2010'),
  'image/jpeg': kind('image/jpeg', 'urn:ihe:iti-fr:xds-sd:jpeg:2010'),
  'image/tiff': kind('image/tiff', 'urn:ihe:iti-fr:xds-sd:tiff:2010'),
}

function kind(mediaType: string, format: string) {
  return { mediaType, format: { code: format, system: ihe } }
}

/** The media type of the body and the formatCode of a CDA around it; undefined for what cannot be wrapped. */
export function levelOneKind(mimeType: string): { readonly mediaType: string; readonly format: Code } | undefined {
  const type = mimeType.split(';')[0]?.trim().toLowerCase() ?? ''
  return Object.hasOwn(kinds, type) ? kinds[type] : undefined
}

/** What the header cannot do without and the metadata do not say. */
export function levelOneIssues(entry: DocumentEntry): readonly Issue[] {
  const issues: Issue[] = []
  const need = (attribute: string, there: boolean, detail: string): void => {
    const location = `${entry.entryUuid}/${attribute}`
    if (!there) issues.push({ code: 'XDSRegistryMetadataError', rule: 'CDA1', location, detail })
  }
  const pid = patientInfo(entry)
  need('uniqueId', isOid(entry.uniqueId), 'The id of a CDA is an OID: send the uniqueId as an OID, without extension.')
  need('typeCode', entry.typeCode !== undefined, 'Send typeCode: it is the code of the CDA around the document.')
  need('serviceStartTime', entry.serviceStartTime !== undefined, 'Send serviceStartTime: the date of the act.')
  need('creationTime', entry.creationTime !== undefined, 'Send creationTime.')
  need(
    'healthcareFacilityTypeCode',
    entry.healthcareFacilityTypeCode !== undefined,
    'Send it: the CDA names the place.',
  )
  need('practiceSettingCode', entry.practiceSettingCode !== undefined, 'Send it: the CDA names the frame of practice.')
  need('legalAuthenticator', entry.legalAuthenticator !== undefined, 'Send it: who answers for the document.')
  need(
    'author',
    entry.authors.some(({ person }) => person !== undefined),
    'Send an author with authorPerson.',
  )
  need(
    'sourcePatientInfo',
    pid.birth !== undefined && pid.birthDate !== undefined && pid.gender !== undefined,
    'Send PID-5 (birth name and first names, type L), PID-7 and PID-8: the header of a CDA names the patient.',
  )
  return issues
}

/** To be called when there are no issues. */
export function writeLevelOne(entry: DocumentEntry, options: LevelOneOptions): LevelOne {
  const mediaType = levelOneKind(entry.mimeType)?.mediaType
  const xml = new XmlWriter().start('ClinicalDocument', {
    xmlns: hl7v3,
    'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
  })
  writeIdentity(xml, entry, options)
  writePatient(xml, entry)
  for (const author of entry.authors) if (author.person) writeAuthor(xml, entry, author, author.person)
  xml.start('custodian').start('assignedCustodian').start('representedCustodianOrganization')
  xml.element('id', { root: structures, extension: options.custodian.id })
  xml.element('name', undefined, options.custodian.name)
  unsaid(xml, 'telecom', 'addr')
  xml.end().end().end()
  writeLegalAuthenticator(xml, entry)
  writeAct(xml, entry)
  if (options.replaces !== undefined)
    xml
      .start('relatedDocument', { typeCode: 'RPLC' })
      .start('parentDocument')
      .element('id', { root: options.replaces })
      .end()
      .end()
  writeEncounter(xml, entry)
  xml.start('component').start('nonXMLBody').element('text', { mediaType, representation: 'B64' }, place)
  const whole = canonicalizeDocument(xml.end().end().end().take())
  const text = `>${place}</text>`
  const at = whole.lastIndexOf(text) + 1
  return { head: whole.subarray(0, at), tail: whole.subarray(at + place.length) }
}

function writeIdentity(xml: XmlWriter, entry: DocumentEntry, { replaces }: LevelOneOptions): void {
  xml.element('realmCode', { code: 'FR' })
  xml.element('typeId', { root: '2.16.840.1.113883.1.3', extension: 'POCD_HD000040' })
  for (const root of ['2.16.840.1.113883.2.8.2.1', '1.2.250.1.213.1.1.1.1', '1.3.6.1.4.1.19376.1.2.20'])
    xml.element('templateId', { root })
  xml.element('id', { root: entry.uniqueId })
  coded(xml, 'code', entry.typeCode)
  xml.element('title', undefined, entry.title ?? displayed(entry.typeCode))
  xml.element('effectiveTime', { value: timestamp(entry.creationTime) })
  xml.element('confidentialityCode', { code: 'N', displayName: 'Normal', codeSystem: '2.16.840.1.113883.5.25' })
  xml.element('languageCode', { code: entry.languageCode ?? 'fr-FR' })
  // Metadata have no set of versions: the document that is replaced names it
  xml.element('setId', { root: replaces ?? entry.uniqueId })
  xml.element('versionNumber', { value: replaces === undefined ? '1' : '2' })
}

function writePatient(xml: XmlWriter, entry: DocumentEntry): void {
  const { patientId, sourcePatientId } = entry
  const { birth, used, birthDate, gender, birthPlace } = patientInfo(entry)
  xml.start('recordTarget').start('patientRole')
  patientIdentifier(xml, patientId)
  if (sourcePatientId !== undefined && !isIns(sourcePatientId)) patientIdentifier(xml, sourcePatientId)
  unsaid(xml, 'addr', 'telecom')
  xml.start('patient').start('name')
  xml.element('family', { qualifier: 'BR' }, birth?.family)
  if (used !== undefined && used.family !== birth?.family) xml.element('family', { qualifier: 'CL' }, used.family)
  xml.element('given', undefined, [birth?.given, birth?.furtherGiven].filter(Boolean).join(' '))
  xml.element('given', { qualifier: 'BR' }, birth?.given)
  xml.end()
  xml.element('administrativeGenderCode', genders[gender ?? 'U'])
  xml.element('birthTime', { value: birthDate })
  if (birthPlace !== undefined)
    xml.start('birthplace').start('place').start('addr').element('county', undefined, birthPlace).end().end().end()
  xml.end().end().end()
}

function patientIdentifier(xml: XmlWriter, { id, assigningAuthority }: Cx): void {
  xml.element('id', { root: assigningAuthority?.universalId, extension: id })
}

function isIns({ assigningAuthority }: Cx): boolean {
  return insAuthorities.has(assigningAuthority?.universalId ?? '')
}

function writeAuthor(xml: XmlWriter, entry: DocumentEntry, author: Author, person: Xcn): void {
  xml.start('author')
  xml.element('time', { value: timestamp(entry.creationTime) }).start('assignedAuthor')
  assigned(xml, person, author.specialties[0])
  if (person.nameType === 'U')
    xml
      .start('assignedAuthoringDevice')
      .element('manufacturerModelName', undefined, person.given ?? person.family)
      .element('softwareName', undefined, person.family)
      .end()
  else name(xml, person)
  organization(xml, author.institutions[0])
  xml.end().end()
}

function writeLegalAuthenticator(xml: XmlWriter, entry: DocumentEntry): void {
  const { legalAuthenticator } = entry
  if (legalAuthenticator === undefined) return
  const author = entry.authors.find(({ person }) => person?.id === legalAuthenticator.id) ?? entry.authors[0]
  xml.start('legalAuthenticator').element('time', { value: timestamp(entry.creationTime) })
  xml.element('signatureCode', { code: 'S' }).start('assignedEntity')
  const specialty = author?.person?.id === legalAuthenticator.id ? author?.specialties[0] : undefined
  assigned(xml, legalAuthenticator, specialty)
  name(xml, legalAuthenticator)
  organization(xml, author?.institutions[0])
  xml.end().end()
}

/** The main act: when, by whom, in which frame. */
function writeAct(xml: XmlWriter, entry: DocumentEntry): void {
  const author = entry.authors.find(({ person }) => person !== undefined && person.nameType !== 'U') ?? entry.authors[0]
  const person = author?.person ?? entry.legalAuthenticator
  if (person === undefined) return
  xml.start('documentationOf').start('serviceEvent')
  coded(xml, 'code', entry.eventCodes[0])
  xml.start('effectiveTime').element('low', { value: timestamp(entry.serviceStartTime) })
  if (entry.serviceStopTime !== undefined) xml.element('high', { value: timestamp(entry.serviceStopTime) })
  xml.end().start('performer', { typeCode: 'PRF' }).start('assignedEntity')
  assigned(xml, person, author?.specialties[0])
  name(xml, person)
  organization(xml, author?.institutions[0], entry.practiceSettingCode)
  xml.end().end().end().end()
}

function writeEncounter(xml: XmlWriter, entry: DocumentEntry): void {
  xml.start('componentOf').start('encompassingEncounter')
  xml
    .start('effectiveTime')
    .element('low', { value: timestamp(entry.serviceStartTime) })
    .end()
  xml.start('location').start('healthCareFacility')
  coded(xml, 'code', entry.healthcareFacilityTypeCode)
  xml.end().end().end().end()
}

/** Who a person or device is, with what nothing in the metadata says left unsaid aloud. */
function assigned(xml: XmlWriter, person: Xcn, specialty: string | undefined): void {
  xml.element('id', { root: person.assigningAuthority?.universalId ?? professionals, extension: person.id })
  const [code, label, system] = specialty?.split('^') ?? []
  if (code && system) coded(xml, 'code', { code, system, ...(label && { display: label }) })
  unsaid(xml, 'addr', 'telecom')
}

function name(xml: XmlWriter, { family, given, prefix, suffix }: Xcn): void {
  xml.start('assignedPerson').start('name')
  if (prefix !== undefined) xml.element('prefix', undefined, prefix)
  xml.element('family', undefined, family)
  if (given !== undefined) xml.element('given', undefined, given)
  if (suffix !== undefined) xml.element('suffix', undefined, suffix)
  xml.end().end()
}

function organization(xml: XmlWriter, institution: Xon | undefined, setting?: Code): void {
  if (institution === undefined && setting === undefined) return
  xml.start('representedOrganization')
  if (institution?.id !== undefined)
    xml.element('id', { root: institution.assigningAuthority?.universalId ?? structures, extension: institution.id })
  if (institution !== undefined) xml.element('name', undefined, institution.name)
  coded(xml, 'standardIndustryClassCode', setting)
  xml.end()
}

function unsaid(xml: XmlWriter, ...elements: readonly string[]): void {
  for (const element of elements) xml.element(element, { nullFlavor: 'NASK' })
}

function coded(xml: XmlWriter, element: string, code: Code | undefined): void {
  if (code !== undefined)
    xml.element(element, { code: code.code, displayName: displayed(code), codeSystem: code.system })
}

function displayed(code: Code | undefined): string {
  return code === undefined ? '' : (code.display ?? displayOf(code.system, code.code) ?? code.code)
}

/** Metadata are in UTC: a time has its offset, a day has none. */
function timestamp(dtm: Dtm | undefined): string | undefined {
  return dtm !== undefined && dtm.length > 8 ? `${dtm}+0000` : dtm
}

const genders: Readonly<Record<string, Attributes>> = {
  F: { code: 'F', displayName: 'Féminin', codeSystem: '2.16.840.1.113883.5.1' },
  M: { code: 'M', displayName: 'Masculin', codeSystem: '2.16.840.1.113883.5.1' },
  U: { nullFlavor: 'UNK' },
}

interface PersonName {
  readonly family: string
  readonly given: string
  readonly furtherGiven: string
}

interface PatientInfo {
  /** XPN of type L: the name at birth. */
  readonly birth?: PersonName
  /** XPN of type D. */
  readonly used?: PersonName
  readonly birthDate?: string
  readonly gender?: string
  /** COG of the place of birth: XAD of type BDL, component 9. */
  readonly birthPlace?: string
}

/** PID-5, 7, 8 and 11 of sourcePatientInfo (ITI TF-3 4.2.3.2.23). */
function patientInfo({ sourcePatientInfo }: DocumentEntry): PatientInfo {
  const fields = (field: string) =>
    sourcePatientInfo
      .filter((line) => line.startsWith(`${field}|`))
      .flatMap((line) => line.slice(field.length + 1).split('~'))
  const names = fields('PID-5').map((text) => text.split('^'))
  const of = (type: string): PersonName | undefined => {
    const found =
      names.find((parts) => parts[6] === type) ?? (type === 'L' && names.length === 1 ? names[0] : undefined)
    if (found === undefined || !found[0] || (type === 'L' && !found[1])) return undefined
    return { family: found[0], given: found[1] ?? '', furtherGiven: found[2] ?? '' }
  }
  const birth = of('L')
  const used = of('D')
  const birthDate = fields('PID-7')[0]?.slice(0, 8)
  const gender = fields('PID-8')[0]
  const birthPlace = fields('PID-11')
    .map((text) => text.split('^'))
    .find((parts) => parts[6] === 'BDL')?.[8]
  return {
    ...(birth && { birth }),
    ...(used && { used }),
    ...(birthDate && { birthDate }),
    ...(gender && { gender }),
    ...(birthPlace && { birthPlace }),
  }
}
