/**
 * The filter of a request: one compiled predicate a patient, and the two-sided rule for what links documents (DF8).
 * Everything that leaves a search or a retrieval came through here; counts and links are taken from what is left.
 */
import { compileViewer } from '../access/filter.ts'
import type { DocumentFacts, Operation, RecordFacts } from '../access/types.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Association } from '../metadata/model.ts'
import type { OperationParts } from './access.ts'
import type { Dmp, Found, RequestContext } from './ports.ts'

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

/** Documents that associations point to and the query did not bring: a link is judged by both its ends. */
export async function endsOf(
  dmp: Dmp,
  { documents, associations, submissionSets, folders }: Found,
): Promise<readonly DocumentFacts[]> {
  const known = new Set<EntryUuid>([...documents, ...submissionSets, ...folders].map(({ entryUuid }) => entryUuid))
  const ids = new Set(associations.flatMap(({ source, target }) => [source, target]).filter((id) => !known.has(id)))
  if (ids.size === 0) return []
  return (await dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids: [...ids] })).documents
}

/**
 * Keeps what the caller may see of what was found; `ends` are the documents at the far end of its associations. A
 * SubmissionSet or Folder whose documents are all hidden is absent, and so is every link to what is absent.
 */
export function filterFound(found: Found, ends: readonly DocumentFacts[], visible: Visible): Found {
  const hidden = new Set<EntryUuid>()
  const shown = new Set<EntryUuid>()
  for (const document of [...found.documents, ...ends]) (visible(document) ? shown : hidden).add(document.entryUuid)
  for (const id of emptied(found.associations, shown, hidden)) hidden.add(id)
  const stays = (id: EntryUuid): boolean => !hidden.has(id)
  return {
    ...found,
    documents: found.documents.filter(({ entryUuid }) => shown.has(entryUuid)),
    submissionSets: found.submissionSets.filter(({ entryUuid }) => stays(entryUuid)),
    folders: found.folders.filter(({ entryUuid }) => stays(entryUuid)),
    associations: withoutDangling(found.associations, stays),
  }
}

/** Packages that hold documents, none of which is shown. */
function emptied(
  associations: readonly Association[],
  shown: ReadonlySet<EntryUuid>,
  hidden: ReadonlySet<EntryUuid>,
): ReadonlySet<EntryUuid> {
  const result = new Set<EntryUuid>()
  const holders = associations.filter(({ type }) => type === 'HasMember')
  for (const { source, target } of holders) if (hidden.has(target)) result.add(source)
  for (const { source, target } of holders) if (shown.has(target)) result.delete(source)
  return result
}

/** An association may itself be a member (a document put into a folder): it goes, then what holds it. */
function withoutDangling(associations: readonly Association[], stays: (id: EntryUuid) => boolean): Association[] {
  const kept = associations.filter(({ source, target }) => stays(source) && stays(target))
  if (kept.length === associations.length) return kept
  const keptIds = new Set(kept.map(({ entryUuid }) => entryUuid))
  const gone = new Set(associations.map(({ entryUuid }) => entryUuid).filter((id) => !keptIds.has(id)))
  return kept.filter(({ source, target }) => !gone.has(source) && !gone.has(target))
}
