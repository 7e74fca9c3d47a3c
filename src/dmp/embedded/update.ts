/**
 * TD3.3, ITI-57 inside the transaction of a batch: new metadata versions, statuses and associations, checked together and
 * written together (ITI TF-2 3.57.4.1.3). This part checks; update-writes.ts writes.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, GatewayError, type Issue } from '../../errors.ts'
import type { PreparedAssociation, PreparedVersion, UpdateCommand } from './commands.ts'
import type { ObjectRows } from './object-rows.ts'
import type { Referrals, Referred, Registry } from './registry.ts'
import { createUpdateWrites } from './update-writes.ts'

/** What a checked update rests on. */
export interface UpdatePlan {
  readonly patientNo: number
  /** The version in force, by the entryUUID of the one that follows it. */
  readonly previous: ReadonlyMap<string, Referred>
  /** What gets which status: an object of the message by its entryUUID, a stored one as it is. */
  readonly statuses: readonly { readonly target: string | Referred; readonly to: string }[]
  /** Stored objects that the associations name. */
  readonly referrals: Referrals
}

/** What is done to the association that would link the same objects twice, and to those that a version carries over. */
interface Links {
  exists(type: string, sourceNo: number, targetNo: number): boolean
  /** Associations in force that propagation would copy. */
  carried(no: number): boolean
}

/** Gives what writes the update, which gives the entryUUIDs of what it changed. Throws GatewayError with every issue. */
export function createUpdate(
  db: DatabaseSync,
  registry: Registry,
  rows: ObjectRows,
): (command: UpdateCommand, at: string) => () => readonly string[] {
  const links = createLinks(db)
  const write = createUpdateWrites(db, rows)
  return (command, at) => {
    const patientNo = registry.patientNo(command.patient)
    const around: Around = { command, registry, links, patientNo, issues: [], inMessage: new Set() }
    checkIdentifiers(around)
    const previous = checkVersions(around)
    const statuses = checkStatuses(around, previous)
    const referrals = checkAssociations(around)
    if (around.issues.length > 0) throw new GatewayError(around.issues)
    return () => write(command, { patientNo, previous, statuses, referrals }, at)
  }
}

interface Around {
  readonly command: UpdateCommand
  readonly registry: Registry
  readonly links: Links
  readonly patientNo: number
  readonly issues: Issue[]
  readonly inMessage: Set<string>
}

function createLinks(db: DatabaseSync): Links {
  const same = db.prepare(
    `SELECT 1 FROM association a JOIN object o ON o.no = a.no
     WHERE a.target_no = ? AND a.source_no = ? AND a.type = ? AND o.status = 'Approved'`,
  )
  const carried = db.prepare(
    `SELECT 1 FROM association a JOIN object o ON o.no = a.no JOIN object s ON s.no = a.source_no
     WHERE a.no IN (SELECT no FROM association WHERE source_no = ?1 UNION SELECT no FROM association WHERE target_no = ?1)
     AND a.current = 1 AND o.status = 'Approved' AND s.kind <> 'SubmissionSet' LIMIT 1`,
  )
  return {
    exists: (type, sourceNo, targetNo) => same.get(targetNo, sourceNo, type) !== undefined,
    carried: (no) => carried.get(no) !== undefined,
  }
}

function checkIdentifiers({ command, registry, issues, inMessage }: Around): void {
  const { submissionSet, versions, associations } = command
  const own = [...(submissionSet ? [submissionSet] : []), ...versions.map(({ row }) => row), ...associations]
  for (const { entryUuid } of own)
    if (inMessage.size === inMessage.add(entryUuid).size || registry.isUsed(entryUuid))
      issues.push(
        issue(
          'XDSRegistryMetadataError',
          entryUuid,
          'This entryUUID is already used: send a symbolic id or a new UUID.',
        ),
      )
  if (!command.samePatient && submissionSet)
    issues.push(issue('XDSPatientIdDoesNotMatch', submissionSet.entryUuid, 'Its patientId is not that of the update.'))
  if (submissionSet && registry.withUniqueId(submissionSet.uniqueId).length > 0)
    issues.push(
      issue(
        'XDSDuplicateUniqueIdInRegistry',
        submissionSet.entryUuid,
        'This uniqueId is already registered: send a new one.',
      ),
    )
}

