/** Rows of registry objects, as feeding and updating write them. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { newAssociation } from '../../metadata/association.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { Association, AvailabilityStatus, RegistryObject } from '../../metadata/model.ts'
import type { PreparedAssociation, PreparedContent, PreparedEntry } from './commands.ts'

interface ObjectRow {
  readonly entryUuid: string
  readonly uniqueId?: string
  readonly hash?: string | undefined
  readonly created?: string
  readonly json: string
}

/** What the row of a document holds besides its metadata. */
export interface Deposit {
  readonly patientNo: number
  readonly contentNo: SQLInputValue
  readonly depositedBy: string
  readonly feedingStructure: string | null
  readonly depositedAt: string
  readonly updatedAt: string
}

/** The version of an object; without: the first. */
export interface Version {
  /** Number of the first version, and its entryUUID. */
  readonly logicalNo: number
  readonly logicalId: string
  readonly number: number
  readonly status: AvailabilityStatus
}

/** Every method gives the number of its object. */
export interface ObjectRows {
  entry(row: PreparedEntry, deposit: Deposit, version?: Version): number
  content(content: PreparedContent): SQLInputValue
  package(kind: 'SubmissionSet' | 'Folder', row: ObjectRow, patientNo: number, at: string, version?: Version): number
  /** Its ends are linked by `link` once they have numbers. */
  association(row: PreparedAssociation, patientNo: number, at: string): number
  link(no: number, type: string, sourceNo: number, targetNo: number, current?: boolean): void
}

export function createObjectRows(db: DatabaseSync): ObjectRows {
  const object = db.prepare(
    `INSERT INTO object (no, uuid, logical_no, version, kind, patient_no, unique_id, hash, created, status, updated_at, json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const content = db.prepare('INSERT INTO content (sha1, size, bytes, file) VALUES (?, ?, ?, ?)')
  const entry = db.prepare(
    `INSERT INTO document_entry (patient_no, created, entry_uuid, object_no, content_no, logical_id, version, latest, status,
     on_demand, unique_id, class_code, class_system, type_code, type_system, confidentiality, author_persons,
     deposited_by, feeding_structure, deposited_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const link = db.prepare('INSERT INTO association (no, type, source_no, target_no, current) VALUES (?, ?, ?, ?, ?)')
  // This connection alone writes: the number only grows, past what was rolled back too.
  let last = Number(db.prepare('SELECT coalesce(max(no), 0) AS last FROM object').get()?.last)

  const write = (
    kind: RegistryObject['kind'],
    row: ObjectRow,
    patientNo: number,
    status: AvailabilityStatus | null,
    at: string,
    version?: Version,
  ): number => {
    const no = ++last
    const values: SQLInputValue[] = [
      no,
      row.entryUuid,
      version?.logicalNo ?? null,
      version?.number ?? 1,
      kind,
      patientNo,
    ]
    values.push(row.uniqueId ?? null, row.hash ?? null, row.created ?? null, status, at, Buffer.from(row.json))
    object.run(...values)
    return no
  }

  return {
    entry(row, deposit, version) {
      const { patientNo, contentNo, depositedBy, feedingStructure, depositedAt, updatedAt } = deposit
      const no = write('DocumentEntry', row, patientNo, null, updatedAt, version)
      const values: SQLInputValue[] = [patientNo, row.created, row.entryUuid, no, contentNo, version?.logicalId ?? null]
      values.push(version?.number ?? 1, version?.status ?? 'Approved', row.onDemand ? 1 : 0, row.uniqueId)
      values.push(row.classCode ?? null, row.classSystem ?? null, row.typeCode ?? null, row.typeSystem ?? null)
      values.push(row.confidentiality, row.authorPersons, depositedBy, feedingStructure, depositedAt, updatedAt)
      entry.run(...values)
      return no
    },
    content: ({ sha1, size, bytes, file }) => content.run(sha1, size, bytes ?? null, file ?? null).lastInsertRowid,
    package: (kind, row, patientNo, at, version) =>
      write(kind, row, patientNo, version?.status ?? 'Approved', at, version),
    association: (row, patientNo, at) => write('Association', row, patientNo, 'Approved', at),
    link: (no, type, sourceNo, targetNo, current = true) =>
      void link.run(no, type, sourceNo, targetNo, current ? 1 : 0),
  }
}

/** An association that the registry itself makes. */
export function made(like: Pick<Association, 'type'> & Partial<Association>, source: string, target: string) {
  const fresh = newAssociation(like.type, source as EntryUuid, target as EntryUuid)
  const { entryUuid } = fresh
  const association: Association = { ...like, ...fresh, extra: like.extra ?? fresh.extra }
  return { entryUuid, type: like.type, source, target, json: JSON.stringify(association) } satisfies PreparedAssociation
}
