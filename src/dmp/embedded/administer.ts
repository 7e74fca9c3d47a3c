/** The record itself and the patient's choices, inside the transaction of a batch. */
import type { DatabaseSync } from 'node:sqlite'
import type { AdministerCommand, Change, Choice, Done, OpenCommand } from './commands.ts'
import type { Registry } from './registry.ts'

export const choiceColumns: Readonly<Record<Choice, string>> = {
  consultationOpposed: 'consultation_opposed',
  feedOpposed: 'feed_opposed',
  breakGlassPermitted: 'break_glass_permitted',
  regulationPermitted: 'regulation_permitted',
  maskedInEmergencyPermitted: 'masked_in_emergency_permitted',
  maskByDefault: 'mask_by_default',
  initialConsent: 'initial_consent',
}

/** Opens a record or updates its demographics; a closed one stays closed. */
export function createOpen(db: DatabaseSync): (command: OpenCommand, at: string) => () => Done {
  const known = db.prepare('SELECT no FROM patient WHERE key = ?')
  const insert = db.prepare('INSERT INTO patient (key, demographics, opened_at, updated_at) VALUES (?1, ?2, ?3, ?3)')
  const update = db.prepare('UPDATE patient SET demographics = ?, updated_at = ? WHERE no = ?')
  return ({ patient, demographics }, at) => {
    const no = known.get(patient)?.no
    return () => {
      if (no === undefined) insert.run(patient, demographics, at)
      else update.run(demographics, at, no)
      return { created: no === undefined }
    }
  }
}

/** Gives what writes the change. Throws GatewayError `dmp-unknown` when there is no record. */
export function createAdminister(
  db: DatabaseSync,
  registry: Registry,
): (command: AdministerCommand, at: string) => () => void {
  const choose = new Map(
    Object.entries(choiceColumns).map(([choice, column]) => [
      choice,
      db.prepare(
        `INSERT INTO choices (patient_no, ${column}) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET ${column} = ?2`,
      ),
    ]),
  )
  const block = db.prepare('INSERT INTO blocked (patient_no, person, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const unblock = db.prepare('DELETE FROM blocked WHERE patient_no = ? AND person = ?')
  const designate = db.prepare(
    `INSERT INTO treating_physician (patient_no, role, person, at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET person = excluded.person, at = excluded.at`,
  )
  const dismiss = db.prepare('DELETE FROM treating_physician WHERE patient_no = ? AND role = ?')
  const authorise = db.prepare(
    `INSERT INTO authorisation (patient_no, person, at, until) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET at = excluded.at, until = excluded.until`,
  )
  // Closing a closed record keeps its date: the ten years of conservation run from the first closure.
  const close = db.prepare('UPDATE patient SET closed_at = coalesce(closed_at, ?2) WHERE no = ?1')
  const reopen = db.prepare('UPDATE patient SET closed_at = NULL WHERE no = ?')
  const brainDeath = db.prepare('UPDATE patient SET brain_death = ? WHERE no = ?')

  const write = (no: number, change: Change, at: string): void => {
    switch (change.kind) {
      case 'choice':
        choose.get(change.choice)?.run(no, change.value ? 1 : 0)
        return
      case 'block':
        block.run(no, change.person, at)
        return
      case 'unblock':
        unblock.run(no, change.person)
        return
      case 'designate':
        if (change.person === undefined) dismiss.run(no, change.role)
        else designate.run(no, change.role, change.person, at)
        return
      case 'authorise':
        authorise.run(no, change.person, at, change.until ?? null)
        return
      case 'close':
        close.run(no, at)
        return
      case 'reopen':
        reopen.run(no)
        return
      case 'brain-death':
        brainDeath.run(change.value ? 1 : 0, no)
        return
      default:
        change satisfies never
    }
  }
  return ({ patient: key, changes }, at) => {
    const no = registry.patientNo(key)
    return () => {
      for (const change of changes) write(no, change, at)
    }
  }
}
