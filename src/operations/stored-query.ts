/**
 * The stored queries of ITI-18, composed of what a registry answers directly (ITI TF-2 3.18.4.1.2.3.7). Each gives what
 * was found, with whatever the filter needs to judge it, and how the answer is cut out of what is left.
 */
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Association } from '../metadata/model.ts'
import type { StoredQuery } from './operations.ts'
import type { Dmp, Found, RegistryQuery } from './ports.ts'

export interface Collected {
  readonly found: Found
  /** The answer, from what the filter left. */
  readonly answer: (kept: Found) => Found
}

export const nothing: Found = { documents: [], submissionSets: [], folders: [], associations: [] }

const all = (kept: Found): Found => kept

/** What a query finds, at the metadata level of whoever asks (FindOptions). */
export async function collect(dmp: Dmp, query: StoredQuery, metadataLevel?: 1 | 2): Promise<Collected> {
  // FindDocuments looks at current versions only, unless it is told otherwise.
  if (metadataLevel === undefined || (metadataLevel === 1 && query.kind === 'FindDocuments')) return compose(dmp, query)
  if (metadataLevel === 2) return compose({ find: (part) => dmp.find(withAllVersions(part)) }, query)
  const { found, answer } = await compose(dmp, query)
  const kept = await currentOnly(dmp, found)
  return { found: kept, answer }
}

type Finder = Pick<Dmp, 'find'>

function withAllVersions(part: RegistryQuery): RegistryQuery {
  return part.kind === 'GetAssociations' || part.kind === 'FindSubmissionSets' ? part : { ...part, allVersions: true }
}

/** Level 1: no earlier version, no Deprecated folder or association, and no association to what is left out. */
async function currentOnly(dmp: Dmp, found: Found): Promise<Found> {
  const [documents, folders] = await Promise.all([
    superseded(dmp, 'GetDocuments', found.documents),
    superseded(dmp, 'GetFolders', found.folders),
  ])
  const isThere = ({ entryUuid }: { readonly entryUuid: EntryUuid }) => !documents.has(entryUuid)
  const isFolder = ({ entryUuid, availabilityStatus }: Found['folders'][number]) =>
    !folders.has(entryUuid) && availabilityStatus !== 'Deprecated'
  return {
    documents: found.documents.filter(isThere),
    submissionSets: found.submissionSets,
    folders: found.folders.filter(isFolder),
    associations: found.associations.filter(
      ({ availabilityStatus, source, target }) =>
        availabilityStatus !== 'Deprecated' && ![source, target].some((id) => documents.has(id) || folders.has(id)),
    ),
  }
}

/** Those that are not the current version of their logical object. */
async function superseded(
  dmp: Dmp,
  kind: 'GetDocuments' | 'GetFolders',
  objects: readonly { readonly entryUuid: EntryUuid }[],
): Promise<ReadonlySet<EntryUuid>> {
  const ids = idsOf(objects)
  if (ids.length === 0) return new Set()
  const found = await dmp.find({ kind, by: 'any', ids })
  const current = new Set(idsOf([...found.documents, ...found.folders]))
  return new Set(ids.filter((id) => !current.has(id)))
}

