/**
 * The stored queries of ITI-18, composed of what a registry answers directly (ITI TF-2 3.18.4.1.2.3.7). Each gives what
 * was found, and how the answer is cut out of what the filter leaves of it.
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
  if (metadataLevel === 2) return compose({ find: (part) => dmp.find(withAllVersions(part)) }, query)
  const { found, answer } = await compose(dmp, query)
  return { found: metadataLevel === 1 ? await currentOnly(dmp, found) : found, answer }
}

type Finder = Pick<Dmp, 'find'>

function withAllVersions(part: RegistryQuery): RegistryQuery {
  return part.kind === 'FindSubmissionSets' ? part : { ...part, allVersions: true }
}

/** Level 1: no earlier version, no Deprecated folder or association; the registry gives links of current versions only. */
async function currentOnly(dmp: Dmp, found: Found): Promise<Found> {
  const inForce = found.folders.filter(({ availabilityStatus }) => availabilityStatus !== 'Deprecated')
  const current =
    inForce.length === 0 ? [] : (await dmp.find({ kind: 'GetFolders', by: 'any', ids: idsOf(inForce) })).folders
  const latest = new Set(idsOf(current))
  return {
    ...found,
    documents: found.documents.filter(({ superseded }) => !superseded),
    folders: inForce.filter(({ entryUuid }) => latest.has(entryUuid)),
    associations: found.associations.filter(({ availabilityStatus }) => availabilityStatus !== 'Deprecated'),
  }
}

async function compose(dmp: Finder, query: StoredQuery): Promise<Collected> {
  const find = (part: RegistryQuery) => dmp.find(part)
  const touching = async (ids: readonly EntryUuid[]): Promise<readonly Association[]> =>
    ids.length === 0 ? [] : (await find({ kind: 'GetAssociations', ids })).associations
  switch (query.kind) {
    case 'GetAssociations':
      return { found: await find(query), answer: ({ associations }) => ({ ...nothing, associations }) }
    case 'FindDocuments':
    case 'GetDocuments':
    case 'FindSubmissionSets':
    case 'GetSubmissionSets':
    case 'FindFolders':
    case 'GetFolders':
      return { found: await find(query), answer: all }
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
      const asked = new Set(query.ids)
      const members = (await touching(query.ids)).filter((each) => isMembership(each) && asked.has(each.target))
      const { submissionSets } = await find({ kind: 'GetSubmissionSets', by: 'entryUuid', ids: sourcesOf(members) })
      return { found: { ...nothing, submissionSets, associations: from(members, submissionSets) }, answer: holders }
    }
    case 'GetSubmissionSetAndContents':
    case 'GetFolderAndContents':
      return contents(dmp, query)
    case 'GetFoldersForDocument': {
      const { documents } = await find({ kind: 'GetDocuments', by: query.by, ids: query.ids })
      const members = withStatus(await touching(idsOf(documents)), query).filter(isMembership)
      const { folders } = await find({ kind: 'GetFolders', by: 'entryUuid', ids: sourcesOf(members) })
      return {
        found: { ...nothing, documents, folders, associations: from(members, folders) },
        answer: (kept) => ({ ...nothing, folders: holders(kept).folders }),
      }
    }
    case 'GetRelatedDocuments': {
      const asked = await find({ kind: 'GetDocuments', by: query.by, ids: [query.id] })
      const types = new Set(query.associationTypes)
      const related = withStatus(await touching(idsOf(asked.documents)), query).filter(({ type }) => types.has(type))
      const documents = await matching(dmp, endsOf(related), query)
      const there = new Set(idsOf(documents))
      const associations = related.filter(({ source, target }) => there.has(source) && there.has(target))
      return { found: { ...nothing, documents, associations }, answer: linked }
    }
  }
}

/** Packages that still hold what was asked about, and what says so. */
function holders(kept: Found): Found {
  const sources = new Set(sourcesOf(kept.associations))
  const isHolder = ({ entryUuid }: { readonly entryUuid: EntryUuid }) => sources.has(entryUuid)
  return { ...kept, submissionSets: kept.submissionSets.filter(isHolder), folders: kept.folders.filter(isHolder) }
}

/** Documents that are still related, and what relates them. */
function linked({ documents, associations }: Found): Found {
  const ends = new Set(endsOf(associations))
  return { ...nothing, documents: documents.filter(({ entryUuid }) => ends.has(entryUuid)), associations }
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
  const others = targets.filter((id) => !documents.some(({ entryUuid }) => entryUuid === id))
  const { folders } = await dmp.find({ kind: 'GetFolders', by: 'entryUuid', ids: others })
  // A SubmissionSet also holds associations: those that put documents into folders.
  const held = (await dmp.find({ kind: 'GetAssociations', by: 'entryUuid', ids: others })).associations
  const leftOut = new Set(others)
  const filings = held.filter(({ target }) => !leftOut.has(target))
  const there = new Set<EntryUuid>(idsOf([...documents, ...folders, ...filings]))
  return {
    found: {
      documents,
      submissionSets,
      folders: [...asked, ...folders],
      associations: [...members.filter(({ target }) => there.has(target)), ...filings],
    },
    // What a package holds is not shown without the package.
    answer: (kept) => (kept.submissionSets.length + kept.folders.length === 0 ? nothing : kept),
  }
}

/** Documents under these ids that match the criteria of the query. */
async function matching(
  dmp: Finder,
  ids: readonly EntryUuid[],
  { criteria }: { readonly criteria: Extract<RegistryQuery, { kind: 'FindDocuments' }>['criteria'] },
): Promise<Found['documents']> {
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids })
  if (Object.values(criteria).every((value) => value === undefined)) return documents
  const kept = new Set<EntryUuid>()
  for (const patient of new Set(documents.map((document) => document.patient))) {
    const query = { kind: 'FindDocuments', patient, statuses: everyStatus, allVersions: true } as const
    const found = await dmp.find({ ...query, criteria: { ...criteria, entryUuids: idsOf(documents) } })
    for (const id of idsOf(found.documents)) kept.add(id)
  }
  return documents.filter(({ entryUuid }) => kept.has(entryUuid))
}

const everyStatus = ['Approved', 'Deprecated', 'Archived', 'Deleted'] as const

function idsOf(objects: readonly { readonly entryUuid: EntryUuid }[]): EntryUuid[] {
  return objects.map(({ entryUuid }) => entryUuid)
}

function sourcesOf(associations: readonly Association[]): EntryUuid[] {
  return [...new Set(associations.map(({ source }) => source))]
}

function endsOf(associations: readonly Association[]): EntryUuid[] {
  return [...new Set(associations.flatMap(({ source, target }) => [source, target]))]
}

function from(
  associations: readonly Association[],
  objects: readonly { readonly entryUuid: EntryUuid }[],
): readonly Association[] {
  const sources = new Set(idsOf(objects))
  return associations.filter(({ source }) => sources.has(source))
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
