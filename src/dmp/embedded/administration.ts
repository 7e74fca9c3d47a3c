/**
 * What the patient, the treating physician or the administrator settles about a record of the embedded DMP. The decision
 * to let them is the caller's; every change commits together with its access record.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { EntryUuid, PatientKey } from '../../metadata/identifiers.ts'
import type {
  AccessRecord,
  Choices,
  Notification,
  RecordSettings,
  Retention,
  StoredNotification,
} from '../../operations/ports.ts'
import { prepareRecord } from './access-log.ts'
import { choiceColumns } from './administer.ts'
import { authorisationHolder } from './authorisation.ts'
import type { Change, Choice } from './commands.ts'
import type { Writer } from './writer.ts'

/** One setter a change. Every method throws GatewayError `dmp-unknown` when the patient has no record. */
export interface Administration {
  setChoice(patient: PatientKey, choice: Choice, value: boolean, record: AccessRecord): Promise<void>
  /** Blocks a person (PS_IdNat) in every mode; what was authorised before counts as INTERDIT until unblocked. */
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

export type Reading = <T>(read: () => T) => T

async function submit(
  writer: Writer,
  patient: PatientKey,
  changes: readonly Change[],
  record: AccessRecord,
): Promise<void> {
  await writer.submit({ kind: 'administer', patient, changes, record: prepareRecord(record) })
}

export function createAdministration(writer: Writer, choices: Choices): Administration {
  const one = (patient: PatientKey, change: Change, record: AccessRecord) => submit(writer, patient, [change], record)
  return {
    setChoice: (patient, choice, value, record) => one(patient, { kind: 'choice', choice, value }, record),
    block: (patient, person, record) => one(patient, { kind: 'block', person }, record),
    unblock: (patient, person, record) => one(patient, { kind: 'unblock', person }, record),
    designate: (patient, role, person, record) => one(patient, { kind: 'designate', role, person }, record),
    authorise: (patient, person, until, record) => one(patient, { kind: 'authorise', person, until }, record),
    close: (patient, record) => one(patient, { kind: 'close' }, record),
    reopen: (patient, record) => one(patient, { kind: 'reopen' }, record),
    setBrainDeath: (patient, value, record) => one(patient, { kind: 'brain-death', value }, record),
    notifications: (patient) => choices.notices(patient),
  }
}

export function createChoices(writer: Writer, reader: DatabaseSync, reading: Reading): Choices {
  const record = reader.prepare(
    `SELECT p.no, coalesce(c.consultation_opposed, 0) AS consultation_opposed,
       coalesce(c.feed_opposed, 0) AS feed_opposed, coalesce(c.break_glass_permitted, 1) AS break_glass_permitted,
       coalesce(c.regulation_permitted, 1) AS regulation_permitted,
       coalesce(c.masked_in_emergency_permitted, 0) AS masked_in_emergency_permitted,
       coalesce(c.mask_by_default, 0) AS mask_by_default, coalesce(c.initial_consent, 0) AS initial_consent
     FROM patient p LEFT JOIN choices c ON c.patient_no = p.no WHERE p.key = ?`,
  )
  const blocked = reader.prepare('SELECT person, at FROM blocked WHERE patient_no = ? ORDER BY at, person')
  const designated = reader.prepare(
    'SELECT role, person, at FROM treating_physician WHERE patient_no = ? ORDER BY role',
  )
  const authorised = reader.prepare(
    'SELECT person, at, until FROM authorisation WHERE patient_no = ? ORDER BY at, person',
  )
  const notices = reader.prepare(
    `SELECT n.no, n.kind, n.recipient, n.text, n.documents, n.state, n.at FROM notification n
     JOIN patient p ON p.no = n.patient_no WHERE p.key = ? ORDER BY n.no DESC`,
  )
  const settings = (patient: PatientKey): RecordSettings | undefined => {
    const row = record.get(patient)
    if (row === undefined) return undefined
    const no = Number(row.no)
    const flags = Object.entries(choiceColumns).map(([choice, column]) => [choice, row[column] === 1])
    return {
      choices: Object.fromEntries(flags) as RecordSettings['choices'],
      blocked: blocked.all(no).map(({ person, at }) => ({ person: String(person), since: String(at) })),
      designated: designated.all(no).map(({ role, person, at }) => ({
        role: role === 'treating' ? 'treating' : 'administrator',
        person: String(person),
        since: String(at),
      })),
      authorised: authorised.all(no).map(({ person, at, until }) => ({
        ...authorisationHolder(String(person)),
        since: String(at),
        ...(until !== null && { until: String(until) }),
      })),
    }
  }
  return {
    inForce: async (patient) => reading(() => settings(patient)),
    apply: (patient, changes, accessRecord) => submit(writer, patient, changes, accessRecord),
    notices: async (patient) =>
      reading(() =>
        notices.all(patient).map((row) => ({
          no: Number(row.no),
          kind: row.kind as Notification['kind'],
          recipient: row.recipient as Notification['recipient'],
          text: String(row.text),
          documents: JSON.parse(String(row.documents)) as EntryUuid[],
          state: String(row.state),
          at: String(row.at),
        })),
      ),
  }
}

/** @param release removes the file of a document after its row is gone */
export function createRetention(
  writer: Writer,
  reader: DatabaseSync,
  reading: Reading,
  release: (file: string) => Promise<void>,
): Retention {
  const closed = reader.prepare(
    `SELECT p.key, p.closed_at, (SELECT count(*) FROM document_entry d WHERE d.patient_no = p.no AND d.latest = 1) AS documents
     FROM patient p WHERE p.closed_at < ? ORDER BY p.closed_at, p.no`,
  )
  const files = reader.prepare(
    `SELECT c.file FROM content c JOIN document_entry d ON d.content_no = c.no JOIN patient p ON p.no = d.patient_no
     WHERE p.key = ? AND c.file IS NOT NULL`,
  )
  return {
    closedBefore: async (instant) =>
      reading(() =>
        closed.all(instant).map(({ key, closed_at, documents }) => ({
          patient: String(key) as PatientKey,
          closedAt: String(closed_at),
          documents: Number(documents),
        })),
      ),
    async destroy(patient, closedBefore, record) {
      const onDisk = reading(() => files.all(patient).map(({ file }) => String(file)))
      await writer.submit({ kind: 'destroy', patient, closedBefore, record: prepareRecord(record) })
      // A crash before this leaves files without a row: the next start removes them.
      for (const file of new Set(onDisk)) await release(file)
    },
  }
}
