/**
 * PUT of a registered Folder in ITI-65 (2:3.65.4.1.2.1): documents are added to it. XDS adds members by associations of the
 * new SubmissionSet; whatever else the List says differently is not taken over, and said.
 */
import type { Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Folder } from '../metadata/model.ts'
import type { Findings } from '../operations/operations.ts'
import type { Entry, ProvidedBundle, Reporter } from './bundle.ts'
import { requireTag } from './conditional.ts'
import { listWriter } from './list-resource.ts'
import type { ListItem } from './mapping/index.ts'
import type { Exchange } from './parts.ts'
import { toEntryReference } from './relation-targets.ts'

type FolderEntry = ProvidedBundle['folderUpdates'][number]

export interface FolderUpdate {
  readonly entry: FolderEntry
  readonly folder: Folder
  /** Documents that become members: of the Bundle, or registered. */
  readonly added: readonly EntryUuid[]
  readonly warnings: readonly Issue[]
}

/** What the entry adds to the registered Folder; undefined when it is not to be done, which has been reported. */
export async function readFolderUpdate(
  entry: FolderEntry,
  bundle: ProvidedBundle,
  ids: ReadonlyMap<number, EntryUuid>,
  exchange: Exchange,
  report: Reporter,
): Promise<FolderUpdate | undefined> {
  const found = await registered(entry, exchange)
  const [folder] = found?.folders ?? []
  if (found === undefined || folder === undefined) {
    report.error('RM4_2', entry.path, 'No Folder is registered under this id.', 'UnresolvedReferenceException')
    return undefined
  }
  const served = listWriter([found], exchange)(folder)
  requireTag(entry.ifMatch, served)
  const items = itemsOf(entry)
  const members = new Map(found.documents.map((document) => [document.logicalId, document.entryUuid]))
  const stays = new Set<EntryUuid>()
  const added = new Set<EntryUuid>()
  for (const item of items) {
    const inside = bundle.follow(item.reference ?? '')
    const id = inside ? ids.get(inside.index) : await documentOf(item, exchange)
    if (id === undefined)
      report.error(
        'RM4_5',
        item.location,
        'Link a DocumentReference of this Bundle by its fullUrl, or a registered one by DocumentReference/ID.',
        'UnresolvedReferenceException',
      )
    else if ([...members.values()].includes(id)) stays.add(id)
    else added.add(id)
  }
  if ([...members.values()].some((id) => !stays.has(id)))
    report.error(
      'RM4_2',
      `${entry.path}.entry`,
      'Documents are only added to a Folder: send the members that it has as well.',
      'XDSMetadataUpdateOperationError',
    )
  return { entry, folder, added: [...added], warnings: differences(entry, served) }
}

async function registered({ url }: FolderEntry, { parts, context, baseUrl }: Exchange): Promise<Findings | undefined> {
  const id = toListId(url, baseUrl)
  return id && (await parts.operations.find({ kind: 'GetFolders', by: 'any', ids: [id] }, context, { members: true }))
}

/** `List/ID`, or its absolute URL here. */
function toListId(url: string, baseUrl: string): EntryUuid | undefined {
  const relative = url.startsWith(`${baseUrl}/`) ? url.slice(baseUrl.length + 1) : url
  return relative.startsWith('List/') ? toEntryReference(`DocumentReference/${relative.slice(5)}`, baseUrl) : undefined
}

/** The registered document an item names, in its current version. */
async function documentOf({ reference = '' }: ListItem, { parts, context, baseUrl }: Exchange) {
  const id = toEntryReference(reference, baseUrl)
  if (id === undefined) return undefined
  const query = { kind: 'GetDocuments', by: 'any', ids: [id] } as const
  const { documents } = await parts.operations.find(query, context, { relations: false })
  return documents[0]?.entryUuid
}

function itemsOf({ resource, path }: FolderEntry): readonly ListItem[] {
  return (resource.entry ?? []).map(({ item }, index) => ({
    ...(item?.reference === undefined ? {} : { reference: item.reference }),
    location: `${path}.entry[${index}]`,
  }))
}

/** What the source says otherwise than the registry. */
function differences({ resource, path }: Entry<FolderEntry['resource']>, served: FolderEntry['resource']): Issue[] {
  const said = (list: FolderEntry['resource']) => ({
    title: list.title,
    status: list.status,
    note: list.note?.map(({ text }) => text).join('\n'),
    designationType: JSON.stringify(
      list.extension
        ?.filter(({ url }) => url.endsWith('/ihe-designationType'))
        .map(({ valueCodeableConcept }) => valueCodeableConcept?.coding?.map(({ system, code }) => [system, code])),
    ),
  })
  const [asked, kept] = [said(resource), said(served)]
  return (Object.keys(asked) as (keyof typeof asked)[])
    .filter((name) => asked[name] !== kept[name])
    .map((name) => ({
      code: 'XDSExtraMetadataNotSaved',
      severity: 'warning',
      location: path,
      detail: `${name} of a registered Folder does not change here: documents were added, the rest stays.`,
    }))
}
