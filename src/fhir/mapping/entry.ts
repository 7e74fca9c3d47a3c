/** What both directions say about a DocumentEntry: its status, the order of its labels, whether it is complete. */
import type { DocumentReference } from '@medplum/fhirtypes'
import type { AvailabilityStatus, Code, DocumentEntry } from '../../metadata/model.ts'
import { oids } from './terms.ts'

/** The four French statuses (MAPPING): Archived is current with isArchived, Deleted is entered-in-error. */
export function statusOf(status: AvailabilityStatus): { status: DocumentReference['status']; archived: boolean } {
  const statuses = {
    Approved: 'current',
    Archived: 'current',
    Deprecated: 'superseded',
    Deleted: 'entered-in-error',
  } as const
  return { status: statuses[status], archived: status === 'Archived' }
}

function isVisibility({ system }: Code): boolean {
  return system === oids.visibility
}

/** The order FHIR serves: visibility codes (TRE_A07) before the others, so that the first label is the one to patch. */
export function visibilityFirst(codes: readonly Code[]): readonly Code[] {
  return [...codes.filter(isVisibility), ...codes.filter((code) => !isVisibility(code))]
}

/** The order of XDS in France: N first (DMP-FACTS §3.1). */
export function visibilityLast(codes: readonly Code[]): readonly Code[] {
  return [...codes.filter((code) => !isVisibility(code)), ...codes.filter(isVisibility)]
}

/** Everything IHE.MHD.Comprehensive.DocumentReference requires is there. */
export function isComplete(entry: Omit<DocumentEntry, 'limitedMetadata'>): boolean {
  const required = [
    entry.typeCode,
    entry.classCode,
    entry.formatCode,
    entry.healthcareFacilityTypeCode,
    entry.practiceSettingCode,
    entry.creationTime,
    entry.languageCode,
    entry.sourcePatientId,
    entry.confidentialityCodes[0],
  ]
  return !required.includes(undefined)
}
