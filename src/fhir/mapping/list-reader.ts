/**
 * List → SubmissionSet or Folder, the way back of list.ts. Left out without a word: id, identifiers that name the list
 * for the source only (the gateway assigns entryUUID), text, and ihe-sourcePatientId, which repeats the documents' own.
 */
import type { Identifier, List, Reference } from '@medplum/fhirtypes'
import type { Issue } from '../../errors.ts'
import { formatXon, formatXtn } from '../../metadata/hl7.ts'
import type { Dtm, EntryUuid, UniqueId } from '../../metadata/identifiers.ts'
import type { Author, AvailabilityStatus, Code, Folder, Recipient, SubmissionSet } from '../../metadata/model.ts'
import { claimsMinimal, readIdentity, readSlots, readUniqueId } from './attributes.ts'
import { readAuthor } from './author.ts'
import { readConcept } from './coding.ts'
import { readSubject } from './patient.ts'
import { defined, extensionOf, extensionsOf, Reading, type ReadOptions } from './reading.ts'
import { ext, systems } from './terms.ts'
import { readTime, type Sibling } from './time.ts'

export interface ListReadOptions extends ReadOptions {
  /**
   * Publication: the identity that the gateway gives; `uniqueId` for a list that carries none (optional since MHD 4.2.2).
   * Absent: the list is one this gateway wrote.
   */
  readonly assign?: { readonly entryUuid: EntryUuid; readonly uniqueId: UniqueId }
  readonly limitedMetadata?: boolean
}

/** A member: the door finds it by reference or by identifier. */
export interface ListItem {
  readonly reference?: string
  readonly identifier?: Identifier
  /** FHIRPath of the entry. */
  readonly location: string
}

export interface ReadList<T> {
  /** Undefined when one of the issues is an error. */
  readonly value: T | undefined
  readonly items: readonly ListItem[]
  readonly issues: readonly Issue[]
}

/** What a List is, by its code of MHDlistTypes. */
export function listKind({ code }: List): 'submissionset' | 'folder' | undefined {
  const codes = code?.coding?.filter(({ system }) => system?.replace(/^http:/, 'https:') === systems.listTypes)
  const found = codes?.find((each) => each.code === 'submissionset' || each.code === 'folder')?.code
  return found as 'submissionset' | 'folder' | undefined
}

const setExtensions = [
  ext.isArchived,
  ext.designationType,
  ext.sourceId,
  ext.intendedRecipient,
  ext.author,
  ext.homeCommunityId,
  ext.slot,
  ext.sourcePatient,
]
const folderExtensions = [ext.isArchived, ext.designationType, ext.homeCommunityId, ext.slot]

export function fromSubmissionSetList(list: List, options: ListReadOptions): ReadList<SubmissionSet> {
  const reading = new Reading(list, options)
  const { path, problems } = reading
  reading.extensions(list, path, setExtensions)
  const shared = readCommon(list, options, reading)
  const source = extensionOf(list, ext.sourceId)?.valueIdentifier
  const sourceId = source
    ? readUniqueId(source, at(list, ext.sourceId, path), reading, 'SSLIST410_2')
    : problems.error(
        `${path}.extension`,
        `Send the sourceId of the system: extension ${ext.sourceId} with valueIdentifier.`,
        { rule: 'SSLIST410_2' },
      )
  const submissionTime =
    readDate(list, reading) ??
    (list.date === undefined
      ? problems.error(`${path}.date`, 'Send the time of submission.', { rule: 'SSLIST_3' })
      : undefined)
  const codes = readDesignations(list, reading)
  if (codes.length > 1)
    problems.error(
      at(list, ext.designationType, path),
      'A SubmissionSet has one contentTypeCode: send one designationType.',
    )
  const authors = readAuthors(list, reading)
  const intendedRecipients = extensionsOf(list, ext.intendedRecipient).flatMap(({ valueReference }) => {
    const location = at(list, ext.intendedRecipient, path)
    return (valueReference && readRecipient(valueReference, location, reading)) ?? []
  })
  if (list.mode !== 'working') problems.error(`${path}.mode`, 'Send mode working.')
  const items = readItems(list, reading)
  if (problems.failed || !shared || !sourceId || !submissionTime)
    return { value: undefined, items, issues: problems.issues }
  const value = defined<SubmissionSet>({
    kind: 'SubmissionSet',
    ...shared,
    limitedMetadata: options.limitedMetadata ?? claimsMinimal(list.meta, 'SubmissionSet'),
    sourceId,
    submissionTime,
    contentTypeCode: codes[0],
    authors,
    intendedRecipients,
  })
  return { value, items, issues: problems.issues }
}

export function fromFolderList(list: List, options: ListReadOptions): ReadList<Folder> {
  const reading = new Reading(list, options)
  const { path, problems } = reading
  reading.extensions(list, path, folderExtensions)
  const shared = readCommon(list, options, reading)
  const lastUpdateTime = readDate(list, reading)
  const codes = readDesignations(list, reading)
  reading.unmapped(list, path, { source: 'A Folder has no author.' })
  const items = readItems(list, reading)
  if (problems.failed || !shared) return { value: undefined, items, issues: problems.issues }
  const value = defined<Folder>({
    kind: 'Folder',
    ...shared,
    limitedMetadata: options.limitedMetadata ?? claimsMinimal(list.meta, 'Folder'),
    codes,
    lastUpdateTime,
  })
  return { value, items, issues: problems.issues }
}

type Common = Omit<Folder, 'kind' | 'limitedMetadata' | 'codes' | 'lastUpdateTime'>

