/** The SubmissionSet that ITI-105 leaves unsaid (ITI-105 2:3.105.4.1.3): derived from its one document. */

import { newLink, newObject } from '../../metadata/association.ts'
import { toDtm } from '../../metadata/dtm.ts'
import { type EntryUuid, newEntryUuid, type UniqueId } from '../../metadata/identifiers.ts'
import type { Association, Code, DocumentEntry, Submission, SubmissionSet } from '../../metadata/model.ts'
import { valueSet } from '../../nomenclature/index.ts'
import { defined } from './reading.ts'

export interface SingleOptions {
  readonly profile: 'ci-sis' | 'ihe'
  /** uniqueId of the new SubmissionSet, an OID. */
  readonly uniqueId: UniqueId
  /** OID of the system that sends. */
  readonly sourceId: string
  readonly now: Date
  /** Relationships of the document, targets resolved. */
  readonly associations?: readonly Association[]
  /** Where the source said it; else derived from the document. */
  readonly contentTypeCode?: Code
  readonly newId?: () => EntryUuid
}

/** A Submission of one document by its first author, at this moment. */
export function submissionForSingle(entry: DocumentEntry, options: SingleOptions): Submission {
  const { profile, uniqueId, sourceId, now, associations = [], newId = newEntryUuid } = options
  const ids = [newId(), newId()] as const
  const [author] = entry.authors
  const submissionSet = defined<SubmissionSet>({
    ...newObject(ids[0]),
    kind: 'SubmissionSet',
    uniqueId,
    sourceId,
    limitedMetadata: entry.limitedMetadata,
    patientId: entry.patientId,
    submissionTime: toDtm(now.toISOString().replace(/\D/g, '').slice(0, 14)),
    contentTypeCode: options.contentTypeCode ?? contentTypeOf(entry, profile),
    authors: author ? [author] : [],
    intendedRecipients: [],
  })
  const member = newLink('HasMember', submissionSet.entryUuid, entry.entryUuid, {}, ids[1])
  return { submissionSet, entries: [entry], folders: [], associations: [member, ...associations] }
}

/** TRE_R209, “type d’activité indifférencié”. */
const undifferentiated = { code: '97', system: '1.2.250.1.213.2.2' }

/**
 * contentTypeCode: the activity behind the lot. In France that is the sector of the document where JDV_J59 has it (a
 * practice, a health centre, the patient), else the undifferentiated activity (what PV1-2 `N` gives in the HL7 v2
 * volet). In `ihe` the type of the document.
 */
function contentTypeOf(entry: DocumentEntry, profile: SingleOptions['profile']): Code | undefined {
  if (profile === 'ihe') return entry.typeCode
  const contentTypes = valueSet('contentTypeCode')
  const { code, system } = entry.healthcareFacilityTypeCode ?? {}
  const sector = code === undefined ? undefined : contentTypes.get(code, system)
  return sector ?? contentTypes.get(undifferentiated.code, undifferentiated.system)
}
