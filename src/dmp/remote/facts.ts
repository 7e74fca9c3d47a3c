/** What the guard must know about a document, as far as the metadata of the DMP say it. */
import type { DocumentFacts } from '../../access/types.ts'
import { dtmToIso } from '../../metadata/dtm.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { DocumentEntry } from '../../metadata/model.ts'

/** CX.5 and XCN.13 of a patient who is the author. */
const patientIdTypes: ReadonlySet<string> = new Set(['NH', 'INS-C', 'PI'])
const earliest = '1970-01-01T00:00:00.000Z'

/**
 * The DMP tells neither who deposited a document nor when: a document whose only persons are patients is the patient's,
 * and the day it was made stands for the day it came, which makes no difference to a professional.
 * @param patient that was asked about: the DMP answers within one patient, whatever older identity an entry carries
 * @param ownStructure the structure that TD3.1b answered: it gives a structure what it fed, and nothing else
 */
export function factsOf(entry: DocumentEntry, patient: PatientKey, ownStructure?: string): DocumentFacts {
  const persons = entry.authors.flatMap(({ person }) => (person === undefined ? [] : [person]))
  const byPatient = persons.length > 0 && persons.every(({ idType }) => patientIdTypes.has(idType ?? ''))
  const at = entry.creationTime === undefined ? earliest : instant(entry.creationTime)
  return {
    entryUuid: entry.entryUuid,
    logicalId: entry.logicalId,
    version: entry.version,
    uniqueId: entry.uniqueId,
    patient,
    availabilityStatus: entry.availabilityStatus,
    ...(entry.classCode && { classCode: entry.classCode.code }),
    ...(entry.typeCode && { typeCode: entry.typeCode.code }),
    confidentiality: entry.confidentialityCodes.map(({ code }) => code),
    authorPersons: persons.flatMap(({ id, nameType }) => (id === undefined || nameType === 'U' ? [] : [id])),
    depositedBy: ownStructure !== undefined ? 'structure' : byPatient ? 'patient' : 'professional',
    ...(ownStructure !== undefined && { feedingStructure: ownStructure }),
    depositedAt: at,
    updatedAt: at,
    ...(entry.creationTime !== undefined && { creationTime: entry.creationTime }),
  }
}

function instant(dtm: NonNullable<DocumentEntry['creationTime']>): string {
  const date = new Date(dtmToIso(dtm))
  return Number.isNaN(date.getTime()) ? earliest : date.toISOString()
}
