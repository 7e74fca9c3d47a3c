/**
 * TD2.1 inside the transaction of a batch: everything is checked first, all that is wrong is told at once, and only then
 * rows are written. State effects: ITI TF-2 3.42.4.1.3 and 3.42.4.1.3.3 (replacement, folders).
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { GatewayError, type Issue } from '../../errors.ts'
import { type EntryUuid, newEntryUuid, toEntryUuid } from '../../metadata/identifiers.ts'
import type { Association } from '../../metadata/model.ts'
import type { FeedCommand, PreparedAssociation, PreparedEntry, PreparedPackage } from './commands.ts'

interface Stored {
  readonly kind: 'entry' | 'submission-set' | 'folder' | 'association'
  readonly patientNo: number
  /** availabilityStatus; of an entry only. */
  readonly status: string | null
}

const replaces: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC'])
/** A relationship names a DocumentEntry that stands already and is not deprecated (ITI TF-3 table 4.2.2-1). */
const relationships: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC', 'APND', 'XFRM', 'IsSnapshotOf'])
const updates: ReadonlySet<string> = new Set(['UpdateAvailabilityStatus', 'SubmitAssociation'])

/** Throws GatewayError with every issue found; writes nothing then. */
export function createFeed(db: DatabaseSync): (command: FeedCommand, at: string) => void {
  const checks = createChecks(db)
  const write = createWrites(db)
  const deprecate = createDeprecation(db)
  return (command, at) => {
    const patientNo = checks(command)
    write.submission(command, patientNo, at)
    for (const association of command.associations) {
      if (!replaces.has(association.type)) continue
      deprecate(association.target, at)
      write.joinFolders(association, command, patientNo, at)
    }
  }
}

function createChecks(db: DatabaseSync): (command: FeedCommand) => number {
  const patient = db.prepare('SELECT no FROM patient WHERE key = ?')
  const object = db.prepare(
    `SELECT 'entry' AS kind, patient_no, status FROM document_entry WHERE logical_id = ?1 AND version = 1
     UNION ALL SELECT 'entry', patient_no, status FROM document_entry WHERE entry_uuid = ?1 AND version > 1
     UNION ALL SELECT 'association', patient_no, NULL FROM association WHERE entry_uuid = ?1
     UNION ALL SELECT 'submission-set', patient_no, NULL FROM submission_set WHERE entry_uuid = ?1
     UNION ALL SELECT 'folder', patient_no, NULL FROM folder WHERE entry_uuid = ?1
     LIMIT 1`,
  )
  const entryHash = db.prepare('SELECT hash FROM document_entry WHERE unique_id = ?')
  const packageId = db.prepare(
    `SELECT 1 FROM submission_set WHERE unique_id = ?1 UNION ALL SELECT 1 FROM folder WHERE unique_id = ?1 LIMIT 1`,
  )
  const find = (uuid: string): Stored | undefined => {
    const row = object.get(uuid)
    if (row === undefined) return undefined
    return {
      kind: row.kind as Stored['kind'],
      patientNo: Number(row.patient_no),
      status: row.status === null ? null : String(row.status),
    }
  }

  return (command) => {
    const patientNo = patient.get(command.patient)?.no
    if (typeof patientNo !== 'number') throw new GatewayError('dmp-unknown')
    const { submissionSet, entries, folders, associations } = command
    const issues: Issue[] = []

    const uniqueIds = new Set<string>()
    const used = (id: string): boolean => uniqueIds.size === uniqueIds.add(id).size
    for (const { uniqueId, entryUuid, hash } of entries) {
      const location = `${entryUuid}/uniqueId`
      const known = entryHash.all(uniqueId)
      if (packageId.get(uniqueId) !== undefined || used(uniqueId)) issues.push(duplicate(location))
      else if (known.some((row) => row.hash !== (hash ?? null)))
        issues.push({
          code: 'XDSNonIdenticalHash',
          location,
          detail:
            'This uniqueId is registered with other content: send a new uniqueId, and RPLC to replace a document.',
        })
      else if (known.length > 0 && command.duplicates === 'refuse') issues.push(duplicate(location))
    }
    for (const { uniqueId, entryUuid } of [submissionSet, ...folders])
      if (packageId.get(uniqueId) !== undefined || entryHash.get(uniqueId) !== undefined || used(uniqueId))
        issues.push(duplicate(`${entryUuid}/uniqueId`))

    const inMessage = new Map<string, 'entry' | 'other'>()
    for (const { entryUuid } of [...entries, submissionSet, ...folders, ...associations]) {
      if (inMessage.has(entryUuid) || find(entryUuid) !== undefined)
        issues.push({
          code: 'XDSRegistryMetadataError',
          location: entryUuid,
          detail: 'This entryUUID is already used: send a symbolic id or a new UUID.',
        })
      inMessage.set(entryUuid, 'other')
    }
    for (const { entryUuid } of entries) inMessage.set(entryUuid, 'entry')

    const replaced = new Set<string>()
    for (const association of associations) {
      const { type, source, target, entryUuid } = association
      if (updates.has(type)) {
        issues.push({
          code: 'XDSMetadataUpdateError',
          location: entryUuid,
          detail: `${type} is an update of metadata: it cannot be part of a submission of documents.`,
        })
        continue
      }
      if (!inMessage.has(source)) issues.push(...referenceIssues(association, source, find(source), patientNo))
      if (relationships.has(type)) {
        if (inMessage.get(source) !== 'entry')
          issues.push(
            unresolved(`${entryUuid}/sourceObject`, `The source of ${type} must be a DocumentEntry of the message.`),
          )
        // An entry of the same message cannot be the target either: it does not stand yet.
        const stored = inMessage.has(target) ? undefined : find(target)
        const found = referenceIssues(association, target, stored, patientNo)
        issues.push(...found)
        const twice = replaces.has(type) && replaced.size === replaced.add(target).size
        if (found.length === 0 && (stored?.status !== 'Approved' || twice)) issues.push(deprecated(association))
      } else if (!inMessage.has(target)) issues.push(...referenceIssues(association, target, find(target), patientNo))
    }
    if (issues.length > 0) throw new GatewayError(issues)
    return patientNo
  }
}

