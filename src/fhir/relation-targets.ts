/** The stored documents that relatesTo points to. */
import { GatewayError } from '../errors.ts'
import { type EntryUuid, isEntryUuid } from '../metadata/identifiers.ts'
import { type ReadRelation, uniqueIdOf } from './mapping/index.ts'
import type { Exchange } from './parts.ts'

/** The id in `DocumentReference/ID` or in its absolute URL here. */
export function documentIdIn(reference: string, baseUrl: string): string | undefined {
  const relative = reference.startsWith(`${baseUrl}/`) ? reference.slice(baseUrl.length + 1) : reference
  return /^DocumentReference\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(relative)?.[1]
}

/** A FHIR id, or `urn:uuid:`, as the entryUUID or logicalID it is; which version is in force the operation finds out. */
export function toEntryReference(reference: string, baseUrl: string): EntryUuid | undefined {
  const id = documentIdIn(reference, baseUrl)
  const uuid = (id === undefined ? reference : `urn:uuid:${id}`).toLowerCase()
  return isEntryUuid(uuid) ? uuid : undefined
}

/**
 * The target of a relation as the registry knows it. By reference it is the id itself; by identifier it is looked up as
 * the caller (TD3.1b), so that a document that is hidden from the caller is absent here too.
 */
export async function targetOf({ target, location }: ReadRelation, exchange: Exchange): Promise<EntryUuid> {
  const { reference, identifier } = target
  const direct = reference === undefined ? undefined : toEntryReference(reference, exchange.baseUrl)
  if (direct !== undefined) return direct
  const uniqueId = identifier && uniqueIdOf(identifier)
  if (uniqueId !== undefined && isEntryUuid(uniqueId)) return uniqueId
  if (uniqueId !== undefined) {
    const query = { kind: 'GetDocuments', by: 'uniqueId', ids: [uniqueId] } as const
    const { documents } = await exchange.parts.operations.find(query, exchange.context, { relations: false })
    const found = documents.find(({ availabilityStatus }) => availabilityStatus === 'Approved') ?? documents[0]
    if (found) return found.entryUuid
  }
  throw new GatewayError({
    code: 'UnresolvedReferenceException',
    location: `${location}.target`,
    detail:
      'No document is known under this reference: send DocumentReference/ID or the identifier of a stored document.',
  })
}
