import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { prepareRecord, verifyChain } from '../../../src/dmp/embedded/access-log.ts'
import { createBatchRunner } from '../../../src/dmp/embedded/batch.ts'
import type { Command, RecordCommand } from '../../../src/dmp/embedded/commands.ts'
import { openForReading, openForWriting } from '../../../src/dmp/embedded/schema.ts'
import { startWriter, WriteError, type Writer } from '../../../src/dmp/embedded/writer.ts'
import { anAccessRecord, refused } from '../mothers.ts'

const at = '2026-06-01T12:00:00.000Z'
const clock = { now: () => new Date(at) }
const aRecord = (): RecordCommand => ({ kind: 'record', record: prepareRecord(anAccessRecord({ patient: undefined })) })
/** What planning lets through and the database refuses: its place in the chain has no time. */
const aBrokenRecord = (): Command => ({
  kind: 'record',
  record: { ...aRecord().record, at: null as unknown as string },
})

describe('the writer', () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-writer-'))
    file = path.join(folder, 'dmp.sqlite')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const count = (): number => {
    const db = openForReading(file)
    const row = db.prepare('SELECT count(*) AS count FROM access_log').get()
    db.close()
    return Number(row?.count)
  }

  it('undoes the command whose write fails, alone, and keeps the chain whole', async () => {
    const db = openForWriting(file)
    const run = createBatchRunner(db)
    const outcomes = run({ at, commands: [aRecord(), aBrokenRecord(), aRecord(), aBrokenRecord(), aRecord()] })
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [true, false, true, false, true],
    )
    assert.deepEqual(
      run({ at, commands: [aRecord()] }).map(({ ok }) => ok),
      [true],
    )
    const verdict = await verifyChain(db)
    assert.deepEqual([verdict.whole, count()], [true, 4])
    db.close()
  })

  it('takes what waits while it is busy as one batch', async () => {
    const writer = await startWriter({ file, clock, syncDelayMs: 5 })
    const start = performance.now()
    await Promise.all(Array.from({ length: 200 }, () => writer.submit(aRecord())))
    assert.ok(performance.now() - start < 200 * 5, 'fewer commits than commands')
    assert.equal(count(), 200)
    await writer.close()
  })

  it('rejects what is under way and what waits when its thread dies, and fails closed from then on', async () => {
    const writer = await startWriter({ file, clock, syncDelayMs: 50 })
    const first = writer.submit(aRecord())
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    const waiting = writer.submit(aRecord())
    const settled = Promise.allSettled([first, waiting])
    await writer.thread.terminate()
    const errors = (await settled).map((result) => (result.status === 'rejected' ? result.reason : undefined))
    for (const error of errors) refused('store-unavailable')(error)
    // The first may have been committed, which its files must survive; the second was never sent.
    assert.deepEqual(
      errors.map((error) => error instanceof WriteError && error.undone),
      [false, true],
    )
    await assert.rejects(writer.submit(aRecord()), refused('store-unavailable'))
    await writer.close()
  })

  it('tells callers to come back when too much waits', async () => {
    const writer: Writer = await startWriter({ file, clock })
    const big = 200 * 1024 * 1024
    const first = writer.submit(aRecord(), big)
    await assert.rejects(writer.submit(aRecord(), big), refused('busy'))
    await first
    await writer.submit(aRecord(), big)
    await writer.close()
  })

  it('goes on after a command that cannot be sent to its thread', async () => {
    const writer = await startWriter({ file, clock })
    const impossible = { ...aRecord(), record: { ...aRecord().record, effects: { notifications: [], by: () => {} } } }
    await assert.rejects(writer.submit(impossible as unknown as Command), refused('internal'))
    await writer.submit(aRecord())
    await writer.close()
    assert.equal(count(), 1)
  })

  it('says why a database cannot be opened', async () => {
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 7')
    db.close()
    await assert.rejects(startWriter({ file, clock }), /later version/)
  })
})