function readCommon(list: List, options: ListReadOptions, reading: Reading): Common | undefined {
  const { path, problems } = reading
  const { assign } = options
  if (list.implicitRules !== undefined)
    problems.error(`${path}.implicitRules`, 'Leave implicitRules out: no such rules are known here.')
  reading.unmapped(list, path, {
    encounter: 'A list has no encounter in XDS.',
    orderedBy: 'The members of a list have no order in XDS.',
    emptyReason: 'An empty list says no reason in XDS.',
  })
  const identity = assign
    ? { entryUuid: assign.entryUuid, logicalId: assign.entryUuid, version: 1 }
    : readIdentity(list, reading)
  const uniqueId = readListUniqueId(list, reading) ?? assign?.uniqueId
  const availabilityStatus = readStatus(list, reading, assign !== undefined)
  const patientId = list.subject && readSubject(list.subject, `${path}.subject`, reading)
  const extra = readSlots(list, path, reading)
  if (uniqueId === undefined)
    problems.error(`${path}.identifier`, 'Send the uniqueId: use usual, value urn:oid:…', { rule: 'SSLIST_4' })
  if (!identity || !uniqueId || !availabilityStatus) return undefined
  return defined<Common>({
    ...identity,
    uniqueId,
    availabilityStatus,
    patientId,
    homeCommunityId: extensionOf(list, ext.homeCommunityId)?.valueUri,
    title: list.title,
    comments: list.note?.map(({ text }) => text).join('\n'),
    extra,
  })
}

/** The identifier with use `usual`, else one that is an OID: sources differ, entryUUIDs are UUIDs. */
function readListUniqueId(list: List, reading: Reading): UniqueId | undefined {
  const ids = list.identifier ?? []
  const usual = ids.findIndex(({ use }) => use === 'usual')
  const index =
    usual >= 0 ? usual : ids.findIndex(({ use, value }) => use === undefined || value?.startsWith('urn:oid:'))
  const identifier = ids[index]
  return identifier && readUniqueId(identifier, `${reading.path}.identifier[${index}]`, reading, 'SSLIST_4')
}

function readStatus(list: List, { path, problems }: Reading, publishing: boolean): AvailabilityStatus | undefined {
  const archived = extensionOf(list, ext.isArchived)?.valueBoolean === true
  if (list.status === 'current') return archived && !publishing ? 'Archived' : 'Approved'
  if (publishing || archived) return problems.error(`${path}.status`, 'Send status current.', { rule: 'SSLIST_5' })
  if (list.status === 'retired') return 'Deprecated'
  if (list.status === 'entered-in-error') return 'Deleted'
  return problems.error(`${path}.status`, 'Send current, retired or entered-in-error.', { rule: 'SSLIST_5' })
}

function readDate(list: List & { _date?: Sibling }, { path, problems }: Reading): Dtm | undefined {
  return readTime(list.date, list._date, `${path}.date`, problems)
}

function readDesignations(list: List, reading: Reading): readonly Code[] {
  const location = at(list, ext.designationType, reading.path)
  return extensionsOf(list, ext.designationType).flatMap(
    ({ valueCodeableConcept }) => readConcept(valueCodeableConcept, location, reading, 'CMPMETA4_2') ?? [],
  )
}

/** The source with its ihe-authorOrg, and the further authors. */
function readAuthors(list: List, reading: Reading): readonly Author[] {
  const location = `${reading.path}.source`
  const { source } = list
  const named = source && (source.reference ?? source.identifier ?? source.display) !== undefined
  const first = named ? readAuthor(source, location, reading, 'DR_8') : undefined
  const organizations = extensionsOf(source, ext.authorOrg).flatMap(
    ({ valueReference }) => (valueReference && readAuthor(valueReference, `${location}.extension`, reading)) ?? [],
  )
  const main = organizations.reduce<Author | undefined>(withOrganization, first)
  const others = extensionsOf(list, ext.author).flatMap(
    ({ valueReference }) =>
      (valueReference && readAuthor(valueReference, at(list, ext.author, reading.path), reading)) ?? [],
  )
  return [...(main ? [main] : []), ...others]
}

/** The organization a source belongs to (MHD): part of the same author. */
function withOrganization(author: Author | undefined, organization: Author): Author {
  if (author === undefined) return organization
  const known = new Set([...author.institutions.map(formatXon), ...author.telecoms.map(formatXtn)])
  return {
    ...author,
    institutions: [...author.institutions, ...organization.institutions.filter((each) => !known.has(formatXon(each)))],
    telecoms: [...author.telecoms, ...organization.telecoms.filter((each) => !known.has(formatXtn(each)))],
  }
}

function readRecipient(reference: Reference, location: string, reading: Reading): Recipient | undefined {
  const author = readAuthor(reference, location, reading, 'DR_8')
  if (author === undefined) return undefined
  const { person, institutions, telecoms } = author
  if (institutions.length > 1 || telecoms.length > 1)
    reading.problems.lost(location, 'A recipient has one organization and one telecom: the first of each is kept.')
  return defined<Recipient>({ organization: institutions[0], person, telecom: telecoms[0] })
}

function readItems(list: List, reading: Reading): readonly ListItem[] {
  const { problems } = reading
  return (list.entry ?? []).flatMap((entry, index) => {
    const location = `${reading.path}.entry[${index}]`
    reading.extensions(entry, location, [])
    if (entry.deleted === true) problems.error(`${location}.deleted`, 'Leave removed members out of the list.')
    const { reference, identifier } = entry.item ?? {}
    if (reference === undefined && identifier?.value === undefined)
      return problems.error(`${location}.item`, 'Send a reference to the member, or its identifier.') ?? []
    return { ...(reference !== undefined && { reference }), ...(identifier && { identifier }), location }
  })
}

/** Where an extension of the list stands; the first when it repeats. */
function at(list: List, url: string, path: string): string {
  return `${path}.extension[${list.extension?.findIndex((each) => each.url === url) ?? 0}]`
}