function checkVersions(around: Around): Map<string, Referred> {
  const { command, registry, patientNo, issues } = around
  const previous = new Map<string, Referred>()
  const seen = new Set<string>()
  for (const version of command.versions) {
    const stored = registry.current(version.logicalId)
    // An object of another patient is as absent as one that is not there, unless it may be told.
    const current = stored?.patientNo !== patientNo && command.otherPatients === 'absent' ? undefined : stored
    const twice = seen.size === seen.add(version.logicalId).size
    const found = twice
      ? issue(
          'XDSMetadataUpdateError',
          version.row.entryUuid,
          'Its logicalID is named twice in this update: name it once.',
        )
      : versionIssue(around, version, current)
    if (found !== undefined) issues.push(found)
    if (current !== undefined) previous.set(version.row.entryUuid, current)
  }
  return previous
}

/** The codes that ITI-57 and ITI-92 give to the same mistakes. */
const codes = {
  update: {
    identifier: 'XDSMetadataUpdateError',
    type: 'XDSMetadataUpdateError',
    itself: 'XDSMetadataUpdateError',
  },
  restricted: {
    identifier: 'XDSMetadataIdentifierError',
    type: 'XDSObjectTypeError',
    itself: 'XDSInvalidRequestException',
  },
} as const satisfies Record<string, Record<string, ErrorCode>>

/** The table of ITI-57 and ITI-92 (docs/conformance.md, metadata update), row by row. */
function versionIssue(around: Around, version: PreparedVersion, current: Referred | undefined): Issue | undefined {
  const { row, kind, logicalId, previousVersion, propagate, samePatient } = version
  const { command, links, patientNo } = around
  const code = codes[command.restricted ? 'restricted' : 'update']
  const error = (which: ErrorCode, detail: string): Issue => issue(which, row.entryUuid, detail)
  if (logicalId === row.entryUuid)
    return error(code.itself, 'A new version has its own id, and the logicalID of the object as lid.')
  if (current === undefined) return error('XDSMetadataVersionError', 'No object has this logicalID.')
  if (current.version !== previousVersion)
    return error('XDSMetadataVersionError', `The current version is ${current.version}: name that as PreviousVersion.`)
  if (current.kind !== kind || (kind === 'DocumentEntry' && current.onDemand !== version.row.onDemand))
    return error(code.type, 'The objectType of an object does not change: send it as it is registered.')
  if (!takesVersions(current, command.restricted))
    return error('XDSMetadataUpdateError', `It is ${current.status}: only what is in force has new versions.`)
  if (current.uniqueId !== row.uniqueId) return error(code.identifier, 'The uniqueId of an object does not change.')
  if (!samePatient) return error('XDSPatientIdDoesNotMatch', 'Its patientId is not that of the update.')
  const moves = current.patientNo !== patientNo
  if (moves && (command.restricted || (propagate && links.carried(current.no))))
    return error('XDSPatientIDReconciliationError', 'The patient of this object cannot change, or not with its links.')
  const linked = command.associations.some(
    ({ source, target }) =>
      (source === row.entryUuid || target === row.entryUuid) && source !== command.submissionSet?.entryUuid,
  )
  if (propagate && linked)
    return error(
      'XDSMetadataUpdateOperationError',
      'Its associations are both carried over and submitted: send AssociationPropagation no, or no associations.',
    )
  return undefined
}

/** A new version has the status of the one before: what is archived stays archived. Nothing brings back what is deleted. */
function takesVersions({ status }: Referred, restricted: boolean): boolean {
  return restricted ? status !== 'Deleted' : status === 'Approved' || status === 'Archived'
}

