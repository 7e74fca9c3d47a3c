/** C11: codes and mimeType are those of the affinity domain (ITI TF-3 4.2.3.1.2), where one is configured. */
import type { AffinityDomain, CodedAttribute } from '../affinity-domain.ts'
import type { Code, Submission } from '../model.ts'
import { type Findings, quoted } from './findings.ts'

export function checkAffinityDomain(submission: Submission, domain: AffinityDomain, findings: Findings): void {
  const check = (id: string, attribute: CodedAttribute, codes: readonly (Code | undefined)[], repeats = false) => {
    for (const [index, code] of codes.entries()) {
      // An empty code breaks another rule already (C7)
      if (code === undefined || code.code === '' || domain.permits(attribute, code)) continue
      const detail = `${quoted(code.code)} of ${quoted(code.system)} is not found in the affinity domain: send a code it lists for ${attribute}.`
      findings.about(id)('C11', repeats ? `${attribute}[${index}]` : attribute, detail)
    }
  }
  const { submissionSet, entries, folders, associations } = submission
  check(submissionSet.entryUuid, 'contentTypeCode', [submissionSet.contentTypeCode])
  for (const entry of entries) {
    const id = entry.entryUuid
    check(id, 'classCode', [entry.classCode])
    check(id, 'typeCode', [entry.typeCode])
    check(id, 'formatCode', [entry.formatCode])
    check(id, 'healthcareFacilityTypeCode', [entry.healthcareFacilityTypeCode])
    check(id, 'practiceSettingCode', [entry.practiceSettingCode])
    check(id, 'confidentialityCode', entry.confidentialityCodes, true)
    check(id, 'eventCodeList', entry.eventCodes, true)
    if (entry.mimeType !== '' && !domain.permitsMimeType(entry.mimeType)) {
      const detail = `${quoted(entry.mimeType)} is not found in the affinity domain: send a document of a type it lists.`
      findings.about(id)('C11', 'mimeType', detail)
    }
  }
  for (const { entryUuid, codes } of folders) check(entryUuid, 'codeList', codes, true)
  for (const { entryUuid, documentation } of associations) check(entryUuid, 'associationDocumentation', [documentation])
}
