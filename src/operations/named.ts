/** A document as a request names it, before anyone has said whether the caller may know of it. */
import type { DocumentFacts } from '../access/types.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Dmp } from './ports.ts'

/** By an entryUUID of any version (a FHIR id), or by the uniqueId. */
export type DocumentName = { readonly id: EntryUuid } | { readonly uniqueId: string }

/** The current version; of several under one uniqueId, the one in force. */
export async function namedDocument(dmp: Pick<Dmp, 'find'>, name: DocumentName): Promise<DocumentFacts | undefined> {
  const { documents } = await dmp.find(
    'id' in name
      ? { kind: 'GetDocuments', by: 'any', ids: [name.id] }
      : { kind: 'GetDocuments', by: 'uniqueId', ids: [name.uniqueId] },
  )
  return documents.find(({ availabilityStatus }) => availabilityStatus === 'Approved') ?? documents[0]
}
