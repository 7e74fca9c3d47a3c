/** From a provided Bundle to a Submission: every violation of the message is collected before anything is refused. */
import { randomUUID } from 'node:crypto'
import type { DocumentReference } from '@medplum/fhirtypes'
import { GatewayError, type Issue } from '../errors.ts'
import { newAssociation, newLink } from '../metadata/association.ts'
import { type EntryUuid, newEntryUuid, type UniqueId } from '../metadata/identifiers.ts'
import type { Association, DocumentEntry, Folder, Submission } from '../metadata/model.ts'
import type { FeedOptions } from '../operations/operations.ts'
import type { DocumentContent } from '../operations/ports.ts'
import type { ReceivedResource } from './body.ts'
import type { Entry, ProvidedBundle, Reporter } from './bundle.ts'
import { type FolderUpdate, readFolderUpdate } from './folder-update.ts'
import {
  type DocumentReadOptions,
  fromDocumentReference,
  fromFolderList,
  fromSubmissionSetList,
  type ListItem,
  type ReadRelation,
} from './mapping/index.ts'
import type { Exchange } from './parts.ts'
import { Targets, toEntryReference } from './relation-targets.ts'
import { patientIdIn } from './search-patient.ts'
import { readSuperseding } from './superseding.ts'

export interface ReadSubmission {
  /** Absent when the message is not understood, which the reporter says. */
  readonly submission: Submission | undefined
  readonly contents: ReadonlyMap<EntryUuid, DocumentContent>
  /** Index in the Bundle → id of what is stored from it: of a Binary, of its document. */
  readonly ids: ReadonlyMap<number, EntryUuid>
  readonly updates: readonly FolderUpdate[]
  /** Where the associations stand in the message. */
  readonly locations: ReadonlyMap<EntryUuid, string>
  readonly options: FeedOptions
  readonly warnings: readonly Issue[]
}

/** @param toFeed whether it is to be fed: Folders that it adds to are then looked up, as long as nothing is wrong. */
export async function readSubmission(
  bundle: ProvidedBundle,
  received: ReceivedResource,
  exchange: Exchange,
  report: Reporter,
  toFeed: () => boolean,
): Promise<ReadSubmission> {
  const warnings: Issue[] = []
  const sort = (issues: readonly Issue[]): void => {
    for (const issue of issues) (issue.severity === 'warning' ? warnings : report.issues).push(issue)
  }
  const options = readOptions(bundle, exchange)
  const ids = new Map<number, EntryUuid>()
  const contents = new Map<EntryUuid, DocumentContent>()
  const relations: (ReadRelation & { readonly source: EntryUuid })[] = []

  const entries = bundle.documents.flatMap((entry): DocumentEntry[] => {
    const entryUuid = newEntryUuid()
    ids.set(entry.index, entryUuid)
    const read = fromDocumentReference(entry.resource, { ...options, path: entry.path, assign: { entryUuid } })
    sort(read.issues)
    relations.push(...read.relations.map((relation) => ({ ...relation, source: entryUuid })))
    attach(entry, entryUuid, bundle, received, ids, contents)
    return read.entry ? [read.entry] : []
  })
  const folders = bundle.folders.flatMap((entry): { folder: Folder; items: readonly ListItem[] }[] => {
    const entryUuid = newEntryUuid()
    ids.set(entry.index, entryUuid)
    const assign = { entryUuid, uniqueId: newUniqueId() }
    const { value, items, issues } = fromFolderList(entry.resource, { ...options, path: entry.path, assign })
    sort(issues)
    return value ? [{ folder: value, items }] : []
  })
  const [list] = bundle.sets
  const setUuid = newEntryUuid()
  if (list) ids.set(list.index, setUuid)
  const set =
    list &&
    fromSubmissionSetList(list.resource, {
      ...options,
      path: list.path,
      assign: { entryUuid: setUuid, uniqueId: newUniqueId() },
    })
  if (set) sort(set.issues)
  const updates: FolderUpdate[] = []
  for (const entry of toFeed() ? bundle.folderUpdates : []) {
    const update = await readFolderUpdate(entry, bundle, ids, exchange, report)
    if (update) updates.push(update)
    warnings.push(...(update?.warnings ?? []))
  }
  const targets = new Targets(exchange.baseUrl)
  const superseded = readSuperseding(bundle, targets, report)
  if (set?.value === undefined || entries.length < bundle.documents.length || folders.length < bundle.folders.length)
    return { submission: undefined, contents, ids, updates, warnings, locations: new Map(), options: {} }

  const source = set.value.patientId ? set.value : { ...set.value, ...patientOf(entries) }
  const related = relate(relations, targets)
  const associations = [
    ...entries.map(({ entryUuid }) => newLink('HasMember', setUuid, entryUuid)),
    ...folders.flatMap(({ folder, items }) => folderMembers(folder, items, setUuid, bundle, ids, exchange)),
    ...updates.flatMap(({ folder, added }) => membersOf(folder, added, setUuid)),
    ...related.associations,
  ]
  const submission = { submissionSet: source, entries, folders: folders.map(({ folder }) => folder), associations }
  const { locations } = related
  return { submission, contents, ids, updates, warnings, locations, options: { targets: targets.standIns, superseded } }
}

