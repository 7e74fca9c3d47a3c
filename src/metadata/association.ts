/** Associations as they are made here: by a door that has none in its message, or by a registry. */
import { type EntryUuid, newEntryUuid } from './identifiers.ts'
import type { Association, AssociationType } from './model.ts'

/** Version 1 of a new object. */
export function newObject(entryUuid: EntryUuid) {
  return { entryUuid, logicalId: entryUuid, version: 1, availabilityStatus: 'Approved', extra: [] } as const
}

/** A new association. @param entryUuid where it is known; default: a new one */
export function newAssociation(
  type: AssociationType,
  source: EntryUuid,
  target: EntryUuid,
  more: Partial<Association> = {},
  entryUuid = newEntryUuid(),
): Association {
  return { ...newObject(entryUuid), kind: 'Association', type, source, target, ...more }
}

/** The same where each membership says that what it holds is new here (SubmissionSetStatus, ITI TF-3 4.2.3.2). */
export function newLink(
  type: AssociationType,
  source: EntryUuid,
  target: EntryUuid,
  more: Partial<Association> = {},
  entryUuid = newEntryUuid(),
): Association {
  const status = type === 'HasMember' ? { submissionSetStatus: 'Original' as const } : {}
  return newAssociation(type, source, target, { ...status, ...more }, entryUuid)
}