function referenceIssues(
  { type, entryUuid }: PreparedAssociation,
  id: string,
  stored: Stored | undefined,
  patientNo: number,
): Issue[] {
  if (stored === undefined || (relationships.has(type) && stored.kind !== 'entry'))
    return [
      unresolved(
        entryUuid,
        `${type} refers to ${id}, which is not registered here: send the entryUUID of a registered object.`,
      ),
    ]
  if (stored.patientNo !== patientNo)
    return [
      {
        code: 'XDSPatientIdDoesNotMatch',
        location: entryUuid,
        detail: `${type} refers to an object of another patient.`,
      },
    ]
  return []
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

function deprecated({ type, entryUuid }: PreparedAssociation): Issue {
  return {
    code: 'XDSRegistryDeprecatedDocumentError',
    location: entryUuid,
    detail: `${type} refers to a document that is not, or no longer, Approved: refer to the document in force.`,
  }
}

interface Writes {
  submission(command: FeedCommand, patientNo: number, at: string): void
  joinFolders(replacement: PreparedAssociation, command: FeedCommand, patientNo: number, at: string): void
}

function createWrites(db: DatabaseSync): Writes {
  const entryJson = db.prepare('INSERT INTO entry_json (json) VALUES (?)')
  const content = db.prepare('INSERT INTO content (sha1, size, bytes, file) VALUES (?, ?, ?, ?)')
  const entry = db.prepare(
    `INSERT INTO document_entry (patient_no, created, entry_uuid, logical_id, version, latest, status, on_demand, unique_id,
     class_code, class_system, type_code, type_system, confidentiality, author_persons, deposited_by, feeding_structure,
     deposited_at, updated_at, hash, json_no, content_no)
     VALUES (?1, ?2, ?3, ?3, 1, 1, 'Approved', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, ?15, ?16, ?17)`,
  )
  const submissionSet = db.prepare(
    'INSERT INTO submission_set (entry_uuid, patient_no, unique_id, at, json) VALUES (?, ?, ?, ?, ?)',
  )
  const folder = db.prepare(
    'INSERT INTO folder (entry_uuid, patient_no, unique_id, updated_at, json) VALUES (?, ?, ?, ?, ?)',
  )
  const touch = db.prepare('UPDATE folder SET updated_at = ? WHERE entry_uuid = ?')
  const association = db.prepare(
    `INSERT INTO association (entry_uuid, patient_no, type, source, target, status, json)
     VALUES (?, ?, ?, ?, ?, 'Approved', ?)`,
  )
  const folders = db.prepare(
    `SELECT DISTINCT source FROM association JOIN folder ON folder.entry_uuid = source
     WHERE target = ? AND type = 'HasMember' AND status = 'Approved' ORDER BY source`,
  )
  const member = db.prepare(`SELECT 1 FROM association WHERE source = ? AND target = ? AND type = 'HasMember'`)

  const writeEntry = (row: PreparedEntry, command: FeedCommand, patientNo: number, at: string): void => {
    const jsonNo = entryJson.run(Buffer.from(row.json)).lastInsertRowid
    const contentNo =
      row.content === undefined
        ? null
        : content.run(row.content.sha1, row.content.size, row.content.bytes ?? null, row.content.file ?? null)
            .lastInsertRowid
    const values: SQLInputValue[] = [patientNo, row.created, row.entryUuid, row.onDemand ? 1 : 0, row.uniqueId]
    values.push(row.classCode ?? null, row.classSystem ?? null, row.typeCode ?? null, row.typeSystem ?? null)
    values.push(row.confidentiality, row.authorPersons, command.depositedBy, command.feedingStructure ?? null, at)
    values.push(row.hash ?? null, jsonNo, contentNo)
    entry.run(...values)
  }
  const writePackage = (into: typeof folder, row: PreparedPackage, patientNo: number, at: string): void => {
    into.run(row.entryUuid, patientNo, row.uniqueId, at, Buffer.from(row.json))
  }
  const writeAssociation = (row: PreparedAssociation, patientNo: number): void => {
    association.run(row.entryUuid, patientNo, row.type, row.source, row.target, Buffer.from(row.json))
  }

  return {
    submission(command, patientNo, at) {
      for (const row of command.entries) writeEntry(row, command, patientNo, at)
      writePackage(submissionSet, command.submissionSet, patientNo, at)
      for (const row of command.folders) writePackage(folder, row, patientNo, at)
      for (const row of command.associations) {
        writeAssociation(row, patientNo)
        // A folder that gets a member changes; a SubmissionSet has no row here and stays as it is.
        if (row.type === 'HasMember') touch.run(at, row.source)
      }
    },
    joinFolders({ source, target }, command, patientNo, at) {
      // ITI TF-2 3.42.4.1.3.3: the replacement is put in the folders of the original, under this SubmissionSet.
      for (const row of folders.all(target)) {
        const into = toEntryUuid(String(row.source))
        if (member.get(into, source) !== undefined) continue
        const membership = hasMember(into, source)
        writeAssociation(membership, patientNo)
        writeAssociation(hasMember(command.submissionSet.entryUuid, membership.entryUuid), patientNo)
        touch.run(at, into)
      }
    },
  }
}

function hasMember(source: string, target: string): PreparedAssociation {
  const entryUuid = newEntryUuid()
  const association: Association = {
    kind: 'Association',
    entryUuid,
    logicalId: entryUuid,
    version: 1,
    extra: [],
    type: 'HasMember',
    source: source as EntryUuid,
    target: target as EntryUuid,
    availabilityStatus: 'Approved',
  }
  return { entryUuid, type: 'HasMember', source, target, json: JSON.stringify(association) }
}

/** The replaced document, and with it its addenda and transformations, and theirs. Archived and Deleted ones stay. */
function createDeprecation(db: DatabaseSync): (entryUuid: string, at: string) => void {
  const deprecate = db.prepare(
    `UPDATE document_entry SET status = 'Deprecated', updated_at = ?2
     WHERE logical_id = (SELECT logical_id FROM document_entry WHERE logical_id = ?1 AND version = 1
       UNION ALL SELECT logical_id FROM document_entry WHERE entry_uuid = ?1 AND version > 1 LIMIT 1)
     AND latest = 1 AND status = 'Approved'`,
  )
  const children = db.prepare(`SELECT source FROM association WHERE target = ? AND type IN ('APND', 'XFRM')`)
  return (entryUuid, at) => {
    const seen = new Set<string>()
    const waiting = [entryUuid]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      deprecate.run(next, at)
      for (const { source } of children.all(next)) waiting.push(String(source))
    }
  }
}
