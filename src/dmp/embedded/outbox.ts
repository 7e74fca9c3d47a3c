/**
 * The access log as an outbox: nothing is copied, each destination has a position in it. The position moves, durably, once
 * the destination has what stands before it; after a crash some records are sent again, none is left out.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { TracedRecord, TraceFeed, TraceRecord } from '../../operations/ports.ts'
import type { AdvanceCommand } from './commands.ts'
import type { Writer } from './writer.ts'

/** Made where they are missing: they came after the first databases. */
export const outboxTables = `
CREATE TABLE IF NOT EXISTS export_position (
  destination TEXT PRIMARY KEY, sequence INTEGER NOT NULL, at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- What a destination would not take, and why: it is not sent again.
CREATE TABLE IF NOT EXISTS export_refused (
  destination TEXT NOT NULL, sequence INTEGER NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (destination, sequence)
) STRICT, WITHOUT ROWID;
-- What an operator wants sent again, whatever the position is.
CREATE TABLE IF NOT EXISTS export_again (
  destination TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (destination, sequence)
) STRICT, WITHOUT ROWID;
-- What is about no patient: refused credentials, mostly.
CREATE INDEX IF NOT EXISTS access_log_no_patient ON access_log (sequence) WHERE patient IS NULL;
`

/** Inside the transaction of a batch. A position never moves back. */
export function createAdvance(db: DatabaseSync): (command: AdvanceCommand, at: string) => void {
  const move = db.prepare(
    `INSERT INTO export_position (destination, sequence, at) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence), at = excluded.at`,
  )
  const refuse = db.prepare(
    `INSERT INTO export_refused (destination, sequence, reason, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  )
  const settle = db.prepare('DELETE FROM export_again WHERE destination = ? AND sequence = ?')
  return ({ destination, sequence, refused, again }, at) => {
    if (again === undefined) move.run(destination, sequence, at)
    else for (const each of again) settle.run(destination, each)
    for (const each of refused) refuse.run(destination, each.sequence, each.reason, at)
  }
}

/** @param reading runs a read, or fails closed */
export function createTraceFeed(db: DatabaseSync, writer: Writer, reading: <T>(read: () => T) => T): TraceFeed {
  const position = db.prepare('SELECT sequence FROM export_position WHERE destination = ?')
  const page = db.prepare('SELECT sequence, json FROM access_log WHERE sequence > ? ORDER BY sequence LIMIT ?')
  const last = db.prepare('SELECT max(sequence) AS sequence FROM access_log')
  const wanted = db.prepare(
    `SELECT a.sequence, a.json FROM export_again e JOIN access_log a ON a.sequence = e.sequence
     WHERE e.destination = ? ORDER BY e.sequence LIMIT ?`,
  )
  const wantedCount = db.prepare('SELECT count(*) AS count FROM export_again WHERE destination = ?')
  const traced = (row: Record<string, SQLOutputValue>): TracedRecord => ({
    sequence: Number(row.sequence),
    record: JSON.parse(Buffer.from(row.json as Uint8Array).toString()) as TraceRecord,
  })
  return {
    position: async (destination) => reading(() => Number(position.get(destination)?.sequence ?? 0)),
    after: async (sequence, limit) => reading(() => page.all(sequence, limit).map(traced)),
    again: async (destination, limit) => reading(() => wanted.all(destination, limit).map(traced)),
    againCount: async (destination) => reading(() => Number(wantedCount.get(destination)?.count)),
    head: async () => reading(() => Number(last.get()?.sequence ?? 0)),
    async advance(destination, sequence, refused = []) {
      await writer.submit({ kind: 'advance', destination, sequence, refused })
    },
    async sentAgain(destination, sequences, refused = []) {
      await writer.submit({ kind: 'advance', destination, sequence: 0, refused, again: sequences })
    },
  }
}
