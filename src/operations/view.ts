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
import { nothing } from './stored-query.ts'

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
 * What judging needs beyond what was found: what stands at the other end of associations (a link is judged by both its
 * ends), what SubmissionSets and Folders hold (one whose documents are all hidden is absent), of every version, and the
 * current version of documents found in an earlier one (it decides who may see them all).
 */
export async function surroundingsOf(dmp: Pick<Dmp, 'find'>, found: Found): Promise<Found> {
  const { documents, submissionSets, folders, associations } = found
  const known = new Set(idsOf([...documents, ...submissionSets, ...folders, ...associations]))
  const around: Found[] = []
  let packages = idsOf([...submissionSets, ...folders])
  let links = associations
  while (packages.length > 0 || links.length > 0) {
    const memberships = (await membershipsOf(dmp, packages)).filter(({ entryUuid }) => !known.has(entryUuid))
    const missing = endsOf([...links, ...memberships]).filter((id) => !known.has(id))
    const ends = await objectsOf(dmp, missing)
    for (const id of [...idsOf(memberships), ...missing]) known.add(id)
    around.push({ ...ends, associations: [...memberships, ...ends.associations] })
    packages = idsOf([...ends.submissionSets, ...ends.folders])
    links = ends.associations
  }
  const others = around.flatMap((each) => each.documents)
  return {
    documents: [...others, ...(await currentVersions(dmp, [...documents, ...others]))],
    submissionSets: around.flatMap((each) => each.submissionSets),
    folders: around.flatMap((each) => each.folders),
    associations: around.flatMap((each) => each.associations),
  }
}

async function membershipsOf(dmp: Pick<Dmp, 'find'>, packages: readonly EntryUuid[]): Promise<readonly Association[]> {
  if (packages.length === 0) return []
  const holders = new Set(packages)
  const { associations } = await dmp.find({ kind: 'GetAssociations', ids: packages, allVersions: true })
  return associations.filter(({ type, source }) => type === 'HasMember' && holders.has(source))
}

/** Objects of any kind: most are documents, so the rest is looked for only where some are missing. */
async function objectsOf(dmp: Pick<Dmp, 'find'>, ids: readonly EntryUuid[]): Promise<Found> {
  if (ids.length === 0) return nothing
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids })
  const named = new Set(idsOf(documents))
  const others = ids.filter((id) => !named.has(id))
  if (others.length === 0) return { ...nothing, documents }
  const [{ submissionSets }, { folders }, { associations }] = await Promise.all([
    dmp.find({ kind: 'GetSubmissionSets', by: 'entryUuid', ids: others }),
    dmp.find({ kind: 'GetFolders', by: 'entryUuid', ids: others }),
    dmp.find({ kind: 'GetAssociations', by: 'entryUuid', ids: others, allVersions: true }),
  ])
  return { documents, submissionSets, folders, associations }
}

async function currentVersions(
  dmp: Pick<Dmp, 'find'>,
  documents: readonly DocumentFacts[],
): Promise<readonly DocumentFacts[]> {
  const ids = new Set(documents.filter(({ superseded }) => superseded).map(({ logicalId }) => logicalId))
  if (ids.size === 0) return []
  return (await dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids: [...ids] })).documents
}

/**
 * Keeps what the caller may see of what was found. An earlier version of a document is seen by those who see the current
 * one. A SubmissionSet or Folder whose documents are all hidden is absent, and so is every link to what is absent.
 * @param around surroundingsOf what was found
 */
export function filterFound(found: Found, around: Found, visible: Visible): Found {
  const hidden = new Set<EntryUuid>()
  const shown = new Set<EntryUuid>()
  const documents = [...found.documents, ...around.documents]
  const current = new Map(documents.flatMap((each) => (each.superseded ? [] : [[each.logicalId, each]])))
  for (const document of documents) {
    const judged = document.superseded ? current.get(document.logicalId) : document
    const { entryUuid } = document
    if (judged !== undefined && visible(judged)) shown.add(entryUuid)
    else hidden.add(entryUuid)
  }
  if (hidden.size > 0) hideWhatDepends([found, around], shown, hidden)
  const stays = ({ entryUuid }: { readonly entryUuid: EntryUuid }): boolean => !hidden.has(entryUuid)
  const associations = found.associations.filter(stays)
  const ends = new Set(endsOf(associations))
  const beyond = around.documents.filter(({ entryUuid }) => ends.has(entryUuid) && shown.has(entryUuid))
  return {
    ...found,
    documents: found.documents.filter(stays),
    submissionSets: found.submissionSets.filter(stays),
    folders: found.folders.filter(stays),
    associations,
    ...(beyond.length > 0 && { logicalIds: new Map(beyond.map(({ entryUuid, logicalId }) => [entryUuid, logicalId])) }),
  }
}

/** Links to what is hidden, and packages that hold something hidden and nothing that is shown; until nothing changes. */
function hideWhatDepends(parts: readonly Found[], shown: ReadonlySet<EntryUuid>, hidden: Set<EntryUuid>): void {
  const associations = parts.flatMap((part) => part.associations)
  const packages = parts.flatMap(({ submissionSets, folders }) => idsOf([...submissionSets, ...folders]))
  const linked = new Set(parts.flatMap((part) => idsOf([...part.folders, ...part.associations])))
  const members = new Map<EntryUuid, EntryUuid[]>(packages.map((id) => [id, []]))
  for (const { type, source, target } of associations) if (type === 'HasMember') members.get(source)?.push(target)
  for (let before = -1; before !== hidden.size; ) {
    before = hidden.size
    for (const { entryUuid, source, target } of associations)
      if (hidden.has(source) || hidden.has(target)) hidden.add(entryUuid)
    for (const [id, held] of members) {
      const stays = held.some((member) => shown.has(member) || (linked.has(member) && !hidden.has(member)))
      if (!stays && held.some((member) => hidden.has(member))) hidden.add(id)
    }
  }
}

function endsOf(associations: readonly Association[]): EntryUuid[] {
  return [...new Set(associations.flatMap(({ source, target }) => [source, target]))]
}

function idsOf(objects: readonly { readonly entryUuid: EntryUuid }[]): EntryUuid[] {
  return objects.map(({ entryUuid }) => entryUuid)
}
