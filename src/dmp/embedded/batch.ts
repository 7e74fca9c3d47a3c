/**
 * Group commit: one transaction and one fsync for all that queued while the writer was busy, each command whole or not at
 * all. A command first plans, which reads and may refuse, then writes, which should not fail. So the first run needs no
 * savepoints, whose copies of pages cost a tenth of a submission; should a write fail all the same, everything is rolled
 * back and the batch runs again with every command in its own savepoint: that one alone is then undone.
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

/** What a planned command does; to be called at once, before the next is planned. */
export type Write = () => Done

/**
 * Gives what runs a batch and answers once it is durable. Throws only when the commit itself failed for another reason
 * than a full disk: whether the batch is stored is then unknown, and so is whether the disk keeps anything. The writer
 * must end; what the log holds is found again at the next start.
 */
export function createBatchRunner(db: DatabaseSync): (batch: Batch) => Outcome[] {
  const log = createAppender(db)
  const plan = createPlans(db, log)
  const statements = {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    savepoint: db.prepare('SAVEPOINT command'),
    release: db.prepare('RELEASE command'),
    undo: db.prepare('ROLLBACK TO command'),
  }
  const rollback = (): void => {
    log.forget()
    if (db.isTransaction) statements.rollback.run()
  }

  const together = (command: Command, at: string): Outcome => {
    let write: Write
    try {
      write = plan(command, at)
    } catch (error) {
      return failure(error, true)
    }
    return { ok: true, value: write() }
  }

  const apart = (command: Command, at: string): Outcome => {
    statements.savepoint.run()
    try {
      const value = plan(command, at)()
      statements.release.run()
      return { ok: true, value }
    } catch (error) {
      // A full disk may have ended the whole transaction: the batch is lost, not this command alone.
      if (!db.isTransaction) throw error
      statements.undo.run()
      statements.release.run()
      log.forget()
      return failure(error, true)
    }
  }

  /** Gives undefined when something failed before the commit: all of it is rolled back. */
  const run = ({ at, commands }: Batch, each: typeof together): Outcome[] | { readonly failed: unknown } => {
    let outcomes: Outcome[]
    try {
      statements.begin.run()
      outcomes = commands.map((command) => each(command, at))
    } catch (failed) {
      rollback()
      return { failed }
    }
    try {
      statements.commit.run()
      return outcomes
    } catch (error) {
      rollback()
      if (resultCode(error) !== SQLITE_FULL) throw error
      return commands.map(() => failure(error, false))
    }
  }

  return (batch) => {
    const first = run(batch, together)
    if (Array.isArray(first)) return first
    const second = run(batch, apart)
    return Array.isArray(second) ? second : batch.commands.map(() => failure(second.failed, true))
  }
}

function createPlans(
  db: DatabaseSync,
  log: ReturnType<typeof createAppender>,
): (command: Command, at: string) => Write {
  const feed = createFeed(db)
  const open = createOpen(db)
  const administer = createAdminister(db)
  const probe = db.prepare(
    'INSERT INTO probe (no, at, count) VALUES (1, ?, 1) ON CONFLICT DO UPDATE SET at = excluded.at, count = count + 1',
  )
  const both = (write: () => void, append: () => void): Write => {
    return () => {
      write()
      append()
      return 'done'
    }
  }
  return (command, at) => {
    switch (command.kind) {
      case 'feed':
        return both(feed(command, at), log.plan(command.record))
      case 'administer':
        return both(administer(command, at), log.plan(command.record))
      case 'record':
        return both(() => {}, log.plan(command.record))
      case 'open': {
        const write = open(command, at)
        return () => {
          const done = write()
          // Planned now: its effects may be for the patient who was unknown before.
          log.plan(command.record)()
          return done
        }
      }
      case 'probe':
        return both(
          () => probe.run(at),
          () => {},
        )
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
