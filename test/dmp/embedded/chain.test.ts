import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { createAppender, prepareRecord, verifyChain } from '../../../src/dmp/embedded/access-log.ts'
import { openForWriting } from '../../../src/dmp/embedded/schema.ts'
import { anAccessRecord, otherPatient } from '../mothers.ts'

describe('the chain of the trace', () => {
  let folder: string
  let db: DatabaseSync
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'dmp-chain-'))
    db = openForWriting(path.join(folder, 'dmp.sqlite'))
    db.exec('BEGIN')
    const { plan } = createAppender(db)
    for (let each = 0; each < 1203; each++) plan(prepareRecord(anAccessRecord()))()
    db.exec('COMMIT')
  })
  afterEach(() => {
    db.close()
    rmSync(folder, { recursive: true })
  })

  const unlocked = (sql: string): void => {
    db.exec('DROP TRIGGER access_log_no_update; DROP TRIGGER access_log_no_delete')
    db.exec(sql)
  }
  const problem = async (): Promise<string> => {
    const verdict = await verifyChain(db)
    return verdict.whole ? 'none' : `${verdict.sequence}: ${verdict.problem}`
  }

  it('is whole as it was written', async () => {
    const verdict = await verifyChain(db)
    assert.ok(verdict.whole)
    assert.deepEqual([verdict.records, verdict.head.sequence, verdict.head.hash.length], [1203, 1203, 64])
  })

  it('goes on from where it stood', async () => {
    createAppender(db).plan(prepareRecord(anAccessRecord()))()
    const verdict = await verifyChain(db)
    assert.deepEqual([verdict.whole, verdict.whole && verdict.records], [true, 1204])
  })

  it('can be neither changed nor shortened through SQL', () => {
    assert.throws(() => db.exec(`UPDATE access_log SET at = ''`), /append-only/)
    assert.throws(() => db.exec('DELETE FROM access_log'), /append-only/)
  })

  it('shows a record that was changed', async () => {
    unlocked(
      `UPDATE access_log SET json = CAST(replace(CAST(json AS TEXT), 'TD3.2', 'TD0.2') AS BLOB) WHERE sequence = 700`,
    )
    assert.equal(await problem(), '700: the record or its hash was changed')
  })

  it('shows a hash that was changed', async () => {
    unlocked('UPDATE access_log SET hash = zeroblob(32) WHERE sequence = 5')
    assert.equal(await problem(), '5: the record or its hash was changed')
  })

  it('shows a record that was taken out, and two that changed places', async () => {
    unlocked('DELETE FROM access_log WHERE sequence = 12')
    assert.equal(await problem(), '12: a record is missing')
    db.exec('UPDATE access_log SET sequence = sequence - 1 WHERE sequence > 12')
    assert.equal(await problem(), '12: the record or its hash was changed')
  })

  it('shows a record that was hidden from the history of its patient', async () => {
    unlocked(`UPDATE access_log SET patient = '${otherPatient}' WHERE sequence = 3`)
    assert.equal(await problem(), '3: the columns that find the record do not agree with it')
  })

  it('shows records cut off at the end, or another chain, to whoever kept a head', async () => {
    const before = await verifyChain(db)
    assert.ok(before.whole)
    assert.ok((await verifyChain(db, before.head)).whole)
    unlocked('DELETE FROM access_log WHERE sequence > 1000')
    assert.ok((await verifyChain(db)).whole, 'the chain alone does not show it')
    assert.equal((await verifyChain(db, before.head)).whole, false)
    const { plan } = createAppender(db)
    for (let each = 0; each < 300; each++) plan(prepareRecord(anAccessRecord()))()
    assert.equal((await verifyChain(db, before.head)).whole, false)
  })
})
