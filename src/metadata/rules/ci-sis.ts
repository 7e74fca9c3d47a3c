/** What the French profile requires beyond IHE (CI-SIS logical models of the DMP, DMP-FACTS §3.1 and §3.2). */
import type { Cx } from '../hl7.ts'
import type { DocumentEntry, Submission } from '../model.ts'
import type { Findings, Report } from './findings.ts'

/** NIR, NIA, NIR of the test and of the demonstration platform. */
const insAuthorities: ReadonlySet<string | undefined> = new Set([
  '1.2.250.1.213.1.4.8',
  '1.2.250.1.213.1.4.9',
  '1.2.250.1.213.1.4.10',
  '1.2.250.1.213.1.4.11',
])

const MOST_CONFIDENTIALITY_CODES = 4

export function checkFrenchProfile({ submissionSet, entries, folders }: Submission, findings: Findings): void {
  const report = findings.about(submissionSet.entryUuid)
  if (submissionSet.patientId) checkIns(submissionSet.patientId, report)
  checkComplete(submissionSet.limitedMetadata, report)
  if (submissionSet.limitedMetadata && !submissionSet.patientId) {
    report('CS2', 'patientId', 'patientId is missing: send the INS of the patient.')
  }
  if (submissionSet.authors.length !== 1) {
    const found = submissionSet.authors.length === 0 ? 'has no author' : 'has several authors'
    report('CS5', 'author', `The SubmissionSet ${found}: send exactly one.`)
  }
  for (const entry of entries) checkEntry(entry, findings.about(entry.entryUuid))
  for (const folder of folders) {
    const about = findings.about(folder.entryUuid)
    if (folder.patientId) checkIns(folder.patientId, about)
    checkComplete(folder.limitedMetadata, about)
  }
}

function checkEntry(entry: DocumentEntry, report: Report): void {
  checkIns(entry.patientId, report)
  checkComplete(entry.limitedMetadata, report)
  if (entry.authors.length === 0) report('CS2', 'author', 'The document has no author: send at least one.')
  if (!entry.legalAuthenticator) {
    report('CS2', 'legalAuthenticator', 'legalAuthenticator is missing: send the person who answers for the content.')
  }
  if (!entry.serviceStartTime) {
    report('CS2', 'serviceStartTime', 'serviceStartTime is missing: send when the documented act began.')
  }
  if (!entry.title) report('CS2', 'title', 'The title is missing: send one.')
  if (entry.confidentialityCodes.length > MOST_CONFIDENTIALITY_CODES) {
    const detail = `There are more than ${MOST_CONFIDENTIALITY_CODES} confidentiality codes: send N and the visibility codes, each once.`
    report('CS5', 'confidentialityCode', detail)
  }
}

function checkIns({ assigningAuthority, typeCode }: Cx, report: Report): void {
  if (!insAuthorities.has(assigningAuthority?.universalId)) {
    const detail =
      'CX.4 is no authority of the INS: send &1.2.250.1.213.1.4.8&ISO (NIR) or …4.9 (NIA), …4.10 and …4.11 for tests.'
    report('CS1', 'patientId', detail)
  }
  if (typeCode !== 'NH') report('CS1', 'patientId', 'CX.5 is not NH: send INS^^^&OID&ISO^NH.')
}

function checkComplete(limitedMetadata: boolean, report: Report): void {
  if (limitedMetadata) {
    report('CS6', 'limitedMetadata', 'The DMP takes no limited metadata: send the whole metadata of the profile.')
  }
}
