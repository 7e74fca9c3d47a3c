/** The rows of an update that was checked (ITI TF-2 3.57.4.1.3.3). */
import type { DatabaseSync } from 'node:sqlite'
import type { Association } from '../../metadata/model.ts'
import type { PreparedVersion, UpdateCommand } from './commands.ts'
import { text } from './document-rows.ts'
import { createDeprecation, createFolders, replacing } from './feed-writes.ts'
import { type Deposit, made, type ObjectRows, type Version } from './object-rows.ts'
import type { Referred } from './registry.ts'
import type { UpdatePlan } from './update.ts'

export function createUpdateWrites(
  db: DatabaseSync,
  rows: ObjectRows,
): (command: UpdateCommand, plan: UpdatePlan, at: string) => readonly string[] {
  const version = createVersionWrite(db, rows)
  const carry = createPropagation(db, rows)
  const deprecate = createDeprecation(db)
  const folders = createFolders(db)
  const rowOf = '(patient_no, created, entry_uuid) = (SELECT patient_no, created, uuid FROM object WHERE no = ?1)'
  const entryStatus = db.prepare(
    `UPDATE document_entry SET status = ?2, updated_at = ?3, revision = revision + 1 WHERE ${rowOf}`,
  )
  const objectStatus = db.prepare(
    `UPDATE object SET status = ?2, updated_at = ?3 WHERE no = ?1 AND kind <> 'DocumentEntry'`,
  )

  return (command, { patientNo, previous, statuses, referrals }, at) => {
    const { submissionSet } = command
    const numbers = new Map<string, number>([...referrals].map(([id, { no }]) => [id, no]))
    const changed: string[] = []
    if (submissionSet) numbers.set(submissionSet.entryUuid, rows.package('SubmissionSet', submissionSet, patientNo, at))
    for (const next of command.versions) {
      const before = previous.get(next.row.entryUuid)
      if (before === undefined) throw new RangeError('a version was not checked')
      const no = version(next, before, patientNo, at)
      numbers.set(next.row.entryUuid, no)
      changed.push(next.row.entryUuid)
      const holder = submissionSet && { uuid: submissionSet.entryUuid, no: numberIn(numbers, submissionSet.entryUuid) }
      carry(before, { no, uuid: next.row.entryUuid }, { propagate: next.propagate, holder, patientNo, at })
    }
    for (const association of command.associations)
      numbers.set(association.entryUuid, rows.association(association, patientNo, at))
    for (const { entryUuid, type, source, target } of command.associations) {
      const current = [source, target].every((id) => referrals.get(id)?.latest !== false)
      const [sourceNo, targetNo] = [numberIn(numbers, source), numberIn(numbers, target)]
      rows.link(numberIn(numbers, entryUuid), type, sourceNo, targetNo, current)
      if (replacing.has(type)) deprecate(targetNo, at)
      if (type === 'HasMember' && referrals.get(source)?.kind === 'Folder') folders.touch(sourceNo, at)
    }
    for (const { target, to } of statuses) {
      const [no, uuid] = typeof target === 'string' ? [numberIn(numbers, target), target] : [target.no, target.uuid]
      entryStatus.run(no, to, at)
      objectStatus.run(no, to, at)
      changed.push(uuid)
    }
    return [...new Set(changed)]
  }
}

function numberIn(numbers: ReadonlyMap<string, number>, uuid: string): number {
  const no = numbers.get(uuid)
  if (no === undefined) throw new RangeError('an object of the update was not checked')
  return no
}

