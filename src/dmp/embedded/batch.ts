/**
 * Group commit: one transaction and one fsync for all that queued while the writer was busy, each command whole or not at
 * all. A command first plans, which reads and may refuse, then writes, which should not fail. So a batch needs no
 * savepoints, whose copies of pages cost a tenth of a submission; should a write fail all the same (a full disk ends the
 * whole transaction, whatever savepoints it has), the batch is rolled back and its commands commit one by one.
 */
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../errors.ts'
import { type Appender, createAppender } from './access-log.ts'
import { createAdminister, createOpen } from './administer.ts'
import type { Batch, Command, Done, Outcome, PreparedRecord } from './commands.ts'
import { createDeliver } from './deliveries.ts'
import { createDestroy } from './destroy.ts'
import { createFeed } from './feed.ts'
import { createObjectRows } from './object-rows.ts'
import { createAdvance } from './outbox.ts'
import { createRegistry } from './registry.ts'
import { createRemove } from './remove.ts'
import { createUpdate } from './update.ts'

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
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')

  const one = (command: Command, at: string): Outcome => {
    let write: Write
    try {
      write = plan(command, at)
    } catch (error) {
      return failure(error)
    }
    return { ok: true, value: write() }
  }

  /** All of it, or nothing and why. */
  const together = (commands: readonly Command[], at: string): Outcome[] | { readonly failed: unknown } => {
    let planned: Outcome[] | undefined
    try {
      begin.run()
      planned = commands.map((command) => one(command, at))
      commit.run()
      return planned
    } catch (failed) {
      log.forget()
      if (db.isTransaction) rollback.run()
      if (planned !== undefined && resultCode(failed) !== SQLITE_FULL) throw failed
      return { failed }
    }
  }

  return ({ at, commands }) => {
    const outcomes = together(commands, at)
    if (Array.isArray(outcomes)) return outcomes
    if (commands.length === 1) return [failure(outcomes.failed)]
    return commands.flatMap((command) => {
      const alone = together([command], at)
      return Array.isArray(alone) ? alone : failure(alone.failed)
    })
  }
}

function createPlans(db: DatabaseSync, log: Appender): (command: Command, at: string) => Write {
  const registry = createRegistry(db)
  const rows = createObjectRows(db)
  const feed = createFeed(db, registry, rows)
  const update = createUpdate(db, registry, rows)
  const remove = createRemove(db)
  const open = createOpen(db)
  const administer = createAdminister(db, registry)
  const destroy = createDestroy(db)
  const advance = createAdvance(db)
  const deliver = createDeliver(db)
  const probe = db.prepare(
    'INSERT INTO probe (no, at, count) VALUES (1, ?, 1) ON CONFLICT DO UPDATE SET at = excluded.at, count = count + 1',
  )
  const recorded = (write: Write, record: PreparedRecord): Write => {
    const append = log.plan(record)
    return () => {
      const done = write()
      append()
      return done
    }
  }
  const done =
    (write: () => void): Write =>
    () => {
      write()
      return {}
    }
  return (command, at) => {
    switch (command.kind) {
      case 'feed':
        return recorded(done(feed(command, at)), command.record)
      case 'update': {
        const write = update(command, at)
        return recorded(() => ({ changed: write() }), command.record)
      }
      case 'remove': {
        const write = remove(command)
        return recorded(() => ({ files: write() }), command.record)
      }
      case 'administer':
        return recorded(done(administer(command, at)), command.record)
      case 'destroy':
        return recorded(done(destroy(command)), command.record)
      case 'record':
        return recorded(() => ({}), command.record)
      case 'open': {
        const write = open(command, at)
        return () => {
          const done = write()
          // Planned now: its effects may be for the patient who was unknown before.
          log.plan(command.record)()
          return done
        }
      }
      case 'advance':
        return done(() => advance(command, at))
      case 'deliver':
        return () => ({ count: deliver(command, at) })
      case 'probe':
        return done(() => probe.run(at))
    }
  }
}

function failure(error: unknown): Outcome {
  if (error instanceof GatewayError) return { ok: false, issues: error.issues, cause: error.message }
  const result = resultCode(error)
  const code = result === undefined || result === SQLITE_CONSTRAINT ? 'internal' : 'store-unavailable'
  return { ok: false, issues: [{ code }], cause: error instanceof Error ? error.message : String(error) }
}

/** The primary result code of an error of SQLite; undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
