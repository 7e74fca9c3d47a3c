/**
 * Destruction inside the transaction of a batch: every row of a record that was closed long enough ago, but for the trace.
 * What is deleted is overwritten with zeros in the database file (schema.ts); the write-ahead log goes when the store is
 * closed.
 */
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../errors.ts'
import type { DestroyCommand } from './commands.ts'

/** Tables with rows of one patient besides its registry objects. */
const tables = [
  'document_entry',
  'choices',
  'blocked',
  'treating_physician',
  'authorisation',
  'information',
  'delivery',
  'notification',
]

/** Gives what writes. Throws GatewayError `dmp-unknown` when no record was closed before that instant. */
export function createDestroy(db: DatabaseSync): (command: DestroyCommand) => () => void {
  db.exec('CREATE TEMP TABLE doomed (no INTEGER PRIMARY KEY)')
  const patient = db.prepare('SELECT no FROM patient WHERE key = ? AND closed_at < ?')
  // Objects have no index by patient: they are found through the documents, the packages and what has these as its source.
  const doom = [
    'INSERT OR IGNORE INTO doomed SELECT object_no FROM document_entry WHERE patient_no = ?',
    "INSERT OR IGNORE INTO doomed SELECT no FROM object WHERE patient_no = ? AND kind IN ('SubmissionSet', 'Folder')",
  ].map((sql) => db.prepare(sql))
  const contents = db.prepare(
    'DELETE FROM content WHERE no IN (SELECT content_no FROM document_entry WHERE patient_no = ?)',
  )
  const objects = [
    'INSERT OR IGNORE INTO doomed SELECT a.no FROM association a JOIN doomed d ON a.source_no = d.no',
    'DELETE FROM association WHERE no IN (SELECT no FROM doomed)',
    'DELETE FROM object WHERE no IN (SELECT no FROM doomed)',
    'DELETE FROM doomed',
  ].map((sql) => db.prepare(sql))
  const ofPatient = tables.map((table) => db.prepare(`DELETE FROM ${table} WHERE patient_no = ?`))
  const record = db.prepare('DELETE FROM patient WHERE no = ?')
  return ({ patient: key, closedBefore }) => {
    const no = patient.get(key, closedBefore)?.no
    if (typeof no !== 'number')
      throw new GatewayError({
        code: 'dmp-unknown',
        detail: 'No record of this patient was closed long enough ago: nothing is destroyed.',
      })
    return () => {
      for (const each of doom) each.run(no)
      contents.run(no)
      for (const each of objects) each.run()
      for (const each of ofPatient) each.run(no)
      record.run(no)
    }
  }
}
