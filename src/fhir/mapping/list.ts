/**
 * SubmissionSet and Folder → List (MHD 3:4.5.2, 3:4.5.3). designationType holds contentTypeCode, or the codeList of a
 * Folder. The first author is the source, an institution alone is ihe-authorOrg on it, further authors are in extensions.
 * Recipients are written as authors are: organization, person and telecom stay together.
 */
import type { Extension, List } from '@medplum/fhirtypes'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Author, AvailabilityStatus, Code, Folder, Recipient, SubmissionSet } from '../../metadata/model.ts'
import { idOf, writeIds, writeMeta, writeSlots, writeUniqueId } from './attributes.ts'
import { Contained, writeAuthor } from './author.ts'
import { writeConcept } from './coding.ts'
import { writeSubject } from './patient.ts'
import { defined, some } from './reading.ts'
import { ext, profiles, systems } from './terms.ts'
import { type Sibling, writeDateTime } from './time.ts'

export { fromFolderList, fromSubmissionSetList, listKind } from './list-reader.ts'

export interface ListOptions {
  /** References to the members that the caller may see, in order: `DocumentReference/{id}`, `List/{id}`. */
  readonly items: readonly string[]
  /** ISO 8601 instant of the last change. */
  readonly updatedAt?: string
  /** `Patient/{id}` where the door has an id for this patient; the identifier is always given. */
  readonly patientReference?: (patient: PatientKey) => string | undefined
}

export type WrittenList = List & { readonly _date?: Sibling }

export function toSubmissionSetList(set: SubmissionSet, options: ListOptions): WrittenList {
  const contained = new Contained()
  const [first, ...others] = set.authors
  const source = first && sourceOf(first, contained)
  const extension: Extension[] = [
    ...(set.contentTypeCode ? [designation(set.contentTypeCode)] : []),
    { url: ext.sourceId, valueIdentifier: sourceIdOf(set.sourceId) },
    ...set.intendedRecipients.map((each) => ({
      url: ext.intendedRecipient,
      valueReference: writeAuthor(authorOfRecipient(each), contained),
    })),
    ...others.map((each) => ({ url: ext.author, valueReference: writeAuthor(each, contained) })),
  ]
  const complete = set.patientId !== undefined && set.contentTypeCode !== undefined
  const profile = set.limitedMetadata ? profiles.minimal : complete ? profiles.comprehensive : undefined
  return defined<WrittenList>({
    ...common(set, extension, options, 'submissionset', profile?.SubmissionSet),
    contained: some(contained.list),
    source,
    ...writeDateTime('date', set.submissionTime),
  })
}

export function toFolderList(folder: Folder, options: ListOptions): WrittenList {
  const complete = folder.patientId !== undefined && folder.title !== undefined && folder.codes.length > 0
  const profile = folder.limitedMetadata ? profiles.minimal : complete ? profiles.comprehensive : undefined
  return defined<WrittenList>({
    ...common(folder, folder.codes.map(designation), options, 'folder', profile?.Folder),
    ...writeDateTime('date', folder.lastUpdateTime),
  })
}

function common(
  object: SubmissionSet | Folder,
  extension: readonly Extension[],
  options: ListOptions,
  code: 'submissionset' | 'folder',
  profile: string | undefined,
): List {
  const { status, archived } = listStatusOf(object.availabilityStatus)
  const { homeCommunityId, patientId, title, comments } = object
  return defined<List>({
    resourceType: 'List',
    id: idOf(object),
    meta: writeMeta(object, options, profile),
    extension: some([
      ...(archived ? [{ url: ext.isArchived, valueBoolean: true }] : []),
      ...extension,
      ...(homeCommunityId ? [{ url: ext.homeCommunityId, valueUri: homeCommunityId }] : []),
      ...writeSlots(object.extra),
    ]),
    identifier: [...writeIds(object), writeUniqueId(object.uniqueId)],
    status,
    mode: 'working',
    title,
    code: { coding: [{ system: systems.listTypes, code }] },
    subject: patientId && writeSubject(patientId, options.patientReference),
    note: comments === undefined ? undefined : [{ text: comments }],
    entry: some(options.items.map((reference) => ({ item: { reference } }))),
  })
}

function listStatusOf(status: AvailabilityStatus): { status: List['status']; archived: boolean } {
  const statuses = {
    Approved: 'current',
    Archived: 'current',
    Deprecated: 'retired',
    Deleted: 'entered-in-error',
  } as const
  return { status: statuses[status], archived: status === 'Archived' }
}

function designation(code: Code): Extension {
  return { url: ext.designationType, valueCodeableConcept: writeConcept(code) }
}

function sourceIdOf(sourceId: string) {
  const { use, ...identifier } = writeUniqueId(sourceId)
  return identifier
}

/** List.source takes no Organization: MHD puts an institution by itself into ihe-authorOrg. */
function sourceOf(author: Author, contained: Contained): NonNullable<List['source']> {
  const reference = writeAuthor(author, contained)
  const isOrganization = contained.list.some(
    ({ id, resourceType }) => resourceType === 'Organization' && reference.reference === `#${id}`,
  )
  return isOrganization
    ? { extension: [{ url: ext.authorOrg, valueReference: reference }] }
    : (reference as NonNullable<List['source']>)
}

function authorOfRecipient({ organization, person, telecom }: Recipient): Author {
  return defined<Author>({
    person,
    institutions: organization ? [organization] : [],
    roles: [],
    specialties: [],
    telecoms: telecom ? [telecom] : [],
  })
}
