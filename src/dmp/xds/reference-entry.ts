/** What TD3.1b tells a structure about a document of its own: the reference, as limited metadata. */
import { cxOf } from '../../metadata/hl7.ts'
import type { EntryUuid, Oid, PatientKey, UniqueId } from '../../metadata/identifiers.ts'
import type { DocumentEntry } from '../../metadata/model.ts'

export function referenceEntry(
  entryUuid: EntryUuid,
  uniqueId: UniqueId,
  patient: PatientKey,
  repositoryUniqueId: Oid,
): DocumentEntry {
  return {
    kind: 'DocumentEntry',
    entryUuid,
    logicalId: entryUuid,
    version: 1,
    extra: [],
    uniqueId,
    repositoryUniqueId,
    availabilityStatus: 'Approved',
    stability: 'stable',
    limitedMetadata: true,
    patientId: cxOf(patient, 'NH'),
    sourcePatientInfo: [],
    authors: [],
    confidentialityCodes: [],
    eventCodes: [],
    mimeType: 'text/xml',
    referenceIds: [],
  }
}
