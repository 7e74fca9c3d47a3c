/** A document as a request names it, before anyone has said whether the caller may know of it. */
import type { DocumentFacts } from '../access/types.ts'
import { isEntryUuid } from '../metadata/identifiers.ts'
import type { Dmp } from './ports.ts'

/**
 * The current version of a document; of several under one uniqueId, the one in force.
 * @param name an entryUUID of any version (`urn:uuid:…`, a FHIR id), or the uniqueId, with `urn:oid:` or without
 */
export async function namedDocument(dmp: Pick<Dmp, 'find'>, name: string): Promise<DocumentFacts | undefined> {
  const id = name.toLowerCase()
  if (isEntryUuid(id)) {
    const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'any', ids: [id] })
    // `urn:uuid:…` may be a uniqueId as well
    if (documents[0] !== undefined) return documents[0]
  }
  const uniqueId = name.startsWith('urn:oid:') ? name.slice('urn:oid:'.length) : name
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [uniqueId] })
  return inForce(documents)
}

/** Of several documents under one uniqueId the one in force, else the newest. */
export function inForce(documents: readonly DocumentFacts[]): DocumentFacts | undefined {
  return documents.find(({ availabilityStatus }) => availabilityStatus === 'Approved') ?? documents[0]
}
