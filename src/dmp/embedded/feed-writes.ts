/** The rows of a submission that was checked, and what it changes in the registry: replaced documents, their folders. */
import type { DatabaseSync } from 'node:sqlite'
import type { FeedCommand } from './commands.ts'
import { made, type ObjectRows } from './object-rows.ts'
import type { Referrals } from './registry.ts'

/** Associations that make their target Deprecated. */
export const replacing: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC'])

export function createFeedWrites(
  db: DatabaseSync,
  rows: ObjectRows,
): (command: FeedCommand, patientNo: number, referrals: Referrals, at: string) => void {
  const deprecate = createDeprecation(db)
  const folders = createFolders(db)

  return (command, patientNo, referrals, at) => {
    const { submissionSet } = command
    const deposit = {
      patientNo,
      depositedBy: command.depositedBy,
      feedingStructure: command.feedingStructure ?? null,
      depositedAt: at,
      updatedAt: at,
    }
    const numbers = new Map<string, number>()
    for (const row of command.entries) {
      const contentNo = row.content === undefined ? null : rows.content(row.content)
      numbers.set(row.entryUuid, rows.entry(row, { ...deposit, contentNo }))
    }
    numbers.set(submissionSet.entryUuid, rows.package('SubmissionSet', submissionSet, patientNo, at))
    for (const row of command.folders) numbers.set(row.entryUuid, rows.package('Folder', row, patientNo, at))
    // Numbers first: an association may be the member of another that comes before it.
    for (const row of command.associations) numbers.set(row.entryUuid, rows.association(row, patientNo, at))
    const numberOf = (uuid: string): number => {
      const no = numbers.get(uuid) ?? referrals.get(uuid)?.no
      if (no === undefined) throw new RangeError('an association was not checked')
      return no
    }
    for (const { entryUuid, type, source, target } of command.associations) {
      const current = [source, target].every((id) => referrals.get(id)?.latest !== false)
      rows.link(numberOf(entryUuid), type, numberOf(source), numberOf(target), current)
      if (type === 'HasMember' && referrals.get(source)?.kind === 'Folder') folders.touch(numberOf(source), at)
    }
    for (const { type, source, target } of command.associations) {
      if (!replacing.has(type)) continue
      deprecate(numberOf(target), at)
      // ITI TF-2 3.42.4.1.3.3: the replacement is put in the folders of the original, under this SubmissionSet.
      for (const folder of folders.lacking(numberOf(target), numberOf(source))) {
        const membership = made({ type: 'HasMember' }, folder.uuid, source)
        const membershipNo = rows.association(membership, patientNo, at)
        rows.link(membershipNo, 'HasMember', folder.no, numberOf(source))
        const ownership = made({ type: 'HasMember' }, submissionSet.entryUuid, membership.entryUuid)
        const ownershipNo = rows.association(ownership, patientNo, at)
        rows.link(ownershipNo, 'HasMember', numberOf(submissionSet.entryUuid), membershipNo)
        folders.touch(folder.no, at)
      }
    }
  }
}

interface Folders {
  /** Its lastUpdateTime becomes now. */
  touch(no: number, at: string): void
  /** Folders in force that hold one document and not the other. */
  lacking(has: number, lacks: number): readonly { readonly no: number; readonly uuid: string }[]
}

export function createFolders(db: DatabaseSync): Folders {
  const touch = db.prepare('UPDATE object SET updated_at = ? WHERE no = ?')
  const lacking = db.prepare(
    `SELECT DISTINCT o.no, o.uuid FROM association a JOIN object m ON m.no = a.no JOIN object o ON o.no = a.source_no
     WHERE a.target_no = ?1 AND a.type = 'HasMember' AND a.current = 1 AND m.status = 'Approved'
     AND o.kind = 'Folder' AND o.status = 'Approved'
     AND NOT EXISTS (SELECT 1 FROM association b WHERE b.target_no = ?2 AND b.source_no = a.source_no AND b.type = 'HasMember')
     ORDER BY o.no`,
  )
  return {
    touch: (no, at) => void touch.run(at, no),
    lacking: (has, lacks) => lacking.all(has, lacks).map(({ no, uuid }) => ({ no: Number(no), uuid: String(uuid) })),
  }
}

/** The replaced document, and with it its addenda and transformations, and theirs. Archived and Deleted ones stay. */
export function createDeprecation(db: DatabaseSync): (objectNo: number, at: string) => void {
  const deprecate = db.prepare(
    `UPDATE document_entry SET status = 'Deprecated', updated_at = ?2, revision = revision + 1
     WHERE (patient_no, created, entry_uuid) = (SELECT patient_no, created, uuid FROM object WHERE no = ?1)
     AND status = 'Approved'`,
  )
  const children = db.prepare(
    `SELECT a.source_no FROM association a JOIN object o ON o.no = a.no
     WHERE a.target_no = ? AND a.type IN ('APND', 'XFRM') AND o.status = 'Approved'`,
  )
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
