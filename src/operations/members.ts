/** SubmissionSets and Folders with what they hold (ITI-66): the members of all of them, looked up together. */
import type { DocumentFacts } from '../access/types.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Association } from '../metadata/model.ts'
import type { Dmp, Found } from './ports.ts'
import { nothing } from './stored-query.ts'

/**
 * What was found, with its member documents in their current version, its member Folders, and the associations that make
 * them members. A member that has a later version is named by that version, and so judged by what it is now.
 */
export async function withMembers(dmp: Pick<Dmp, 'find'>, found: Found, nesting = true): Promise<Found> {
  const packages = new Set([...found.submissionSets, ...found.folders].map(({ entryUuid }) => entryUuid))
  const links = found.associations.filter(
    ({ type, source, availabilityStatus }) =>
      type === 'HasMember' && packages.has(source) && availabilityStatus === 'Approved',
  )
  const members = await currentVersions(
    dmp,
    links.map(({ target }) => target),
  )
  const others = links.map(({ target }) => target).filter((id) => !members.has(id) && !packages.has(id))
  // A Folder holds documents only (T7)
  const filled = nesting ? await filledFolders(dmp, others) : new Map<EntryUuid, EntryUuid>()
  const nested = nesting ? await foldersAmong(dmp, [...others, ...filled.values()]) : nothing
  const holds = new Map<EntryUuid, EntryUuid>([...members].map(([id, { entryUuid }]) => [id, entryUuid]))
  for (const [id, folder] of filled) holds.set(id, folder)
  const associations = links.map((link): Association => ({ ...link, target: holds.get(link.target) ?? link.target }))
  return {
    ...found,
    documents: distinct([...members.values(), ...nested.documents]),
    folders: distinct([...found.folders, ...nested.folders]),
    associations: [...associations, ...nested.associations],
  }
}

/** The current version of each document, by the entryUUID of whichever version. */
async function currentVersions(
  dmp: Pick<Dmp, 'find'>,
  ids: readonly EntryUuid[],
): Promise<ReadonlyMap<EntryUuid, DocumentFacts>> {
  if (ids.length === 0) return new Map()
  const named = (await dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids: [...new Set(ids)] })).documents
  if (named.length === 0) return new Map()
  const logicalIds = [...new Set(named.map(({ logicalId }) => logicalId))]
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids: logicalIds })
  const current = new Map(documents.map((document) => [document.logicalId, document]))
  return new Map(
    named.flatMap(({ entryUuid, logicalId }) => {
      const document = current.get(logicalId)
      return document ? [[entryUuid, document]] : []
    }),
  )
}

/**
 * A SubmissionSet holds the associations that put its documents into Folders: the Folder behind each, by the entryUUID of
 * the association. To FHIR the lot holds the Folders it filled, new or not (ITI-65 2:3.65.4.1.2.1).
 */
async function filledFolders(
  dmp: Pick<Dmp, 'find'>,
  ids: readonly EntryUuid[],
): Promise<ReadonlyMap<EntryUuid, EntryUuid>> {
  if (ids.length === 0) return new Map()
  const { associations } = await dmp.find({ kind: 'GetAssociations', by: 'entryUuid', ids, allVersions: true })
  return new Map(
    associations.flatMap(({ entryUuid, type, source }) => (type === 'HasMember' ? [[entryUuid, source]] : [])),
  )
}

/** The Folders among these ids, with their own members: one left without a visible document is absent. */
async function foldersAmong(dmp: Pick<Dmp, 'find'>, ids: readonly EntryUuid[]): Promise<Found> {
  if (ids.length === 0) return nothing
  const { folders } = await dmp.find({ kind: 'GetFolders', by: 'entryUuid', ids: [...new Set(ids)] })
  if (folders.length === 0) return nothing
  const { associations } = await dmp.find({ kind: 'GetAssociations', ids: folders.map(({ entryUuid }) => entryUuid) })
  return withMembers(dmp, { ...nothing, folders, associations }, false)
}

function distinct<T extends { readonly entryUuid: EntryUuid }>(objects: readonly T[]): readonly T[] {
  return [...new Map(objects.map((object) => [object.entryUuid, object])).values()]
}
