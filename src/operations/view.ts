/**
 * The filter of a request: one compiled predicate a patient, and the two-sided rule for what links documents (DF8).
 * Everything that leaves a search or a retrieval came through here; counts and links are taken from what is left.
 */
import { compileViewer } from '../access/filter.ts'
import type { DocumentFacts, Operation, RecordFacts } from '../access/types.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { OperationParts } from './access.ts'
import type { Found, RequestContext } from './ports.ts'

export type Visible = (document: DocumentFacts) => boolean

export function viewOf(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  facts: RecordFacts,
  byReference = false,
): Visible {
  return compileViewer({
    caller: context.caller,
    purpose: context.purpose,
    facts,
    policy: parts.policy,
    now: parts.clock.now(),
    operation,
    byReference,
  })
}

/**
 * Keeps what the caller may see of what was found. Association ends that the query did not bring are looked up, so that
 * a link to a hidden document goes with it.
 */
export async function filterFound(parts: OperationParts, found: Found, visible: Visible): Promise<Found> {
  const documents = found.documents.filter(visible)
  const seen = new Set<EntryUuid>(documents.map(({ entryUuid }) => entryUuid))
  const known = new Set<EntryUuid>(found.documents.map(({ entryUuid }) => entryUuid))
  const packages = new Set<EntryUuid>([...found.submissionSets, ...found.folders].map(({ entryUuid }) => entryUuid))
  const elsewhere = found.associations
    .flatMap(({ source, target }) => [source, target])
    .filter((id) => !known.has(id) && !packages.has(id))
  if (elsewhere.length > 0) {
    const others = await parts.dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids: [...new Set(elsewhere)] })
    for (const other of others.documents) if (visible(other)) seen.add(other.entryUuid)
  }
  const associations = found.associations.filter(
    ({ source, target }) => (seen.has(source) || packages.has(source)) && (seen.has(target) || packages.has(target)),
  )
  const withMembers = new Set(associations.filter(({ target }) => seen.has(target)).map(({ source }) => source))
  return {
    documents,
    submissionSets: found.submissionSets.filter(({ entryUuid }) => withMembers.has(entryUuid)),
    folders: found.folders.filter(({ entryUuid }) => withMembers.has(entryUuid)),
    associations: associations.filter(({ source }) => !packages.has(source) || withMembers.has(source)),
  }
}