async function compose(dmp: Finder, query: StoredQuery): Promise<Collected> {
  const find = (part: RegistryQuery) => dmp.find(part)
  const touching = async (ids: readonly EntryUuid[]): Promise<readonly Association[]> =>
    ids.length === 0 ? [] : (await find({ kind: 'GetAssociations', ids })).associations
  switch (query.kind) {
    case 'FindDocuments':
    case 'GetDocuments':
      return { found: await find(query), answer: all }
    case 'GetAssociations':
      return { found: await find(query), answer: ({ associations }) => ({ ...nothing, associations }) }
    case 'FindSubmissionSets':
    case 'GetSubmissionSets': {
      const { submissionSets } = await find(query)
      const found = { ...nothing, submissionSets, associations: await touching(idsOf(submissionSets)) }
      return { found, answer: (kept) => ({ ...nothing, submissionSets: kept.submissionSets }) }
    }
    case 'FindFolders':
    case 'GetFolders': {
      const { folders } = await find(query)
      const found = { ...nothing, folders, associations: await touching(idsOf(folders)) }
      return { found, answer: (kept) => ({ ...nothing, folders: kept.folders }) }
    }
    case 'GetAll': {
      const { patient, criteria, documentStatuses, submissionSetStatuses, folderStatuses } = query
      const [{ documents }, { submissionSets }, { folders }] = await Promise.all([
        find({ kind: 'FindDocuments', patient, statuses: documentStatuses, criteria }),
        find({ kind: 'FindSubmissionSets', patient, statuses: submissionSetStatuses, criteria: {} }),
        find({ kind: 'FindFolders', patient, statuses: folderStatuses, criteria: {} }),
      ])
      const associations = await touching(idsOf([...documents, ...submissionSets, ...folders]))
      return { found: { documents, submissionSets, folders, associations }, answer: all }
    }
    case 'GetDocumentsAndAssociations': {
      const { documents } = await find({ kind: 'GetDocuments', by: query.by, ids: query.ids })
      const associations = await touching(idsOf(documents))
      return { found: { ...nothing, documents, associations: withStatus(associations, query) }, answer: all }
    }
    case 'GetSubmissionSetsOf': {
      const members = (await touching(query.ids))
        .filter(isMembership)
        .filter(({ target }) => query.ids.includes(target))
      const { submissionSets } = await find({ kind: 'GetSubmissionSets', by: 'entryUuid', ids: sourcesOf(members) })
      const sets = new Set(idsOf(submissionSets))
      return {
        found: { ...nothing, submissionSets, associations: members.filter(({ source }) => sets.has(source)) },
        answer: all,
      }
    }
    case 'GetSubmissionSetAndContents':
    case 'GetFolderAndContents':
      return contents(dmp, query)
    case 'GetFoldersForDocument': {
      const { documents } = await find({ kind: 'GetDocuments', by: query.by, ids: query.ids })
      const members = withStatus((await touching(idsOf(documents))).filter(isMembership), query)
      const { folders } = await find({ kind: 'GetFolders', by: 'entryUuid', ids: sourcesOf(members) })
      const ids = new Set(idsOf(folders))
      const associations = members.filter(({ source }) => ids.has(source))
      return {
        found: { documents, submissionSets: [], folders, associations },
        answer: (kept) => ({ ...nothing, folders: kept.folders }),
      }
    }
    case 'GetRelatedDocuments': {
      const asked = await find({ kind: 'GetDocuments', by: query.by, ids: [query.id] })
      const types = new Set(query.associationTypes)
      const related = (await touching(idsOf(asked.documents))).filter(({ type }) => types.has(type))
      const ends = related.flatMap(({ source, target }) => [source, target])
      const documents = await matching(dmp, [...new Set([...ends, ...idsOf(asked.documents)])], query)
      const ids = new Set(idsOf(documents))
      const associations = related.filter(({ source, target }) => ids.has(source) && ids.has(target))
      return { found: associations.length === 0 ? nothing : { ...nothing, documents, associations }, answer: all }
    }
  }
}

/** A SubmissionSet or a Folder, its members, and the associations that make them members. */
async function contents(
  dmp: Finder,
  query: Extract<StoredQuery, { kind: 'GetSubmissionSetAndContents' | 'GetFolderAndContents' }>,
): Promise<Collected> {
  const kind = query.kind === 'GetFolderAndContents' ? 'GetFolders' : 'GetSubmissionSets'
  const { submissionSets, folders: asked } = await dmp.find({ kind, by: query.by, ids: [query.id] })
  const packages = new Set(idsOf([...submissionSets, ...asked]))
  if (packages.size === 0) return { found: nothing, answer: all }
  const around = (await dmp.find({ kind: 'GetAssociations', ids: [...packages] })).associations
  const members = withStatus(around, query).filter((each) => isMembership(each) && packages.has(each.source))
  const targets = members.map(({ target }) => target)
  const documents = await matching(dmp, targets, query)
  const { folders } = await dmp.find({ kind: 'GetFolders', by: 'entryUuid', ids: targets })
  // A SubmissionSet also holds associations: those that put documents into folders.
  const inFolders = (await dmp.find({ kind: 'GetAssociations', ids: idsOf(folders) })).associations
  const held = inFolders.filter(({ entryUuid }) => targets.includes(entryUuid))
  const there = new Set<EntryUuid>(idsOf([...documents, ...folders, ...held]))
  return {
    found: {
      documents,
      submissionSets,
      folders: [...asked, ...folders],
      associations: [...members.filter(({ target }) => there.has(target)), ...held],
    },
    answer: all,
  }
}

/** Documents under these ids that match the criteria of the query. */
async function matching(
  dmp: Finder,
  ids: readonly EntryUuid[],
  { criteria }: { readonly criteria: Extract<RegistryQuery, { kind: 'FindDocuments' }>['criteria'] },
): Promise<Found['documents']> {
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids })
  const [first] = documents
  if (first === undefined || Object.values(criteria).every((value) => value === undefined)) return documents
  const { documents: found } = await dmp.find({
    kind: 'FindDocuments',
    patient: first.patient,
    statuses: ['Approved', 'Deprecated', 'Archived', 'Deleted'],
    criteria: { ...criteria, entryUuids: documents.map(({ entryUuid }) => entryUuid) },
  })
  const kept = new Set(idsOf(found))
  return documents.filter(({ entryUuid }) => kept.has(entryUuid))
}

function idsOf(objects: readonly { readonly entryUuid: EntryUuid }[]): EntryUuid[] {
  return objects.map(({ entryUuid }) => entryUuid)
}

function sourcesOf(associations: readonly Association[]): EntryUuid[] {
  return [...new Set(associations.map(({ source }) => source))]
}

function isMembership({ type }: Association): boolean {
  return type === 'HasMember'
}

function withStatus(
  associations: readonly Association[],
  { associationStatuses }: { readonly associationStatuses?: readonly Association['availabilityStatus'][] },
): readonly Association[] {
  return associationStatuses === undefined
    ? associations
    : associations.filter(({ availabilityStatus }) => associationStatuses.includes(availabilityStatus))
}
