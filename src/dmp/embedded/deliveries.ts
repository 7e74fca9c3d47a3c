/**
 * What people are to be told, on its way to them: one row for each channel and notification. A row is claimed, durably,
 * before anything leaves, and settled when it has left; one that is found claimed after a crash may have been sent and is
 * not sent again.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Deliveries } from '../../operations/ports.ts'
import type { DeliverCommand } from './commands.ts'
import type { Writer } from './writer.ts'

/** Made where they are missing: they came after the first databases. */
export const deliveryTables = `
CREATE TABLE IF NOT EXISTS delivery_position (channel TEXT PRIMARY KEY, notification_no INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
  channel TEXT NOT NULL,
  notification_no INTEGER NOT NULL,
  patient_no INTEGER NOT NULL,
  state TEXT NOT NULL,                   -- waiting, sending, sent, failed, no-recipient, uncertain
  attempts INTEGER NOT NULL,
  next_at TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (channel, notification_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (channel, next_at) WHERE state = 'waiting';
`

/** Inside the transaction of a batch; gives how many rows changed. */
export function createDeliver(db: DatabaseSync): (command: DeliverCommand, at: string) => number {
  const known = db.prepare('SELECT notification_no FROM delivery_position WHERE channel = ?')
  const begin = db.prepare(
    'INSERT INTO delivery_position (channel, notification_no) SELECT ?, coalesce(max(no), 0) FROM notification',
  )
  const enrol = db.prepare(
    `INSERT INTO delivery (channel, notification_no, patient_no, state, attempts, next_at, at)
     SELECT ?1, no, patient_no, 'waiting', 0, at, ?2 FROM notification WHERE no > ?3 ORDER BY no ON CONFLICT DO NOTHING`,
  )
  const move = db.prepare(
    `UPDATE delivery_position SET notification_no = max(notification_no, (SELECT coalesce(max(no), 0) FROM notification))
     WHERE channel = ?`,
  )
  const claim = db.prepare(
    `UPDATE delivery SET state = 'sending', attempts = attempts + 1, at = ?3
     WHERE channel = ?1 AND notification_no = ?2 AND state = 'waiting'`,
  )
  const settle = db.prepare(
    `UPDATE delivery SET state = ?3, next_at = ?4, at = ?5
     WHERE channel = ?1 AND notification_no = ?2 AND state IN ('waiting', 'sending')`,
  )
  const told = db.prepare("UPDATE notification SET state = 'delivered' WHERE no = ?")
  const interrupted = db.prepare(
    "UPDATE delivery SET state = 'uncertain', at = ?2 WHERE channel = ?1 AND state = 'sending'",
  )
  return (command, at) => {
    const { channel, step } = command
    switch (step.kind) {
      case 'enrol': {
        const position = known.get(channel)
        if (position === undefined) {
          // A channel that is new tells what happens from now on, not what happened before it was there
          begin.run(channel)
          return 0
        }
        const { changes } = enrol.run(channel, at, Number(position.notification_no))
        if (changes > 0) move.run(channel)
        return Number(changes)
      }
      case 'claim':
        return Number(claim.run(channel, step.no, at).changes)
      case 'settle': {
        const { changes } = settle.run(channel, step.no, step.state, step.nextAt ?? at, at)
        if (step.state === 'sent') told.run(step.no)
        return Number(changes)
      }
      case 'interrupted':
        return Number(interrupted.run(channel, at).changes)
    }
  }
}

/** @param reading runs a read, or fails closed */
export function createDeliveries(db: DatabaseSync, writer: Writer, reading: <T>(read: () => T) => T): Deliveries {
  const waiting = db.prepare(
    `SELECT d.notification_no, d.attempts, p.key FROM delivery d JOIN patient p ON p.no = d.patient_no
     WHERE d.channel = ? AND d.state = 'waiting' AND d.next_at <= ? ORDER BY d.next_at LIMIT ?`,
  )
  const newest = db.prepare('SELECT coalesce(max(no), 0) AS no FROM notification')
  const position = db.prepare('SELECT notification_no FROM delivery_position WHERE channel = ?')
  const counts = db.prepare('SELECT state, count(*) AS count FROM delivery WHERE channel = ? GROUP BY state')
  const submit = async (command: DeliverCommand): Promise<number> => (await writer.submit(command)).value.count ?? 0
  return {
    async enrol(channel) {
      // Asked first: looking costs nothing, writing costs a commit
      const [last, known] = reading(() => [Number(newest.get()?.no), position.get(channel)?.notification_no] as const)
      if (last === known) return 0
      return submit({ kind: 'deliver', channel, step: { kind: 'enrol' } })
    },
    waiting: async (channel, now, limit) =>
      reading(() =>
        waiting.all(channel, now, limit).map(({ notification_no, attempts, key }) => ({
          no: Number(notification_no),
          attempts: Number(attempts),
          patient: String(key) as PatientKey,
        })),
      ),
    claim: async (channel, no) => (await submit({ kind: 'deliver', channel, step: { kind: 'claim', no } })) === 1,
    async settle(channel, no, state, nextAt) {
      await submit({ kind: 'deliver', channel, step: { kind: 'settle', no, state, nextAt } })
    },
    interrupted: (channel) => submit({ kind: 'deliver', channel, step: { kind: 'interrupted' } }),
    counts: async (channel) =>
      reading(() => Object.fromEntries(counts.all(channel).map(({ state, count }) => [String(state), Number(count)]))),
  }
}
