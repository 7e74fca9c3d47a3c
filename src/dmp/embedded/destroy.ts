/**
 * Destruction inside the transaction of a batch: every row of a record that was closed long enough ago, but for the trace.
 * What is deleted is overwritten with zeros in the database file; the write-ahead log goes when the store is closed.
 */
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../errors.ts'
import type { DestroyCommand } from './commands.ts'

/** Tables with rows of one patient, those others refer to last. */
const tables = ['document_entry', 'object', 'choices', 'blocked', 'treating_physician', 'authorisation', 'information']

/** Gives what writes. Throws GatewayError `dmp-unknown` when no record was closed before that instant. */
export function createDestroy(db: DatabaseSync): (command: DestroyCommand) => () => void {
  const patient = db.prepare('SELECT no FROM patient WHERE key = ? AND closed_at < ?')
  const contents = db.prepare(
    'DELETE FROM content WHERE no IN (SELECT content_no FROM document_entry WHERE patient_no = ?)',
  )
  const associations = db.prepare(
    "DELETE FROM association WHERE no IN (SELECT no FROM object WHERE patient_no = ? AND kind = 'Association')",
  )
  const ofPatient = [...tables, 'notification'].map((table) => db.prepare(`DELETE FROM ${table} WHERE patient_no = ?`))
  const record = db.prepare('DELETE FROM patient WHERE no = ?')
  return ({ patient: key, closedBefore }) => {
    const no = patient.get(key, closedBefore)?.no
    if (typeof no !== 'number')
      throw new GatewayError({
        code: 'dmp-unknown',
        detail: 'No record of this patient was closed long enough ago: nothing is destroyed.',
      })
    return () => {
      db.exec('PRAGMA secure_delete = ON')
      contents.run(no)
      associations.run(no)
      for (const each of ofPatient) each.run(no)
      record.run(no)
    }
  }
}
