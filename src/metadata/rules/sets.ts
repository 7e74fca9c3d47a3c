/** Rules on SubmissionSet and Folder (ITI TF-3 tables 4.3.1-1 and -2; XDS-RULES §1.2 rows 5–11 and 43–48, §4.4). */

import { isDtm } from '../dtm.ts'
import { formatXcn, formatXon, formatXtn, isDottedNumber } from '../hl7.ts'
import type { Folder, Recipient, SubmissionSet } from '../model.ts'
import { checkLength, type Findings, quoted, type Report } from './findings.ts'
import { checkCx, checkXcn, checkXon, checkXtn } from './hl7-types.ts'
import { checkAuthors, checkCode, checkCodes, checkObject, checkTime, checkUniqueId } from './values.ts'

export function checkSubmissionSet(set: SubmissionSet, findings: Findings): void {
  const { profile } = findings
  const report = findings.about(set.entryUuid)
  checkObject(set, report)
  checkUniqueId(set.uniqueId, 'SubmissionSet', report)
  checkTime(set.submissionTime, 'M5', 'submissionTime', report)
  if (!isDottedNumber(set.sourceId)) {
    const found = set.sourceId === '' ? 'The sourceId is missing' : `${quoted(set.sourceId)} is no OID`
    report('M9', 'sourceId', `${found}: send the OID of the sending system, at most 64 characters.`)
  }
  if (set.patientId) checkCx(set.patientId, profile, 'C10', 'patientId', report)
  if (!set.limitedMetadata) {
    if (!set.patientId) report('M10', 'patientId', 'patientId is missing: send that of the documents.')
    if (!set.contentTypeCode) report('M8', 'contentTypeCode', 'contentTypeCode is missing: send one code.')
  }
  checkCode(set.contentTypeCode, 'C7', 'contentTypeCode', report)
  checkAuthors(set.authors, profile, report)
  for (const [index, each] of set.intendedRecipients.entries()) {
    checkRecipient(each, `intendedRecipient[${index}]`, report)
  }
  checkApproved(set.availabilityStatus, 'M11', report)
}

/** `XON|XCN|XTN`, at least one of them. CI-SIS does not use recipients and gives them no form of its own. */
function checkRecipient({ organization, person, telecom }: Recipient, attribute: string, report: Report): void {
  if (!organization && !person && !telecom) {
    report('M6', attribute, 'The recipient is empty: send an organization, a person or a telecommunication.')
  }
  const parts = [organization && formatXon(organization), person && formatXcn(person), telecom && formatXtn(telecom)]
  checkLength(parts.join('|'), attribute, report)
  if (organization) checkXon(organization, 'ihe', 'M6', attribute, report)
  if (person) checkXcn(person, 'ihe', 'M6', attribute, report)
  if (telecom) checkXtn(telecom, 'M6', attribute, report)
}

/** Digits of a DTM that ends with seconds. */
const TO_THE_SECOND = 14

export function checkFolder(folder: Folder, findings: Findings): void {
  const report = findings.about(folder.entryUuid)
  checkObject(folder, report)
  checkUniqueId(folder.uniqueId, 'Folder', report)
  const { lastUpdateTime } = folder
  checkTime(lastUpdateTime, 'M44', 'lastUpdateTime', report)
  if (lastUpdateTime !== undefined && isDtm(lastUpdateTime) && lastUpdateTime.length < TO_THE_SECOND) {
    report('M44', 'lastUpdateTime', 'lastUpdateTime is not told to the second: send YYYYMMDDhhmmss, or none.')
  }
  if (folder.patientId) checkCx(folder.patientId, findings.profile, 'C10', 'patientId', report)
  if (!folder.limitedMetadata) {
    if (!folder.patientId) report('M46', 'patientId', 'patientId is missing: send that of the documents.')
    if (folder.codes.length === 0) report('M45', 'codeList', 'codeList is missing: send at least one code.')
    if (!folder.title) report('M48', 'title', 'The folder has no title: send one.')
  }
  checkCodes(folder.codes, 'C7', 'codeList', report)
  checkApproved(folder.availabilityStatus, 'M47', report)
}

function checkApproved(status: string, rule: string, report: Report): void {
  if (status !== 'Approved') {
    report(rule, 'availabilityStatus', 'What is submitted is Approved: send no status, or Approved (current).')
  }
}
