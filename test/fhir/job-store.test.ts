import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type Job, ownerOf } from '../../src/fhir/async/job.ts'
import { JobStore } from '../../src/fhir/async/job-store.ts'
import { createSpool } from '../../src/spool/index.ts'
import { aContent } from '../dmp/mothers.ts'
import { aHospital, aPhysician, informed } from '../mothers/access.ts'
import { aSubmission } from '../mothers/metadata.ts'

const caller = aHospital()
const owner = ownerOf(caller)

function aJob(changes: Partial<Job> = {}): Omit<Job, 'documents'> {
  return {
    id: '11111111-1111-4111-8111-111111111111',
    at: '2026-06-12T10:00:00.000Z',
    owner,
    context: { caller, purpose: 'normal', declaration: informed, door: 'fhir', transaction: 'ITI-105', requestId: 'r' },
    baseUrl: 'https://gateway.example.org/fhir',
    answering: { transaction: 'ITI-105', warnings: [] },
    submission: aSubmission(),
    targets: [],
    superseded: [],
    places: [],
    locations: [],
    ...changes,
  }
}

describe('The store of jobs', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'job-store-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const open = () => new JobStore(path.join(directory, 'jobs'))
  const result = { status: 201, body: { resourceType: 'DocumentReference' } }

  it('keeps a job over restarts, with its documents from memory and from files', async () => {
    const job = aJob()
    const [entry] = job.submission.entries
    assert.ok(entry)
    const spool = createSpool({ directory: path.join(directory, 'spool'), maxBytes: 1e7, memoryLimit: 10 })
    const large = Buffer.alloc(300_000, 'x')
    const spooled = await spool.receive(
      (async function* () {
        yield large
      })(),
    )
    await open().add(job, new Map([[entry.entryUuid, spooled]]))
    await spooled.dispose()
    const store = open()
    const [found, ...others] = await store.recover()
    assert.ok(found)
    assert.equal(others.length, 0)
    const { documents, ...rest } = found
    assert.deepEqual(rest, JSON.parse(JSON.stringify(job)))
    assert.equal(documents[0]?.sha1, createHash('sha1').update(large).digest('hex'))
    for (let attempt = 0; attempt < 2; attempt++) {
      const content = (await store.contents(found)).get(entry.entryUuid)
      assert.ok(content?.path)
      assert.ok((await buffer(content.stream())).equals(large))
      // A store takes it over by renaming; the job keeps its own
      renameSync(content.path, path.join(directory, `taken-${attempt}`))
    }
  })

  it('tells its state to its owner alone, before and after', async () => {
    const store = open()
    const job = await store.add(aJob(), new Map())
    assert.deepEqual(await store.state(job.id, owner), { state: 'queued' })
    assert.equal(await store.state(job.id, ownerOf(aPhysician())), undefined)
    await store.finish(job, result)
    assert.deepEqual(await store.state(job.id, owner), { state: 'finished', result })
    assert.equal(await store.state(job.id, ownerOf(aPhysician())), undefined)
    assert.equal(await store.state('../jobs', owner), undefined)
    assert.deepEqual(await open().recover(), [])
  })

  it('keeps of a finished job its result alone, for a day', async () => {
    const store = open()
    const job = aJob()
    const [entry] = job.submission.entries
    assert.ok(entry)
    const whole = await store.add(job, new Map([[entry.entryUuid, aContent(Buffer.from('x'))]]))
    await store.contents(whole)
    await store.finish(whole, result)
    const folder = path.join(directory, 'jobs', job.id)
    assert.deepEqual(readdirSync(folder), ['result.json'])
    await store.sweep(new Date())
    assert.ok(existsSync(folder))
    const old = Date.now() / 1000 - 25 * 3600
    utimesSync(path.join(folder, 'result.json'), old, old)
    await store.sweep(new Date())
    assert.equal(existsSync(folder), false)
  })

  it('takes what a crash left half made for nothing, and what it left finished for finished', async () => {
    const store = open()
    const job = await store.add(aJob(), new Map())
    const jobs = path.join(directory, 'jobs')
    mkdirSync(path.join(jobs, '.22222222-2222-4222-8222-222222222222'))
    mkdirSync(path.join(jobs, '33333333-3333-4333-8333-333333333333'))
    writeFileSync(path.join(jobs, job.id, '.result'), '{"cut')
    assert.deepEqual(
      (await open().recover()).map(({ id }) => id),
      [job.id],
    )
    assert.deepEqual(readdirSync(jobs), [job.id])
    // The result had its name when the crash came, the job was still there
    writeFileSync(path.join(jobs, job.id, 'result.json'), JSON.stringify({ owner, result }))
    assert.deepEqual(await open().recover(), [])
    assert.deepEqual(await store.state(job.id, owner), { state: 'finished', result })
  })

  it('refuses what cannot be written, and leaves nothing', async () => {
    writeFileSync(path.join(directory, 'jobs'), 'a file where the folder should be')
    await assert.rejects(open().add(aJob(), new Map()), { code: 'store-unavailable' })
  })
})
