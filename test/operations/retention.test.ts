import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { strictPolicy } from '../../src/access/types.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import type { PatientKey } from '../../src/metadata/identifiers.ts'
import { closedBefore, destroyDue, dueForDestruction, type RetentionParts } from '../../src/operations/retention.ts'
import { aContent, anAccessRecord, otherPatient, refused, thePatient } from '../dmp/mothers.ts'
import { aNurse, anAdministrator } from '../mothers/access.ts'
import { aDocumentEntry, aPatientId, aSubmission, aSubmissionSet, repositoryUniqueId } from '../mothers/metadata.ts'
import { accessesOf } from '../support/trace.ts'

const marker = 'À DÉTRUIRE AVEC LE DOSSIER'

describe('retention', () => {
  let directory: string
  let store: EmbeddedDmp
  let now = new Date('2026-01-15T10:00:00.000Z')
  const clock = { now: () => now }
  const open = async () => {
    store = await openEmbeddedDmp({ directory, repositoryUniqueId, clock })
  }
  const parts = (): RetentionParts => ({ ...store, clock, policy: strictPolicy })
  const record = (patient: PatientKey) => anAccessRecord({ patient, operation: 'close' })
  const feed = async (patient: PatientKey, title: string) => {
    const [authority = '', id = ''] = patient.split('|')
    const patientId = aPatientId({ id, assigningAuthority: { universalId: authority, universalIdType: 'ISO' } })
    const large = randomBytes(300 * 1024)
    const entry = aDocumentEntry({ patientId, title, hash: aContent(large).sha1, size: large.length })
    const submission = aSubmission({ entries: [entry], submissionSet: aSubmissionSet({ patientId }) })
    await store.dmp.feed(submission, new Map([[entry.entryUuid, aContent(large)]]), anAccessRecord({ patient }))
    return entry
  }

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'dmp-retention-'))
    now = new Date('2026-01-15T10:00:00.000Z')
    await open()
    await store.dmp.open(thePatient, { family: marker, given: [] }, record(thePatient))
    await store.dmp.open(otherPatient, { given: [] }, record(otherPatient))
  })
  afterEach(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('leaves a closed record alone for ten years, to the day', async () => {
    await feed(thePatient, marker)
    await store.choices.apply(thePatient, [{ kind: 'close' }], record(thePatient))
    now = new Date('2036-01-15T10:00:00.000Z')
    assert.deepEqual(await dueForDestruction(parts()), [])
    now = new Date('2036-01-15T10:00:00.001Z')
    assert.deepEqual(await dueForDestruction(parts()), [
      { patient: thePatient, closedAt: '2026-01-15T10:00:00.000Z', documents: 1 },
    ])
    assert.equal(closedBefore(new Date('2036-02-29T00:00:00.000Z')), '2026-02-28T00:00:00.000Z')
  })

  it('then destroys documents, metadata, demographics and choices, of that record alone', async () => {
    const gone = await feed(thePatient, marker)
    const kept = await feed(otherPatient, 'Reste')
    await store.choices.apply(
      thePatient,
      [{ kind: 'block', person: '899700000066' }, { kind: 'close' }],
      record(thePatient),
    )
    now = new Date('2036-06-01T00:00:00.000Z')
    assert.deepEqual(
      (await destroyDue(parts(), anAdministrator())).map(({ patient }) => patient),
      [thePatient],
    )
    assert.equal(await store.dmp.status(thePatient, aNurse()), undefined)
    assert.equal(await store.choices.inForce(thePatient), undefined)
    const find = (uniqueId: string) => store.dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [uniqueId] })
    assert.deepEqual((await find(gone.uniqueId)).documents, [])
    assert.equal((await find(kept.uniqueId)).documents.length, 1)
    assert.equal(await store.dmp.content(gone.entryUuid), undefined)
    assert.ok(await store.dmp.content(kept.entryUuid))
    const files = await readdir(path.join(directory, 'content'), { recursive: true, withFileTypes: true })
    assert.equal(files.filter((file) => file.isFile()).length, 1)
    assert.deepEqual(await dueForDestruction(parts()), [])
  })

  it('leaves the trace whole, with the destruction in it', async () => {
    await feed(thePatient, marker)
    await store.choices.apply(thePatient, [{ kind: 'close' }], record(thePatient))
    now = new Date('2036-06-01T00:00:00.000Z')
    await destroyDue(parts(), anAdministrator())
    const [latest, ...before] = await accessesOf(store.trace, { patient: thePatient })
    assert.deepEqual([latest?.operation, latest?.outcome, latest?.rule], ['destroy', 'permitted', 'SY1'])
    assert.ok(before.length >= 2)
    assert.equal((await store.verify()).whole, true)
  })

  it('leaves nothing of it in the files', async () => {
    await feed(thePatient, marker)
    await store.choices.apply(thePatient, [{ kind: 'close' }], record(thePatient))
    await store.dmp.open(thePatient, { family: 'AUTRE', given: [] }, record(thePatient))
    now = new Date('2036-06-01T00:00:00.000Z')
    await destroyDue(parts(), anAdministrator())
    await store.close()
    const bytes = await Promise.all(
      (await readdir(directory))
        .filter((name) => name.startsWith('dmp.sqlite'))
        .map((name) => readFile(path.join(directory, name))),
    )
    assert.ok(bytes.length > 0)
    assert.ok(!Buffer.concat(bytes).includes(marker))
    await open()
  })

  it('is the administrator’s, and never reaches an open record', async () => {
    await feed(thePatient, marker)
    now = new Date('2046-06-01T00:00:00.000Z')
    assert.deepEqual(await destroyDue(parts(), anAdministrator()), [])
    await assert.rejects(
      store.retention.destroy(thePatient, now.toISOString(), record(thePatient)),
      refused('dmp-unknown'),
    )
    await store.choices.apply(thePatient, [{ kind: 'close' }], record(thePatient))
    now = new Date('2057-06-01T00:00:00.000Z')
    await assert.rejects(destroyDue(parts(), aNurse()), refused('not-permitted-for-role'))
    assert.equal((await dueForDestruction(parts())).length, 1)
  })
})
