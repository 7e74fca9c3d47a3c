/** A stored entry as the DocumentReference this caller gets. */
import type { DocumentReference } from '@medplum/fhirtypes'
import type { DocumentFacts } from '../access/types.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Association, DocumentEntry } from '../metadata/model.ts'
import { toDocumentReference } from './mapping/document-reference.ts'
import { relationsOf } from './mapping/relation.ts'
import type { Exchange } from './parts.ts'

/** What was found along with the entry. */
export interface Surroundings {
  readonly documents: readonly Known[]
  /** Only those whose both ends the caller may see. */
  readonly associations: readonly Association[]
  /** Of ends that are not among the documents. */
  readonly logicalIds?: ReadonlyMap<EntryUuid, EntryUuid>
}

/** What a resource shows of a document besides its entry. */
export type Known = Pick<DocumentFacts, 'entryUuid' | 'logicalId' | 'updatedAt' | 'revision' | 'feedingStructure'>

/** Makes the resources of one answer: what they share is looked up once. */
export function resourceWriter(
  { documents, associations, logicalIds }: Surroundings,
  { baseUrl, patientIds, parts }: Pick<Exchange, 'baseUrl' | 'patientIds' | 'parts'>,
): (entry: DocumentEntry) => DocumentReference {
  const facts = new Map<EntryUuid, Known>(documents.map((each) => [each.entryUuid, each]))
  const outgoing = Map.groupBy(associations, ({ source }) => source)
  // A read answers to any entryUUID as well
  const logicalIdOf = (id: EntryUuid): EntryUuid => facts.get(id)?.logicalId ?? logicalIds?.get(id) ?? id
  // In ci-sis the patient is named by the INS alone: an encrypted id in each document would say nothing to anyone
  const patientReference =
    parts.profile === 'ihe'
      ? (patient: Parameters<typeof patientIds.toId>[0]) => {
          const id = patientIds.toId(patient)
          return id === undefined ? undefined : `Patient/${id}`
        }
      : undefined
  return (entry) => {
    const known = facts.get(entry.entryUuid)
    return toDocumentReference(entry, {
      baseUrl,
      relations: relationsOf(entry.entryUuid, outgoing.get(entry.entryUuid) ?? [], logicalIdOf),
      ...(known ? { updatedAt: known.updatedAt, revision: known.revision ?? 0 } : {}),
      ...(known?.feedingStructure === undefined ? {} : { custodian: { id: known.feedingStructure } }),
      ...(patientReference ? { patientReference } : {}),
    })
  }
}
