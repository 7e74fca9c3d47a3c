/**
 * TD2.1 inside the transaction of a batch. Planning checks everything and tells all that is wrong at once; writing then
 * puts down rows. State effects: ITI TF-2 3.42.4.1.3 and 3.42.4.1.3.3 (replacement, folders).
 */
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError, type Issue } from '../../errors.ts'
import type { FeedCommand, PreparedAssociation } from './commands.ts'
import { createFeedWrites } from './feed-writes.ts'

/** An object as far as a reference to it is concerned; `status` of an entry only. */
export interface Referred {
  readonly no: number
  readonly kind: string
  readonly patientNo: number
  readonly status: string | null
}

/** The stored objects that a submission refers to, by entryUUID. */
export type Referrals = ReadonlyMap<string, Referred>

export const replacing: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC'])
/** A relationship names a DocumentEntry that stands already and is not deprecated (ITI TF-3 table 4.2.2-1). */
const relationships: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC', 'APND', 'XFRM', 'IsSnapshotOf'])
const updates: ReadonlySet<string> = new Set(['UpdateAvailabilityStatus', 'SubmitAssociation'])

/** Gives what writes the submission. Throws GatewayError with every issue found. */
export function createFeed(db: DatabaseSync): (command: FeedCommand, at: string) => () => void {
  const patient = db.prepare('SELECT no FROM patient WHERE key = ?')
  const withUniqueId = db.prepare('SELECT kind, hash FROM object WHERE unique_id = ?')
  const withUuid = db.prepare('SELECT 1 FROM object WHERE uuid = ?')
  const referred = db.prepare(
    `SELECT o.no, o.kind, o.patient_no, e.status FROM object o LEFT JOIN document_entry e
     ON e.patient_no = o.patient_no AND e.created = o.created AND e.entry_uuid = o.uuid WHERE o.uuid = ?`,
  )
  const write = createFeedWrites(db)

  const uniqueIdIssues = ({ entries, submissionSet, folders, duplicates }: FeedCommand): Issue[] => {
    const issues: Issue[] = []
    const seen = new Set<string>()
    for (const object of [...entries, submissionSet, ...folders]) {
      const location = `${object.entryUuid}/uniqueId`
      const known = withUniqueId.all(object.uniqueId)
      const documents = known.every(({ kind }) => kind === 'DocumentEntry') && 'hash' in object
      if (seen.size === seen.add(object.uniqueId).size) issues.push(duplicate(location))
      else if (known.length === 0) continue
      else if (!documents) issues.push(duplicate(location))
      else if (known.some(({ hash }) => hash !== (object.hash ?? null))) issues.push(otherContent(location))
      else if (duplicates === 'refuse') issues.push(duplicate(location))
    }
    return issues
  }

  const find = (uuid: string): Referred | undefined => {
    const row = referred.get(uuid)
    if (row === undefined) return undefined
    const status = row.status === null ? null : String(row.status)
    return { no: Number(row.no), kind: String(row.kind), patientNo: Number(row.patient_no), status }
  }

  return (command, at) => {
    const patientNo = patient.get(command.patient)?.no
    if (typeof patientNo !== 'number') throw new GatewayError('dmp-unknown')
    const { submissionSet, entries, folders, associations } = command
    const issues = uniqueIdIssues(command)

    const inMessage = new Set<string>()
    for (const { entryUuid } of [...entries, submissionSet, ...folders, ...associations])
      if (inMessage.size === inMessage.add(entryUuid).size || withUuid.get(entryUuid) !== undefined)
        issues.push({
          code: 'XDSRegistryMetadataError',
          location: entryUuid,
          detail: 'This entryUUID is already used: send a symbolic id or a new UUID.',
        })

    const referrals = new Map<string, Referred>()
    for (const { source, target } of associations)
      for (const id of [source, target]) {
        const stored = inMessage.has(id) || referrals.has(id) ? undefined : find(id)
        if (stored !== undefined) referrals.set(id, stored)
      }
    const newEntries = new Set(entries.map(({ entryUuid }) => entryUuid))
    const replaced = new Set<string>()
    for (const association of associations)
      issues.push(...associationIssues(association, { inMessage, newEntries, referrals, patientNo, replaced }))

    if (issues.length > 0) throw new GatewayError(issues)
    return () => write(command, patientNo, referrals, at)
  }
}

interface Surroundings {
  readonly inMessage: ReadonlySet<string>
  readonly newEntries: ReadonlySet<string>
  readonly referrals: Referrals
  readonly patientNo: number
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
  if (!relationships.has(type))
    return [source, target].flatMap((id) => (around.inMessage.has(id) ? [] : referenceIssues(association, id, around)))
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

function referenceIssues({ type, entryUuid }: PreparedAssociation, id: string, around: Surroundings): Issue[] {
  const stored = around.referrals.get(id)
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