function checkStatuses(around: Around, previous: ReadonlyMap<string, Referred>): UpdatePlan['statuses'] {
  const { command, registry, patientNo, issues } = around
  const successor = new Map([...previous].map(([next, before]) => [before.uuid, next]))
  const seen = new Set<string>()
  return command.statuses.flatMap(({ target: named, from, to }) => {
    // The version in force that this very update replaces is named by its old entryUUID, or by the new one.
    const target = successor.get(named) ?? named
    const made = previous.get(target)
    const isAssociation = command.associations.some(({ entryUuid }) => entryUuid === target)
    const stored = made === undefined && !isAssociation ? registry.find(target) : undefined
    const status = isAssociation ? 'Approved' : (made ?? stored)?.status
    const refuse = (code: ErrorCode, detail: string): [] => {
      issues.push(issue(code, named, detail))
      return []
    }
    if (status === undefined || (stored !== undefined && stored.patientNo !== patientNo))
      return refuse('UnresolvedReferenceException', 'Nothing is registered under this id.')
    if (stored?.kind === 'SubmissionSet') return refuse('XDSMetadataUpdateError', 'A SubmissionSet stays Approved.')
    if (stored?.latest === false) return refuse('XDSMetadataUpdateError', 'A later version exists: name that one.')
    if (from === to) return refuse('XDSMetadataUpdateOperationError', 'OriginalStatus and NewStatus are the same.')
    if (status !== from)
      return refuse('XDSMetadataUpdateError', `Its status is ${status}: name that as OriginalStatus.`)
    if (seen.size === seen.add(target).size)
      return refuse('XDSMetadataUpdateError', 'Its status is changed twice in this update: change it once.')
    return [{ target: stored ?? target, to }]
  })
}

function checkAssociations(around: Around): Referrals {
  const { command, registry, issues, inMessage } = around
  const referrals = new Map<string, Referred>()
  for (const association of command.associations) {
    const before = issues.length
    for (const id of [association.source, association.target]) {
      const stored = inMessage.has(id) ? undefined : registry.find(id)
      if (stored !== undefined) referrals.set(id, stored)
      const found = inMessage.has(id) ? undefined : endIssue(around, association, id, stored)
      if (found !== undefined) issues.push(found)
    }
    const wrong = issues.length === before ? kindsIssue(around, association, referrals) : undefined
    if (wrong !== undefined) issues.push(wrong)
    const [source, target] = [referrals.get(association.source), referrals.get(association.target)]
    if (source && target && around.links.exists(association.type, source.no, target.no))
      issues.push(issue('XDSMetadataUpdateError', association.entryUuid, 'This association is already registered.'))
  }
  return referrals
}

/** Relationships are between documents, and a folder holds documents; what the SubmissionSet holds is its own matter. */
function kindsIssue(
  { command: { versions, submissionSet } }: Around,
  { entryUuid, type, source, target }: PreparedAssociation,
  referrals: Referrals,
): Issue | undefined {
  if (source === submissionSet?.entryUuid) return undefined
  const kindOf = (id: string) => referrals.get(id)?.kind ?? versions.find(({ row }) => row.entryUuid === id)?.kind
  const [from, to] = [kindOf(source), kindOf(target)]
  const wanted = type === 'HasMember' ? 'Folder' : 'DocumentEntry'
  // What is not there at all is an issue already.
  if ((from === undefined || from === wanted) && (to === undefined || to === 'DocumentEntry')) return undefined
  return issue(
    'XDSMetadataUpdateError',
    entryUuid,
    `${type} is from a ${from} to a ${to}: it is from a ${wanted} to a DocumentEntry.`,
  )
}

function endIssue(
  { command, patientNo }: Around,
  { entryUuid, type, source }: PreparedAssociation,
  id: string,
  stored: Referred | undefined,
): Issue | undefined {
  const other = stored !== undefined && stored.patientNo !== patientNo
  if (stored === undefined || (other && command.otherPatients === 'absent'))
    return issue('UnresolvedReferenceException', entryUuid, `${type} refers to ${id}, which is not registered.`)
  if (other)
    return issue('XDSPatientIDReconciliationError', entryUuid, `${type} refers to an object of another patient.`)
  // The SubmissionSet of the update may hold by reference what is no longer in force.
  if (source === command.submissionSet?.entryUuid) return undefined
  if (stored.kind === 'SubmissionSet')
    return issue('XDSMetadataUpdateError', entryUuid, 'A registered SubmissionSet gets no further associations.')
  if (stored.status !== 'Approved' || !stored.latest)
    return issue('XDSMetadataUpdateError', entryUuid, `${type} refers to ${id}, which is not in force.`)
  return undefined
}

function issue(code: ErrorCode, location: string, detail: string): Issue {
  return { code, location, detail }
}
