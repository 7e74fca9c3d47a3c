import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type EmbeddedDmp, type EmbeddedDmpOptions, openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { openForWriting } from '../../../src/dmp/embedded/schema.ts'
import { aDocumentEntry, aSubmission, repositoryUniqueId, sha1 } from '../../mothers/metadata.ts'
import { accessesOf } from '../../support/trace.ts'
import { anAccessRecord, contentsOf, documentsOf, feed, refused, thePatient } from '../mothers.ts'

const large = 300 * 1024

describe('the embedded store', () => {
  let directory: string
  let store: EmbeddedDmp
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'dmp-store-'))
    store = await open()
    await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
  })
  afterEach(async () => {
    await store.close()
    await rm(directory, { recursive: true })
  })

  const open = (options: Partial<EmbeddedDmpOptions> = {}) =>
    openEmbeddedDmp({ directory, repositoryUniqueId, ...options })
  const reopen = async (options: Partial<EmbeddedDmpOptions> = {}): Promise<void> => {
    await store.close()
    store = await open(options)
  }
  /** Changes the closed database behind the back of the store. */
  const tamper = async (sql: string): Promise<void> => {
    await store.close()
    const db = new DatabaseSync(path.join(directory, 'dmp.sqlite'))
    db.exec(sql)
    db.close()
    store = await open()
  }
  const fed = async (bytes: Buffer) => {
    const entry = aDocumentEntry({ hash: sha1(bytes), size: bytes.length })
    const submission = aSubmission({ entries: [entry] })
    await feed(store.dmp, submission, contentsOf(submission, bytes))
    return entry
  }
  const files = (): string[] =>
    readdirSync(path.join(directory, 'content'), { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile())
      .map((found) => path.join(found.parentPath, found.name))

  it('stays after it is closed and opened again', async () => {
    const bytes = randomBytes(large)
    const [small, big] = [await fed(Buffer.from('small')), await fed(bytes)]
    await reopen()
    assert.equal((await documentsOf(store.dmp)).length, 2)
    assert.equal((await (await store.dmp.content(small.entryUuid))?.stream().toArray())?.join(''), 'small')
    const again = await (await store.dmp.content(big.entryUuid))?.stream().toArray()
    assert.ok(Buffer.concat(again ?? []).equals(bytes))
    assert.equal((await accessesOf(store.trace, { patient: thePatient })).length, 3)
  })

  it('syncs every commit, in a write-ahead log', () => {
    const db = openForWriting(path.join(directory, 'other.sqlite'))
    assert.deepEqual({ ...db.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' })
    assert.deepEqual({ ...db.prepare('PRAGMA synchronous').get() }, { synchronous: 2 })
    db.close()
  })

  it('is for this user only', () => {
    assert.equal(statSync(path.join(directory, 'dmp.sqlite')).mode & 0o077, 0)
    assert.equal(statSync(path.join(directory, 'dmp.sqlite-wal')).mode & 0o077, 0)
    assert.equal(statSync(path.join(directory, 'content')).mode & 0o077, 0)
  })

  it('refuses a folder that is open, here or in another process', async () => {
    await assert.rejects(open(), /in use by another dmp-gateway/)
    const child = fork(path.join(import.meta.dirname, 'open-child.ts'), [directory], { stdio: 'ignore' })
    const [message] = await once(child, 'message')
    assert.match(String(message), /in use by another dmp-gateway/)
    await once(child, 'exit')
    await reopen()
  })

  it('refuses a database of a later version, saying so', async () => {
    await store.close()
    const file = path.join(directory, 'dmp.sqlite')
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    await assert.rejects(open(), /later version of dmp-gateway \(99\)/)
    db.exec('PRAGMA user_version = 1')
    db.close()
    store = await open()
  })

  it('takes a file over instead of copying it', async () => {
    const bytes = randomBytes(large)
    const entry = aDocumentEntry({ hash: sha1(bytes), size: large })
    const spooled = path.join(directory, 'spooled')
    writeFileSync(spooled, bytes)
    const { ino } = statSync(spooled)
    const content = { size: large, sha1: sha1(bytes), path: spooled, stream: () => assert.fail('the file is there') }
    await feed(store.dmp, aSubmission({ entries: [entry] }), new Map([[entry.entryUuid, content]]))
    assert.ok(!existsSync(spooled))
    assert.deepEqual(
      files().map((file) => statSync(file).ino),
      [ino],
    )
  })

  it('leaves no file of a refused submission', async () => {
    const entry = await fed(Buffer.from('known'))
    const bytes = randomBytes(large)
    const again = aSubmission({ entries: [aDocumentEntry({ uniqueId: entry.uniqueId, hash: undefined, size: large })] })
    await assert.rejects(feed(store.dmp, again, contentsOf(again, bytes)), refused('XDSNonIdenticalHash'))
    assert.deepEqual(files(), [])
  })

  it('removes files without a row at the start, and keeps those with one', async () => {
    const entry = await fed(randomBytes(large))
    const [kept = ''] = files()
    writeFileSync(path.join(path.dirname(kept), `${path.basename(kept).slice(0, 2)}orphan`), 'left by a crash')
    await reopen()
    assert.deepEqual(files(), [kept])
    assert.equal((await store.dmp.content(entry.entryUuid))?.size, large)
  })

  it('gives no byte of a small document that was changed', async () => {
    const { entryUuid } = await fed(Buffer.from('as it was fed'))
    await tamper(`UPDATE content SET bytes = CAST('as it was fEd' AS BLOB)`)
    await assert.rejects(store.dmp.content(entryUuid), refused('internal'))
  })

  it('fails the stream of a large document that was changed, before its end', async () => {
    const { entryUuid } = await fed(randomBytes(large))
    const [file = ''] = files()
    const bytes = readFileSync(file)
    bytes.writeUInt8((bytes.readUInt8(7) + 1) % 256, 7)
    writeFileSync(file, bytes)
    let received = 0
    const stream = (await store.dmp.content(entryUuid))?.stream()
    const read = async (): Promise<void> => {
      for await (const chunk of stream ?? []) received += (chunk as Buffer).length
    }
    await assert.rejects(read(), refused('internal'))
    assert.ok(received < large)
    const part = (await store.dmp.content(entryUuid))?.stream({ start: 100, end: 199 })
    await assert.rejects(part?.toArray() ?? Promise.resolve(), refused('internal'))
  })

  it('says that a file is missing or cut, and gives nothing', async () => {
    const { entryUuid } = await fed(randomBytes(large))
    const [file = ''] = files()
    writeFileSync(file, 'cut')
    await assert.rejects(store.dmp.content(entryUuid), refused('internal'))
    await rm(file)
    await assert.rejects(store.dmp.content(entryUuid), refused('internal'))
  })

  it('refuses what does not fit when full, and goes on with what does', async () => {
    await reopen({ maxDatabaseBytes: 1024 * 1024 })
    const bytes = randomBytes(200 * 1024)
    const submissions = Array.from({ length: 12 }, () => {
      const submission = aSubmission({ entries: [aDocumentEntry({ hash: undefined, size: undefined })] })
      return feed(store.dmp, submission, contentsOf(submission, bytes))
    })
    const results = await Promise.allSettled(submissions)
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    assert.ok(refusals.length > 0 && refusals.length < results.length)
    for (const refusal of refusals) refused('store-unavailable')(refusal)
    assert.equal((await documentsOf(store.dmp)).length, results.length - refusals.length)
    await store.trace.record(anAccessRecord())
    const verdict = await store.verify()
    assert.deepEqual([verdict.whole, verdict.whole && verdict.records], [true, results.length - refusals.length + 2])
  })

  it('commits what waits before it closes, and then refuses', async () => {
    const waiting = Array.from({ length: 50 }, () => store.trace.record(anAccessRecord()))
    await store.close()
    await Promise.all(waiting)
    await assert.rejects(feed(store.dmp, aSubmission()), refused('shutting-down'))
    await assert.rejects(store.trace.record(anAccessRecord()), refused('trace-unavailable'))
    await assert.rejects(store.dmp.status(thePatient, anAccessRecord().caller), refused('shutting-down'))
    store = await open()
    assert.equal((await accessesOf(store.trace, { patient: thePatient })).length, 51)
  })
})
