/** The rows of a submission that was checked, and what it changes in the registry: replaced documents, their folders. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { type EntryUuid, newEntryUuid } from '../../metadata/identifiers.ts'
import type { Association, RegistryObject } from '../../metadata/model.ts'
import type { FeedCommand, PreparedAssociation, PreparedContent, PreparedEntry } from './commands.ts'
import { type Referrals, replacing } from './feed.ts'

interface ObjectRow {
  readonly entryUuid: string
  readonly uniqueId?: string
  readonly hash?: string | undefined
  readonly created?: string
  readonly json: string
}

export function createFeedWrites(
  db: DatabaseSync,
): (command: FeedCommand, patientNo: number, referrals: Referrals, at: string) => void {
  const object = db.prepare(
    `INSERT INTO object (no, uuid, kind, patient_no, unique_id, hash, created, updated_at, json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const content = db.prepare('INSERT INTO content (sha1, size, bytes, file) VALUES (?, ?, ?, ?)')
  const entry = db.prepare(
    `INSERT INTO document_entry (patient_no, created, entry_uuid, object_no, content_no, version, latest, status, on_demand,
     unique_id, class_code, class_system, type_code, type_system, confidentiality, author_persons, deposited_by,
     feeding_structure, deposited_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, 1, 1, 'Approved', ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16)`,
  )
  const association = db.prepare(
    `INSERT INTO association (no, type, source_no, target_no, status) VALUES (?, ?, ?, ?, 'Approved')`,
  )
  const deprecate = createDeprecation(db)
  const folders = createFolders(db)
  // This connection alone writes: the number only grows, past rolled back ones too.
  let last = Number(db.prepare('SELECT coalesce(max(no), 0) AS last FROM object').get()?.last)

  const writeObject = (kind: RegistryObject['kind'], row: ObjectRow, patientNo: number, at: string): number => {
    const no = ++last
    const values: SQLInputValue[] = [no, row.entryUuid, kind, patientNo, row.uniqueId ?? null, row.hash ?? null]
    values.push(row.created ?? null, at, Buffer.from(row.json))
    object.run(...values)
    return no
  }
  const writeContent = ({ sha1, size, bytes, file }: PreparedContent): SQLInputValue =>
    content.run(sha1, size, bytes ?? null, file ?? null).lastInsertRowid
  const writeEntry = (row: PreparedEntry, command: FeedCommand, patientNo: number, at: string): number => {
    const contentNo = row.content === undefined ? null : writeContent(row.content)
    const no = writeObject('DocumentEntry', row, patientNo, at)
    const values: SQLInputValue[] = [patientNo, row.created, row.entryUuid, no, contentNo, row.onDemand ? 1 : 0]
    values.push(row.uniqueId, row.classCode ?? null, row.classSystem ?? null, row.typeCode ?? null)
    values.push(row.typeSystem ?? null, row.confidentiality, row.authorPersons, command.depositedBy)
    values.push(command.feedingStructure ?? null, at)
    entry.run(...values)
    return no
  }

  return (command, patientNo, referrals, at) => {
    const numbers = new Map<string, number>()
    for (const row of command.entries) numbers.set(row.entryUuid, writeEntry(row, command, patientNo, at))
    const { submissionSet } = command
    numbers.set(submissionSet.entryUuid, writeObject('SubmissionSet', submissionSet, patientNo, at))
    for (const row of command.folders) numbers.set(row.entryUuid, writeObject('Folder', row, patientNo, at))
    // Numbers first: an association may be the member of another that comes before it.
    const associations = command.associations.map((row) => {
      const no = writeObject('Association', row, patientNo, at)
      numbers.set(row.entryUuid, no)
      return { no, row }
    })
    const numberOf = (uuid: string): number => {
      const no = numbers.get(uuid) ?? referrals.get(uuid)?.no
      if (no === undefined) throw new RangeError('an association was not checked')
      return no
    }
    for (const { no, row } of associations) {
      association.run(no, row.type, numberOf(row.source), numberOf(row.target))
      if (row.type === 'HasMember' && referrals.get(row.source)?.kind === 'Folder')
        folders.touch(numberOf(row.source), at)
    }
    for (const { row } of associations) {
      if (!replacing.has(row.type)) continue
      deprecate(numberOf(row.target), at)
      // ITI TF-2 3.42.4.1.3.3: the replacement is put in the folders of the original, under this SubmissionSet.
      for (const folder of folders.lacking(numberOf(row.target), numberOf(row.source))) {
        const membership = hasMember(folder.uuid, row.source)
        const membershipNo = writeObject('Association', membership, patientNo, at)
        association.run(membershipNo, 'HasMember', folder.no, numberOf(row.source))
        const ownership = hasMember(submissionSet.entryUuid, membership.entryUuid)
        const ownershipNo = writeObject('Association', ownership, patientNo, at)
        association.run(ownershipNo, 'HasMember', numberOf(submissionSet.entryUuid), membershipNo)
        folders.touch(folder.no, at)
      }
    }
  }
}

interface Folders {
  /** Its lastUpdateTime becomes now. */
  touch(no: number, at: string): void
  /** Folders that hold one document and not the other. */
  lacking(has: number, lacks: number): readonly { readonly no: number; readonly uuid: string }[]
}

function createFolders(db: DatabaseSync): Folders {
  const touch = db.prepare('UPDATE object SET updated_at = ? WHERE no = ?')
  const lacking = db.prepare(
    `SELECT DISTINCT o.no, o.uuid FROM association a JOIN object o ON o.no = a.source_no
     WHERE a.target_no = ?1 AND a.type = 'HasMember' AND a.status = 'Approved' AND o.kind = 'Folder'
     AND NOT EXISTS (SELECT 1 FROM association b WHERE b.target_no = ?2 AND b.source_no = a.source_no AND b.type = 'HasMember')
     ORDER BY o.no`,
  )
  return {
    touch: (no, at) => void touch.run(at, no),
    lacking: (has, lacks) => lacking.all(has, lacks).map(({ no, uuid }) => ({ no: Number(no), uuid: String(uuid) })),
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
function createDeprecation(db: DatabaseSync): (objectNo: number, at: string) => void {
  const deprecate = db.prepare(
    `UPDATE document_entry SET status = 'Deprecated', updated_at = ?2
     WHERE (patient_no, created, entry_uuid) = (SELECT patient_no, created, uuid FROM object WHERE no = ?1)
     AND status = 'Approved'`,
  )
  const children = db.prepare(`SELECT source_no FROM association WHERE target_no = ? AND type IN ('APND', 'XFRM')`)
  return (objectNo, at) => {
    const seen = new Set<number>()
    const waiting = [objectNo]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      deprecate.run(next, at)
      for (const { source_no } of children.all(next)) waiting.push(Number(source_no))
    }
  }
}
