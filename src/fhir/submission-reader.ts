/** From a provided Bundle to a Submission: every violation of the message is collected before anything is refused. */
import { randomUUID } from 'node:crypto'
import type { DocumentReference, Parameters } from '@medplum/fhirtypes'
import { GatewayError, type Issue } from '../errors.ts'
import { type EntryUuid, newEntryUuid, type UniqueId } from '../metadata/identifiers.ts'
import type { Association, AssociationType, Code, DocumentEntry, Folder, Submission } from '../metadata/model.ts'
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
import { targetOf, toEntryReference } from './relation-targets.ts'
import { patientIdIn } from './search-patient.ts'

export interface ReadSubmission {
  readonly submission: Submission
  readonly contents: ReadonlyMap<EntryUuid, DocumentContent>
  /** Index in the Bundle → id of what is stored from it: of a Binary, of its document. */
  readonly ids: ReadonlyMap<number, EntryUuid>
  readonly updates: readonly FolderUpdate[]
  readonly warnings: readonly Issue[]
}

export async function readSubmission(
  bundle: ProvidedBundle,
  received: ReceivedResource,
  exchange: Exchange,
  report: Reporter,
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
  for (const entry of bundle.folderUpdates) {
    const update = await readFolderUpdate(entry, bundle, ids, exchange, report)
    if (update) updates.push(update)
    warnings.push(...(update?.warnings ?? []))
  }
  checkPatches(bundle, relations, exchange, report)
  if (set?.value === undefined || report.issues.length > 0) throw new GatewayError(report.issues)

  const source = set.value.patientId ? set.value : { ...set.value, ...patientOf(entries) }
  const associations = [
    ...entries.map(({ entryUuid }) => associate('HasMember', setUuid, entryUuid, { submissionSetStatus: 'Original' })),
    ...folders.flatMap(({ folder, items }) => folderMembers(folder, items, setUuid, bundle, ids, exchange)),
    ...updates.flatMap(({ folder, added }) => membersOf(folder, added, setUuid)),
    ...(await relate(relations, exchange)),
  ]
  const submission = { submissionSet: source, entries, folders: folders.map(({ folder }) => folder), associations }
  return { submission, contents, ids, updates, warnings }
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
  return [associate('HasMember', setUuid, folder.entryUuid), ...membersOf(folder, members, setUuid)]
}

function membersOf({ entryUuid: folder }: Folder, members: readonly EntryUuid[], setUuid: EntryUuid): Association[] {
  const associations = members.map((member) => associate('HasMember', folder, member))
  const held = associations.map(({ entryUuid }) => associate('HasMember', setUuid, entryUuid))
  return [...associations, ...held.map(original)]
}

/** ITI TF-3 4.2.1.4: what the SubmissionSet submits itself is an original member. */
function original(association: Association): Association {
  return { ...association, submissionSetStatus: 'Original' }
}

export async function relate(
  relations: readonly (ReadRelation & { readonly source: EntryUuid })[],
  exchange: Exchange,
): Promise<Association[]> {
  const associations: Association[] = []
  for (const relation of relations) {
    const { type, source, documentation } = relation
    const target = await targetOf(relation, exchange)
    associations.push(associate(type, source, target, documentation === undefined ? {} : { documentation }))
  }
  return associations
}

export function associate(
  type: AssociationType,
  source: EntryUuid,
  target: EntryUuid,
  more: { readonly submissionSetStatus?: 'Original'; readonly documentation?: Code } = {},
): Association {
  const entryUuid = newEntryUuid()
  return {
    kind: 'Association',
    entryUuid,
    logicalId: entryUuid,
    version: 1,
    type,
    source,
    target,
    availabilityStatus: 'Approved',
    extra: [],
    ...more,
  }
}

/**
 * ITI-65 2:3.65.4.1.2.3 UpdateDocumentRefs: the entry that sets the replaced document to superseded. The replacement
 * does so by itself; the entry must not ask for anything else.
 */
function checkPatches(
  bundle: ProvidedBundle,
  relations: readonly ReadRelation[],
  { baseUrl }: Exchange,
  report: Reporter,
): void {
  const replaced = relations.filter(({ type }) => type === 'RPLC' || type === 'XFRM_RPLC').map(({ target }) => target)
  for (const { resource, path, url } of bundle.patches) {
    const [, token = ''] = /^DocumentReference\?identifier=(.+)$/.exec(url) ?? []
    const target = toEntryReference(url, baseUrl)
    const named = replaced.some(({ reference, identifier }) =>
      target === undefined
        ? token !== '' && identifier?.value !== undefined && decode(token).endsWith(identifier.value)
        : reference !== undefined && toEntryReference(reference, baseUrl) === target,
    )
    if (!named)
      report.error('UpdateDocumentRefs', path, 'Patch only a document that a relatesTo of this Bundle replaces.')
    if (!supersedes(resource))
      report.error('UpdateDocumentRefs', path, 'Patch DocumentReference.status to superseded, and nothing else.')
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

function supersedes({ parameter = [] }: Parameters): boolean {
  const [operation, ...others] = parameter
  const part = (name: string) => operation?.part?.find((each) => each.name === name)
  const value = part('value')
  return (
    others.length === 0 &&
    operation?.name === 'operation' &&
    part('type')?.valueCode === 'replace' &&
    part('path')?.valueString === 'DocumentReference.status' &&
    (value?.valueCode ?? value?.valueString) === 'superseded'
  )
}

/** An OID of its own under 2.25 (ITU-T X.667). */
export function newUniqueId(): UniqueId {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}` as UniqueId
}
