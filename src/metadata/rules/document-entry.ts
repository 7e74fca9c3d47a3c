/** Rules on a DocumentEntry in a submission (ITI TF-3 table 4.3.1-3; XDS-RULES §1.2 rows 23–42, D1–D11). */
import { isDtm, lowerBound, upperBound } from '../dtm.ts'
import { isIsoAuthority, parseCx } from '../hl7.ts'
import { isOid } from '../identifiers.ts'
import type { DocumentEntry } from '../model.ts'
import { checkLength, type Findings, quoted, type Report } from './findings.ts'
import { checkCx, checkCxi, checkXcn } from './hl7-types.ts'
import { checkAuthors, checkCode, checkCodes, checkObject, checkTime, checkUniqueId } from './values.ts'

/** @param register the document stays elsewhere, so its metadata say where and which bytes (ITI-42) */
export function checkDocumentEntry(entry: DocumentEntry, register: boolean, findings: Findings): void {
  const { profile } = findings
  const report = findings.about(entry.entryUuid)
  checkObject(entry, report)
  checkUniqueId(entry.uniqueId, 'DocumentEntry', report)
  if (entry.stability !== 'stable') {
    report('D1', 'objectType', 'On-demand entries cannot be submitted here: send the stable document itself.')
  }
  checkPresence(entry, report)
  if (register) checkRegistered(entry, report)
  checkCx(entry.patientId, profile, 'C10', 'patientId', report)
  if (entry.sourcePatientId) checkCx(entry.sourcePatientId, profile, 'D7', 'sourcePatientId', report)
  checkSourcePatientInfo(entry.sourcePatientInfo, report)
  checkAuthors(entry.authors, profile, report)
  if (entry.legalAuthenticator) checkXcn(entry.legalAuthenticator, profile, 'D7', 'legalAuthenticator', report)
  checkCoded(entry, report)
  checkTimes(entry, report)
  for (const [index, id] of entry.referenceIds.entries()) {
    checkCxi(id, profile, `referenceIdList[${index}]`, report)
  }
  checkDescription(entry, findings, report)
  checkDocument(entry, report)
}

const alwaysRequired = [
  ['D4', 'sourcePatientId'],
  ['D4', 'creationTime'],
  ['D4', 'languageCode'],
  ['D9', 'classCode'],
  ['D9', 'typeCode'],
  ['D9', 'formatCode'],
  ['D9', 'healthcareFacilityTypeCode'],
  ['D9', 'practiceSettingCode'],
] as const satisfies readonly (readonly [string, keyof DocumentEntry])[]

function checkPresence(entry: DocumentEntry, report: Report): void {
  if (entry.limitedMetadata) return
  for (const [rule, attribute] of alwaysRequired) {
    if (entry[attribute] === undefined) {
      report(rule, attribute, `${attribute} is missing: send one, or declare limited metadata where that is accepted.`)
    }
  }
  if (entry.confidentialityCodes.length === 0) {
    report(
      'D9',
      'confidentialityCode',
      'confidentialityCode is missing: send at least one, N for an ordinary document.',
    )
  }
}

const requiredToRegister = [
  ['D5', 'hash'],
  ['D5', 'size'],
  ['D6', 'repositoryUniqueId'],
] as const

function checkRegistered(entry: DocumentEntry, report: Report): void {
  for (const [rule, attribute] of requiredToRegister) {
    if (entry[attribute] === undefined) {
      report(rule, attribute, `${attribute} is missing: a registry learns it from the metadata alone, send it.`)
    }
  }
}

function checkCoded(entry: DocumentEntry, report: Report): void {
  checkCode(entry.classCode, 'C7', 'classCode', report)
  checkCode(entry.typeCode, 'C7', 'typeCode', report)
  checkCode(entry.formatCode, 'C7', 'formatCode', report)
  checkCode(entry.healthcareFacilityTypeCode, 'C7', 'healthcareFacilityTypeCode', report)
  checkCode(entry.practiceSettingCode, 'C7', 'practiceSettingCode', report)
  checkCodes(entry.confidentialityCodes, 'C7', 'confidentialityCode', report)
  checkCodes(entry.eventCodes, 'C7', 'eventCodeList', report)
}

function checkTimes({ creationTime, serviceStartTime, serviceStopTime }: DocumentEntry, report: Report): void {
  checkTime(creationTime, 'D7', 'creationTime', report)
  checkTime(serviceStartTime, 'D7', 'serviceStartTime', report)
  checkTime(serviceStopTime, 'D7', 'serviceStopTime', report)
  if (serviceStartTime === undefined || serviceStopTime === undefined) return
  if (!isDtm(serviceStartTime) || !isDtm(serviceStopTime)) return
  // 2026 may stop what 20260512 has started: the stop is its last second.
  if (lowerBound(serviceStartTime) >= upperBound(serviceStopTime)) {
    report('M25', 'serviceStopTime', 'serviceStopTime is before serviceStartTime: send them in order.')
  }
}

