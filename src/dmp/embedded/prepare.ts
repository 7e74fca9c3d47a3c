/** A submission made ready for the writer: what the registry sets is set, and rows are laid out. Pure. */
import { GatewayError, type Issue } from '../../errors.ts'
import { type Cx, patientKeyOf } from '../../metadata/hl7.ts'
import type { EntryUuid, Oid, PatientKey } from '../../metadata/identifiers.ts'
import type { Association, DocumentEntry, RegistryObject, Submission, SubmissionSet } from '../../metadata/model.ts'
import type { AccessRecord, MetadataUpdate } from '../../operations/ports.ts'
import { prepareRecord } from './access-log.ts'
import type {
  FeedCommand,
  PreparedAssociation,
  PreparedContent,
  PreparedEntry,
  PreparedPackage,
  PreparedVersion,
  UpdateCommand,
} from './commands.ts'

/** How this store answers what the standards leave to it. */
export interface StoreRules {
  readonly repositoryUniqueId: Oid
  readonly duplicates: FeedCommand['duplicates']
  readonly otherPatients: FeedCommand['otherPatients']
}

export interface PreparedFeed {
  readonly command: FeedCommand
  /** As stored: what the receipt tells. */
  readonly submissionSet: SubmissionSet
  readonly entries: readonly DocumentEntry[]
}

/**
 * Checks that every document has its entry, every stable entry its document, and that hash, size and patient agree. An
 * entry may come without its document where metadata alone are registered (ITI-42). Throws GatewayError with all that
 * does not agree.
 */
export function checkFeed(
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, { readonly sha1: string; readonly size: number }>,
  register: boolean,
): PatientKey {
  const { submissionSet, entries, folders } = submission
  const issues: Issue[] = []
  for (const { entryUuid, hash, size, stability } of entries) {
    const content = contents.get(entryUuid)
    if (content === undefined) {
      if (stability === 'stable' && !register) issues.push({ code: 'XDSMissingDocument', location: entryUuid })
    } else if ((hash ?? content.sha1) !== content.sha1 || (size ?? content.size) !== content.size)
      issues.push({
        code: 'XDSRepositoryMetadataError',
        location: entryUuid,
        detail: 'The hash or the size is not that of the document: send those of its bytes, or none.',
      })
  }
  const known = new Set(entries.map(({ entryUuid }) => entryUuid))
  for (const id of contents.keys())
    if (!known.has(id)) issues.push({ code: 'XDSMissingDocumentMetadata', location: id })

  const patients = [submissionSet, ...entries, ...folders].flatMap(({ patientId }) =>
    patientId === undefined ? [] : [patientKeyOf(patientId)],
  )
  const [patient] = patients
  if (patients.some((other) => other !== patient)) issues.push({ code: 'XDSPatientIdDoesNotMatch' })
  if (issues.length > 0 || patient === undefined)
    throw new GatewayError(issues.length > 0 ? issues : 'XDSUnknownPatientId')
  return patient
}

export function prepareFeed(
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, PreparedContent>,
  record: AccessRecord,
  patient: PatientKey,
  { repositoryUniqueId, duplicates, otherPatients }: StoreRules,
): PreparedFeed {
  const submissionSet = registered(submission.submissionSet)
  const entries = submission.entries.map((entry): DocumentEntry => {
    const content = contents.get(entry.entryUuid)
    if (content === undefined) return registered(entry)
    const { sha1: hash, size } = content
    return { ...registered(entry), repositoryUniqueId, hash, size }
  })
  const command: FeedCommand = {
    kind: 'feed',
    patient,
    depositedBy: record.caller.kind,
    feedingStructure: record.caller.structure?.id,
    duplicates,
    otherPatients,
    entries: entries.map((entry) => prepareEntry(entry, contents.get(entry.entryUuid))),
    submissionSet: preparePackage(submissionSet),
    folders: submission.folders.map((folder) => preparePackage(registered(folder))),
    associations: submission.associations.map(prepareAssociation),
    record: prepareRecord(record),
  }
  return { command, submissionSet, entries }
}

/** An update made ready for the writer. The new versions say themselves what they are; the store numbers them. */
export function prepareUpdate(
  update: MetadataUpdate,
  record: AccessRecord,
  { otherPatients }: StoreRules,
): UpdateCommand {
  const { patient, submissionSet, versions, statuses, associations } = update
  const isOfPatient = (cx: Cx | undefined): boolean => cx === undefined || patientKeyOf(cx) === patient
  return {
    kind: 'update',
    patient,
    otherPatients,
    restricted: update.restricted === true,
    submissionSet: submissionSet && preparePackage(registered(submissionSet)),
    samePatient: isOfPatient(submissionSet?.patientId),
    versions: versions.map(({ object, previousVersion, propagate }): PreparedVersion => {
      const next = { ...object, version: previousVersion + 1 }
      const common = {
        logicalId: object.logicalId,
        previousVersion,
        propagate,
        samePatient: isOfPatient(object.patientId),
      }
      return next.kind === 'DocumentEntry'
        ? { ...common, kind: 'DocumentEntry', row: prepareEntry(next, undefined) }
        : { ...common, kind: 'Folder', row: preparePackage(next) }
    }),
    statuses: statuses.map(({ target, from, to }) => ({ target, from, to })),
    // Those two only say what is to be done: that is in statuses and associations by now.
    associations: associations
      .filter(({ type }) => type !== 'UpdateAvailabilityStatus' && type !== 'SubmitAssociation')
      .map(prepareAssociation),
    record: prepareRecord(record),
  }
}

function prepareAssociation(association: Association): PreparedAssociation {
  const { entryUuid, type, source, target } = association
  return { entryUuid, type, source, target, json: JSON.stringify(registered(association)) }
}

/**
 * What a registry sets at the first registration, whatever the source said (ITI TF-2 3.42.4.1.3): version 1 of itself,
 * Approved. A `lid` from outside would otherwise make a submission the next version of somebody else's document.
 */
function registered<T extends RegistryObject>(object: T): T {
  return { ...object, logicalId: object.entryUuid, version: 1, availabilityStatus: 'Approved' }
}

function prepareEntry(entry: DocumentEntry, content: PreparedContent | undefined): PreparedEntry {
  const persons = entry.authors.flatMap(({ person }) =>
    person?.id === undefined || person.nameType === 'U' ? [] : [person.id],
  )
  return {
    entryUuid: entry.entryUuid,
    uniqueId: entry.uniqueId,
    created: entry.creationTime ?? '',
    onDemand: entry.stability === 'on-demand',
    classCode: entry.classCode?.code,
    classSystem: entry.classCode?.system,
    typeCode: entry.typeCode?.code,
    typeSystem: entry.typeCode?.system,
    confidentiality: JSON.stringify(entry.confidentialityCodes.map(({ code, system }) => ({ code, system }))),
    authorPersons: JSON.stringify(persons),
    hash: entry.hash,
    json: JSON.stringify(entry),
    content,
  }
}

function preparePackage(object: Exclude<RegistryObject, { kind: 'DocumentEntry' | 'Association' }>): PreparedPackage {
  return { entryUuid: object.entryUuid, uniqueId: object.uniqueId, json: JSON.stringify(object) }
}
