/**
 * TD2.1 inside the transaction of a batch. Planning checks everything and tells all that is wrong at once; writing then
 * puts down rows. State effects: ITI TF-2 3.42.4.1.3 and 3.42.4.1.3.3 (replacement, folders).
 */
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError, type Issue } from '../../errors.ts'
import type { FeedCommand, PreparedAssociation } from './commands.ts'
import { createFeedWrites, replacing } from './feed-writes.ts'
import type { ObjectRows } from './object-rows.ts'
import type { Referrals, Referred, Registry } from './registry.ts'

/** A relationship names a DocumentEntry that stands already and is not deprecated (ITI TF-3 table 4.2.2-1). */
const relationships: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC', 'APND', 'XFRM', 'IsSnapshotOf'])
const updates: ReadonlySet<string> = new Set(['UpdateAvailabilityStatus', 'SubmitAssociation'])

/** Gives what writes the submission. Throws GatewayError with every issue found. */
export function createFeed(
  db: DatabaseSync,
  registry: Registry,
  rows: ObjectRows,
): (command: FeedCommand, at: string) => () => void {
  const write = createFeedWrites(db, rows)

  const uniqueIdIssues = ({ entries, submissionSet, folders, duplicates }: FeedCommand): Issue[] => {
    const issues: Issue[] = []
    const seen = new Set<string>()
    for (const object of [...entries, submissionSet, ...folders]) {
      const location = `${object.entryUuid}/uniqueId`
      const known = registry.withUniqueId(object.uniqueId)
      const documents = known.every(({ kind }) => kind === 'DocumentEntry') && 'hash' in object
      if (seen.size === seen.add(object.uniqueId).size) issues.push(duplicate(location))
      else if (known.length === 0) continue
      else if (!documents) issues.push(duplicate(location))
      else if (known.some(({ hash }) => hash !== object.hash)) issues.push(otherContent(location))
      else if (duplicates === 'refuse') issues.push(duplicate(location))
    }
    return issues
  }

  return (command, at) => {
    const patientNo = registry.patientNo(command.patient)
    const { submissionSet, entries, folders, associations } = command
    const issues = uniqueIdIssues(command)

    const inMessage = new Set<string>()
    for (const { entryUuid } of [...entries, submissionSet, ...folders, ...associations])
      if (inMessage.size === inMessage.add(entryUuid).size || registry.isUsed(entryUuid))
        issues.push({
          code: 'XDSRegistryMetadataError',
          location: entryUuid,
          detail: 'This entryUUID is already used: send a symbolic id or a new UUID.',
        })

    const referrals = new Map<string, Referred>()
    for (const { source, target } of associations)
      for (const id of [source, target]) {
        const stored = inMessage.has(id) || referrals.has(id) ? undefined : registry.find(id)
        if (stored !== undefined) referrals.set(id, stored)
      }
    const around: Surroundings = {
      inMessage,
      newEntries: new Set(entries.map(({ entryUuid }) => entryUuid)),
      referrals,
      patientNo,
      otherPatients: command.otherPatients,
      replaced: new Set(),
    }
    for (const association of associations) issues.push(...associationIssues(association, around))

    if (issues.length > 0) throw new GatewayError(issues)
    return () => write(command, patientNo, referrals, at)
  }
}

interface Surroundings {
  readonly inMessage: ReadonlySet<string>
  readonly newEntries: ReadonlySet<string>
  readonly referrals: Referrals
  readonly patientNo: number
  readonly otherPatients: FeedCommand['otherPatients']
  /** Targets of replacements so far: a document is replaced once. */
  readonly replaced: Set<string>
}

function associationIssues(association: PreparedAssociation, around: Surroundings): Issue[] {
  const { type, source, target, entryUuid } = association
  if (updates.has(type))
    return [
      {
        code: 'XDSMetadataUpdateError',
        location: entryUuid,
        detail: `${type} is an update of metadata: it cannot be part of a submission of documents.`,
      },
    ]
  if (!relationships.has(type)) {
    const found = [source, target].flatMap((id) =>
      around.inMessage.has(id) ? [] : referenceIssues(association, id, around),
    )
    return found.length > 0 ? found : holderIssues(association, around)
  }
  const issues: Issue[] = []
  if (!around.newEntries.has(source))
    issues.push(unresolved(entryUuid, `The source of ${type} must be a DocumentEntry of the message.`))
  // A document of the same message is no target either: it does not stand yet.
  const found = referenceIssues(association, target, around)
  if (found.length > 0) return [...issues, ...found]
  const twice = replacing.has(type) && around.replaced.size === around.replaced.add(target).size
  if (twice || around.referrals.get(target)?.status !== 'Approved')
    issues.push({
      code: 'XDSRegistryDeprecatedDocumentError',
      location: entryUuid,
      detail: `${type} refers to a document that is not, or no longer, Approved: refer to the document in force.`,
    })
  return issues
}

/** Of what is registered only a folder in force takes further members (ITI TF-3 4.2.2.1.3). */
function holderIssues({ type, source, entryUuid }: PreparedAssociation, { referrals }: Surroundings): Issue[] {
  const holder = type === 'HasMember' ? referrals.get(source) : undefined
  if (holder === undefined || (holder.kind === 'Folder' && holder.latest && holder.status === 'Approved')) return []
  return [
    {
      code: 'XDSRegistryError',
      location: entryUuid,
      detail: 'Only the SubmissionSet of the message and folders in force get members: name the current folder.',
    },
  ]
}

function referenceIssues({ type, entryUuid }: PreparedAssociation, id: string, around: Surroundings): Issue[] {
  const found = around.referrals.get(id)
  const stored = found?.patientNo !== around.patientNo && around.otherPatients === 'absent' ? undefined : found
  if (stored === undefined || (relationships.has(type) && stored.kind !== 'DocumentEntry'))
    return [unresolved(entryUuid, `${type} refers to ${id}: send the entryUUID of an object that is registered here.`)]
  if (stored.patientNo === around.patientNo) return []
  return [
    {
      code: 'XDSPatientIdDoesNotMatch',
      location: entryUuid,
      detail: `${type} refers to an object of another patient.`,
    },
  ]
}

function unresolved(location: string, detail: string): Issue {
  return { code: 'UnresolvedReferenceException', location, detail }
}

function duplicate(location: string): Issue {
  return {
    code: 'XDSDuplicateUniqueIdInRegistry',
    location,
    detail: 'This uniqueId is already registered: send a new uniqueId, and RPLC to replace a document.',
  }
}

function otherContent(location: string): Issue {
  return {
    code: 'XDSNonIdenticalHash',
    location,
    detail: 'This uniqueId is registered with other content: send a new uniqueId, and RPLC to replace a document.',
  }
}
