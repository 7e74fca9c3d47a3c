/**
 * Where documents are, as far as the gateway was told: the patient and the uniqueId behind an id. The DMP answers within
 * one patient, and gives what it stores an entryUUID of its own that no answer to a submission tells; a FHIR id must lead
 * back to its document all the same, after a restart too. No metadata, no content.
 */
import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { EntryUuid, PatientKey, UniqueId } from '../../metadata/identifiers.ts'

export interface Reference {
  readonly patient: PatientKey
  readonly uniqueId: UniqueId
  /** This gateway fed it under this id. */
  readonly fed: boolean
}

export interface References {
  /** The reference under an entryUUID, a logicalId or a uniqueId. */
  find(id: string): Reference | undefined
  /** @param fed by this gateway: then it stays, the others make room for newer ones */
  remember(
    objects: readonly { readonly entryUuid: EntryUuid; readonly logicalId: EntryUuid; readonly uniqueId: UniqueId }[],
    patient: PatientKey,
    fed?: boolean,
  ): void
  close(): void
}

/** References kept of what was only found. */
const maxFound = 500_000
/** Writes between two looks at their number. */
const pruneEvery = 2_000

export function openReferences(file: string): References {
  const db = new DatabaseSync(file)
  chmodSync(file, 0o600)
  // What is lost in a power cut is found again: no need to wait for the disk
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS reference (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, unique_id TEXT NOT NULL,
      patient TEXT NOT NULL, fed INTEGER NOT NULL) STRICT`)
  const select = db.prepare('SELECT unique_id, patient, fed FROM reference WHERE id = ?')
  const insert = db.prepare(
    `INSERT INTO reference (id, unique_id, patient, fed) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (id) DO UPDATE SET unique_id = ?2, patient = ?3, fed = max(fed, ?4)
     WHERE unique_id <> ?2 OR patient <> ?3 OR fed < ?4`,
  )
  const prune = db.prepare(
    'DELETE FROM reference WHERE fed = 0 AND no <= (SELECT coalesce(max(no), 0) FROM reference) - ?',
  )
  let writes = 0
  return {
    find(id) {
      const row = select.get(id)
      if (row === undefined) return undefined
      return {
        patient: String(row.patient) as PatientKey,
        uniqueId: String(row.unique_id) as UniqueId,
        fed: row.fed === 1,
      }
    },
    remember(objects, patient, fed = false) {
      if (objects.length === 0) return
      db.exec('BEGIN IMMEDIATE')
      try {
        for (const { entryUuid, logicalId, uniqueId } of objects)
          for (const id of new Set([entryUuid, logicalId, uniqueId])) insert.run(id, uniqueId, patient, fed ? 1 : 0)
        writes += objects.length
        if (writes >= pruneEvery) {
          writes = 0
          prune.run(maxFound)
        }
        db.exec('COMMIT')
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
    close: () => db.close(),
  }
}
