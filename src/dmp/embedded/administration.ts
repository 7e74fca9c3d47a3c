/**
 * What the patient, the treating physician or the administrator settles about a record of the embedded DMP. The decision
 * to let them is the caller's; every change commits together with its access record.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { EntryUuid, PatientKey } from '../../metadata/identifiers.ts'
import type { AccessRecord, Notification } from '../../operations/ports.ts'
import { prepareRecord } from './access-log.ts'
import type { Change, Choice } from './commands.ts'
import type { Writer } from './writer.ts'

export interface StoredNotification extends Notification {
  readonly no: number
  /** Nothing delivers yet: a channel takes `pending` rows and marks them. */
  readonly state: string
  /** ISO 8601 instant. */
  readonly at: string
}

/** Every method throws GatewayError `dmp-unknown` when the patient has no record. Persons are PS_IdNat. */
export interface Administration {
  setChoice(patient: PatientKey, choice: Choice, value: boolean, record: AccessRecord): Promise<void>
  /** Blocks a person in every mode; what was authorised before counts as INTERDIT until unblocked. */
  block(patient: PatientKey, person: string, record: AccessRecord): Promise<void>
  unblock(patient: PatientKey, person: string, record: AccessRecord): Promise<void>
  /** The treating or the administrator physician; undefined: none any more. One person a role. */
  designate(
    patient: PatientKey,
    role: 'treating' | 'administrator',
    person: string | undefined,
    record: AccessRecord,
  ): Promise<void>
  /** An authorisation with an end: EXPIRE from `until` (ISO 8601 instant) on. */
  authorise(patient: PatientKey, person: string, until: string | undefined, record: AccessRecord): Promise<void>
  close(patient: PatientKey, record: AccessRecord): Promise<void>
  reopen(patient: PatientKey, record: AccessRecord): Promise<void>
  setBrainDeath(patient: PatientKey, value: boolean, record: AccessRecord): Promise<void>
  /** Newest first. */
  notifications(patient: PatientKey): Promise<readonly StoredNotification[]>
}

export function createAdministration(writer: Writer, reader: DatabaseSync): Administration {
  const rows = reader.prepare(
    `SELECT n.no, n.kind, n.recipient, n.text, n.documents, n.state, n.at FROM notification n
     JOIN patient p ON p.no = n.patient_no WHERE p.key = ? ORDER BY n.no DESC`,
  )
  const submit = async (patient: PatientKey, change: Change, record: AccessRecord): Promise<void> => {
    await writer.submit({ kind: 'administer', patient, change, record: prepareRecord(record) })
  }
  return {
    setChoice: (patient, choice, value, record) => submit(patient, { kind: 'choice', choice, value }, record),
    block: (patient, person, record) => submit(patient, { kind: 'block', person }, record),
    unblock: (patient, person, record) => submit(patient, { kind: 'unblock', person }, record),
    designate: (patient, role, person, record) => submit(patient, { kind: 'designate', role, person }, record),
    authorise: (patient, person, until, record) => submit(patient, { kind: 'authorise', person, until }, record),
    close: (patient, record) => submit(patient, { kind: 'close' }, record),
    reopen: (patient, record) => submit(patient, { kind: 'reopen' }, record),
    setBrainDeath: (patient, value, record) => submit(patient, { kind: 'brain-death', value }, record),
    async notifications(patient) {
      return rows.all(patient).map((row) => ({
        no: Number(row.no),
        kind: row.kind as Notification['kind'],
        recipient: row.recipient as Notification['recipient'],
        text: String(row.text),
        documents: JSON.parse(String(row.documents)) as EntryUuid[],
        state: String(row.state),
        at: String(row.at),
      }))
    },
  }
}