// RFC 3066: the tags that xml:lang and FHIR languages are made of.
const LANGUAGE = /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/i
// RFC 6838 names, with parameters as FHIR contentType may carry them.
const MIME = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s?;\s?[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[^"\r\n]*"))*$/
const URI_REFERENCE = /^(?:[^\s"<>\\^`{|}%]|%[0-9A-Fa-f]{2})+$/

/** IHE: at most 128 characters (row 40); CI-SIS: 255. */
const LONGEST_TITLE = { ihe: 128, 'ci-sis': 255 } as const

function checkDescription({ languageCode, title }: DocumentEntry, { profile }: Findings, report: Report): void {
  if (languageCode !== undefined && !LANGUAGE.test(languageCode)) {
    report('D7', 'languageCode', `${quoted(languageCode)} is no language: send an RFC 3066 tag such as fr-FR.`)
  }
  const most = LONGEST_TITLE[profile]
  if (title !== undefined && Array.from(title).length > most) {
    report('M40', 'title', `The title has more than ${most} characters: send a shorter one.`)
  }
}

function checkDocument(entry: DocumentEntry, report: Report): void {
  const { mimeType, hash, size, uri, repositoryUniqueId, documentAvailability, availabilityStatus } = entry
  if (!MIME.test(mimeType)) {
    report(
      'D2',
      'mimeType',
      `${mimeType === '' ? 'mimeType is missing' : `${quoted(mimeType)} is no mimeType`}: send one such as text/xml.`,
    )
  }
  if (hash !== undefined && !/^[0-9a-f]{40}$/i.test(hash)) {
    report('D7', 'hash', 'The hash is no SHA-1: send its 40 hexadecimal digits, or no hash.')
  }
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
    report('D7', 'size', 'The size is no number of bytes: send digits, or no size.')
  }
  if (uri !== undefined && !URI_REFERENCE.test(uri)) {
    report('M33', 'URI', `${quoted(uri)} is no URI: send one with spaces and reserved characters as %20, or none.`)
  }
  if (repositoryUniqueId !== undefined && !isOid(repositoryUniqueId)) {
    report('D7', 'repositoryUniqueId', `${quoted(repositoryUniqueId)} is no OID: send one, or none.`)
  }
  if (documentAvailability !== undefined && documentAvailability !== 'Online' && documentAvailability !== 'Offline') {
    report(
      'D8',
      'documentAvailability',
      'documentAvailability is neither Online nor Offline: send one of these, or none.',
    )
  }
  if (availabilityStatus !== 'Approved') {
    report('M39', 'availabilityStatus', 'A new document is Approved: send no status, or Approved (current).')
  }
}

const PID_LINE = /^PID-([1-9]\d?)\|(.*)$/s
const notAllowedFields = new Set([2, 4, 12, 19])
const LAST_FIELD = 39

/** `PID-n|value` lines: PID-3 a list of CX, PID-7 a date, PID-8 of HL7 table 0001 (row 31, D7). */
function checkSourcePatientInfo(lines: readonly string[], report: Report): void {
  for (const [index, line] of lines.entries()) {
    const attribute = `sourcePatientInfo[${index}]`
    checkLength(line, attribute, report)
    const [, number, value = ''] = PID_LINE.exec(line) ?? []
    if (number === undefined)
      report('M31', attribute, 'The line is no PID field: send PID-n, a vertical bar and the value.')
    else if (notAllowedFields.has(Number(number)) || Number(number) > LAST_FIELD) {
      report('M31', attribute, `PID-${number} is not allowed in sourcePatientInfo: leave the line out.`)
    } else checkPidValue(number, value, attribute, report)
  }
}

function checkPidValue(field: string, value: string, attribute: string, report: Report): void {
  if (field === '3' && !value.split('~').every(isPid3)) {
    report('D7', attribute, 'PID-3 is no list of identifiers: send id^^^&OID&ISO, several separated by ~.')
  }
  if (field === '7' && !isDtm(value)) {
    report('D7', attribute, 'PID-7 is no date of the calendar: send digits YYYY[MM[DD]].')
  }
  if (field === '8' && !/^[MFOUAN]$/.test(value)) {
    report('D7', attribute, 'PID-8 is none of M, F, O, U, A and N: send one of these.')
  }
}

/** French PID-3 values name the authority (`ASIP-SANTE-INS-NIR&OID&ISO`) and have a type in CX.5. */
function isPid3(text: string): boolean {
  const { id, assigningAuthority } = parseCx(text)
  if (id === '' || assigningAuthority === undefined) return false
  const { namespaceId, ...authority } = assigningAuthority
  return isIsoAuthority(authority) || (namespaceId !== undefined && Object.keys(authority).length === 0)
}