/** How the resources of a message are read: references lead into it, patients to who they are here. */
function readOptions(
  bundle: ProvidedBundle,
  exchange: Exchange,
): Pick<DocumentReadOptions, 'profile' | 'resolve' | 'resolvePatient' | 'limitedMetadata'> {
  return {
    profile: exchange.parts.profile,
    limitedMetadata: bundle.level === 'minimal',
    resolve: (reference) => bundle.follow(reference)?.resource,
    resolvePatient: patientResolver(exchange),
  }
}

export function patientResolver({ patientIds, baseUrl }: Exchange): NonNullable<DocumentReadOptions['resolvePatient']> {
  return (reference) => {
    const id = patientIdIn(reference, baseUrl)
    return id === undefined ? undefined : patientIds.fromId(id)
  }
}

function attach(
  { resource }: Entry<DocumentReference>,
  entryUuid: EntryUuid,
  bundle: ProvidedBundle,
  received: ReceivedResource,
  ids: Map<number, EntryUuid>,
  contents: Map<EntryUuid, DocumentContent>,
): void {
  const binary = bundle.follow(resource.content?.[0]?.attachment?.url ?? '')
  if (binary?.resource.resourceType !== 'Binary') return
  const content = received.document(binary.resource.data)
  ids.set(binary.index, entryUuid)
  if (content) contents.set(entryUuid, content)
}

function patientOf([entry]: readonly DocumentEntry[]): Pick<DocumentEntry, 'patientId'> | undefined {
  return entry && { patientId: entry.patientId }
}

/** T7: what a Folder holds, and the SubmissionSet's hold on that. */
function folderMembers(
  folder: Folder,
  items: readonly ListItem[],
  setUuid: EntryUuid,
  bundle: ProvidedBundle,
  ids: ReadonlyMap<number, EntryUuid>,
  { baseUrl }: Exchange,
): Association[] {
  const members = items.map(({ reference = '', location }) => {
    const inside = bundle.follow(reference)
    const target = inside ? ids.get(inside.index) : toEntryReference(reference, baseUrl)
    if (target === undefined)
      throw new GatewayError({
        code: 'UnresolvedReferenceException',
        location,
        detail: 'Send a DocumentReference of this Bundle or DocumentReference/ID.',
      })
    return target
  })
  return [newAssociation('HasMember', setUuid, folder.entryUuid), ...membersOf(folder, members, setUuid)]
}

function membersOf({ entryUuid: folder }: Folder, members: readonly EntryUuid[], setUuid: EntryUuid): Association[] {
  const associations = members.map((member) => newAssociation('HasMember', folder, member))
  const held = associations.map(({ entryUuid }) => newAssociation('HasMember', setUuid, entryUuid))
  return [...associations, ...held.map(original)]
}

/** ITI TF-3 4.2.1.4: what the SubmissionSet submits itself is an original member. */
function original(association: Association): Association {
  return { ...association, submissionSetStatus: 'Original' }
}

export interface Related {
  readonly associations: readonly Association[]
  /** FHIRPath of the target of each, by its entryUUID. */
  readonly locations: ReadonlyMap<EntryUuid, string>
}

/** Targets are looked up when the submission is fed. */
export function relate(
  relations: readonly (ReadRelation & { readonly source: EntryUuid })[],
  targets: Targets,
): Related {
  const locations = new Map<EntryUuid, string>()
  const associations = relations.map(({ type, source, target, documentation, location }) => {
    const id = targets.idOf(target)
    if (id === undefined)
      throw new GatewayError({
        code: 'UnresolvedReferenceException',
        location: `${location}.target`,
        detail: 'Send DocumentReference/ID, or the identifier of a registered document with its system and value.',
      })
    const association = newAssociation(type, source, id, documentation === undefined ? {} : { documentation })
    locations.set(association.entryUuid, `${location}.target`)
    return association
  })
  return { associations, locations }
}

/** An OID of its own under 2.25 (ITU-T X.667). */
export function newUniqueId(): UniqueId {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}` as UniqueId
}
