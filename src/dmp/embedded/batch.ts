/**
 * Group commit: one transaction and one fsync for all that queued while the writer was busy. Every command stands in its
 * own savepoint: one that fails is undone alone, the others commit.
 */
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../errors.ts'
import { createAppender } from './access-log.ts'
import { createAdminister, createOpen } from './administer.ts'
import type { Batch, Command, Done, Outcome } from './commands.ts'
import { createFeed } from './feed.ts'

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE_FULL = 13
const SQLITE_CONSTRAINT = 19

/**
 * Gives what runs a batch and answers once it is durable. Throws only when the commit itself failed for another reason
 * than a full disk: whether the batch is stored is then unknown, and so is whether the disk keeps anything. The writer
 * must end; what the log holds is found again at the next start.
 */
export function createBatchRunner(db: DatabaseSync): (batch: Batch) => Outcome[] {
  const apply = createApply(db)
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')
  const savepoint = db.prepare('SAVEPOINT command')
  const release = db.prepare('RELEASE command')
  const undo = db.prepare('ROLLBACK TO command')

  const one = (command: Command, at: string): Outcome => {
    savepoint.run()
    try {
      const value = apply(command, at)
      release.run()
      return { ok: true, value }
    } catch (error) {
      // A full disk may have ended the whole transaction already: the batch is lost, not this command alone.
      if (!db.isTransaction) throw error
      undo.run()
      release.run()
      return failure(error, true)
    }
  }

  return ({ at, commands }) => {
    try {
      begin.run()
    } catch (error) {
      return commands.map(() => failure(error, true))
    }
    let outcomes: Outcome[]
    try {
      outcomes = commands.map((command) => one(command, at))
    } catch (error) {
      if (db.isTransaction) rollback.run()
      return commands.map(() => failure(error, true))
    }
    try {
      commit.run()
    } catch (error) {
      if (db.isTransaction) rollback.run()
      if (resultCode(error) !== SQLITE_FULL) throw error
      return commands.map(() => failure(error, false))
    }
    return outcomes
  }
}

function createApply(db: DatabaseSync): (command: Command, at: string) => Done {
  const append = createAppender(db)
  const feed = createFeed(db)
  const open = createOpen(db)
  const administer = createAdminister(db)
  const probe = db.prepare(
    'INSERT INTO probe (no, at, count) VALUES (1, ?, 1) ON CONFLICT DO UPDATE SET at = excluded.at, count = count + 1',
  )
  return (command, at) => {
    switch (command.kind) {
      case 'feed':
        feed(command, at)
        append(command.record)
        return 'done'
      case 'open': {
        const done = open(command, at)
        append(command.record)
        return done
      }
      case 'record':
        append(command.record)
        return 'done'
      case 'administer':
        administer(command, at)
        append(command.record)
        return 'done'
      case 'probe':
        probe.run(at)
        return 'done'
    }
  }
}

function failure(error: unknown, undone: boolean): Outcome {
  if (error instanceof GatewayError) return { ok: false, issues: error.issues, cause: error.message, undone }
  const result = resultCode(error)
  const code = result === undefined || result === SQLITE_CONSTRAINT ? 'internal' : 'store-unavailable'
  return { ok: false, issues: [{ code }], cause: error instanceof Error ? error.message : String(error), undone }
}

/** The primary result code of an error of SQLite; undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
