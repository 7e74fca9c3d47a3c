/** SubmissionSets and Folders as the Lists this caller gets: only members that the caller may see (DF8). */
import type { List } from '@medplum/fhirtypes'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Findings } from '../operations/operations.ts'
import type { Package } from './list-parameters.ts'
import { updateOf } from './list-search.ts'
import { toFolderList, toSubmissionSetList } from './mapping/index.ts'
import type { Exchange } from './parts.ts'

/** Makes the Lists of one answer from what was found with `members`. */
export function listWriter(
  findings: readonly Findings[],
  { patientIds, parts }: Exchange,
): (list: Package) => List & { readonly id?: string } {
  const references = new Map<EntryUuid, string>()
  for (const { documents, folders } of findings) {
    for (const { entryUuid, logicalId } of documents)
      references.set(entryUuid, reference('DocumentReference', logicalId))
    for (const { entryUuid, logicalId } of folders) references.set(entryUuid, reference('List', logicalId))
  }
  const members = new Map<EntryUuid, Set<string>>()
  for (const { associations } of findings)
    for (const { type, source, target } of associations) {
      const member = type === 'HasMember' ? references.get(target) : undefined
      if (member === undefined) continue
      const known = members.get(source)
      if (known) known.add(member)
      else members.set(source, new Set([member]))
    }
  // In ci-sis the patient is named by the INS alone, as in documents
  const patientReference =
    parts.profile === 'ihe'
      ? (patient: PatientKey) => {
          const id = patientIds.toId(patient)
          return id === undefined ? undefined : `Patient/${id}`
        }
      : undefined
  return (list) => {
    const updatedAt = updateOf(list, findings)
    const options = {
      items: [...(members.get(list.entryUuid) ?? [])],
      ...(updatedAt === undefined ? {} : { updatedAt }),
      ...(patientReference ? { patientReference } : {}),
    }
    return list.kind === 'Folder' ? toFolderList(list, options) : toSubmissionSetList(list, options)
  }
}

function reference(type: 'DocumentReference' | 'List', logicalId: EntryUuid): string {
  return `${type}/${logicalId.slice('urn:uuid:'.length)}`
}