/** The new version takes the place of the one before, which stays as it was when it was in force, but Deprecated. */
function createVersionWrite(
  db: DatabaseSync,
  rows: ObjectRows,
): (next: PreparedVersion, before: Referred, patientNo: number, at: string) => number {
  const rowOf = '(patient_no, created, entry_uuid) = (SELECT patient_no, created, uuid FROM object WHERE no = ?1)'
  const deposit = db.prepare(
    `SELECT content_no, deposited_by, feeding_structure, deposited_at FROM document_entry WHERE ${rowOf}`,
  )
  // updated_at stays: it is when that version was made, which its history tells.
  const supersede = db.prepare(`UPDATE document_entry SET latest = 0, status = 'Deprecated' WHERE ${rowOf}`)
  const supersedeFolder = db.prepare(`UPDATE object SET status = 'Deprecated' WHERE no = ?`)
  return ({ row, kind, logicalId }, before, patientNo, at) => {
    const version: Version = {
      logicalNo: before.logicalNo,
      logicalId,
      number: before.version + 1,
      status: before.status,
    }
    if (kind === 'Folder') {
      supersedeFolder.run(before.no)
      return rows.package('Folder', row, patientNo, at, version)
    }
    const stored = deposit.get(before.no)
    if (stored === undefined) throw new RangeError('an entry has no row')
    // Who deposited it, when, and its bytes stay what they were, whatever changes in the metadata.
    const kept: Deposit = {
      patientNo,
      contentNo: stored.content_no ?? null,
      depositedBy: String(stored.deposited_by),
      feedingStructure: stored.feeding_structure === null ? null : String(stored.feeding_structure),
      depositedAt: String(stored.deposited_at),
      updatedAt: at,
    }
    supersede.run(before.no)
    return rows.entry(row, kept, version)
  }
}

interface CarryOptions {
  readonly propagate: boolean
  /** The SubmissionSet of the update; without one the new version stays with that of the version before. */
  readonly holder: { readonly uuid: string; readonly no: number } | undefined
  readonly patientNo: number
  readonly at: string
}

/**
 * AssociationPropagation: what linked the previous version links the new one too, and what linked the previous version
 * is history. A membership of a folder is itself held by the SubmissionSet that brought it.
 */
function createPropagation(
  db: DatabaseSync,
  rows: ObjectRows,
): (before: Referred, next: { readonly no: number; readonly uuid: string }, options: CarryOptions) => void {
  const touching =
    'no IN (SELECT no FROM association WHERE source_no = ?1 UNION SELECT no FROM association WHERE target_no = ?1)'
  const inForce = db.prepare(
    `SELECT a.source_no, a.target_no, s.uuid AS source, s.kind AS source_kind, t.uuid AS target, o.json
     FROM association a JOIN object o ON o.no = a.no JOIN object s ON s.no = a.source_no JOIN object t ON t.no = a.target_no
     WHERE a.${touching} AND a.current = 1 AND o.status = 'Approved' ORDER BY a.no`,
  )
  // And with them what holds them: a SubmissionSet holds the memberships of its folders.
  const retire = db.prepare(`UPDATE association SET current = 0 WHERE ${touching}
    OR target_no IN (SELECT no FROM association WHERE ${touching})`)
  return (before, next, { propagate, holder, patientNo, at }) => {
    const links = inForce.all(before.no)
    retire.run(before.no)
    for (const { source_no, target_no, source, source_kind, target, json } of links) {
      const held = source_kind === 'SubmissionSet'
      if (held ? holder !== undefined : !propagate) continue
      const like = JSON.parse(text(json)) as Association
      const from = source_no === before.no ? next : { no: Number(source_no), uuid: String(source) }
      const to = target_no === before.no ? next : { no: Number(target_no), uuid: String(target) }
      const copy = made(like, from.uuid, to.uuid)
      const copyNo = rows.association(copy, patientNo, at)
      rows.link(copyNo, like.type, from.no, to.no)
      if (holder === undefined || source_kind !== 'Folder' || like.type !== 'HasMember') continue
      const ownership = rows.association(made({ type: 'HasMember' }, holder.uuid, copy.entryUuid), patientNo, at)
      rows.link(ownership, 'HasMember', holder.no, copyNo)
    }
  }
}
