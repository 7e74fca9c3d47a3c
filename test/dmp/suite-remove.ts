import assert from 'node:assert/strict'
import { type EntryUuid, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { Submission } from '../../src/metadata/model.ts'
import { aDocumentEntry, aReplacement, aSubmission } from '../mothers/metadata.ts'
import { anAccessRecord, contentsOf, documentsOf, entryOf, feed, refused, thePatient } from './mothers.ts'
import type { OpenDmp, OpenedDmp } from './suite.ts'

export function removeSuite(open: OpenDmp): void {
  describe('removing (conformance mode only)', () => {
    let store: OpenedDmp
    beforeEach(async () => {
      store = await open({})
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
    })
    afterEach(() => store.close())

    const remove = (kind: 'objects' | 'contents', ids: readonly EntryUuid[]) =>
      store.dmp.remove({ kind, ids }, anAccessRecord({ operation: 'registry' }))
    const everything = ({ submissionSet, entries, folders, associations }: Submission): EntryUuid[] =>
      [submissionSet, ...entries, ...folders, ...associations].map(({ entryUuid }) => entryUuid)

    for (const size of [100, 300 * 1024])
      it(`removes a submission of ${size} bytes whole, and its uniqueId may come again`, async () => {
        const submission = aSubmission({ entries: [aDocumentEntry({ hash: undefined, size })] })
        await feed(store.dmp, submission, contentsOf(submission, Buffer.alloc(size, 1)))
        await remove('objects', everything(submission))
        assert.deepEqual(await documentsOf(store.dmp), [])
        for (const { entryUuid } of submission.entries) assert.equal(await store.dmp.content(entryUuid), undefined)
        await feed(store.dmp, submission, contentsOf(submission, Buffer.alloc(size, 2)))
        assert.equal((await documentsOf(store.dmp)).length, 1)
      })

    it('refuses what is not there, and what others still refer to', async () => {
      const submission = aSubmission()
      await feed(store.dmp, submission)
      await assert.rejects(remove('objects', [newEntryUuid()]), refused('UnresolvedReferenceException'))
      const ids = submission.entries.map(({ entryUuid }) => entryUuid)
      await assert.rejects(remove('objects', ids), refused('ReferencesExistException'))
      const replacement = aReplacement(ids[0] ?? newEntryUuid())
      await feed(store.dmp, replacement)
      await assert.rejects(remove('objects', everything(submission)), refused('ReferencesExistException'))
      await remove('objects', [...everything(submission), ...everything(replacement)])
    })

    it('refuses to leave a document without a SubmissionSet, or a SubmissionSet without a document', async () => {
      const submission = aSubmission()
      await feed(store.dmp, submission)
      const [entry] = submission.entries
      const [membership] = submission.associations
      assert.ok(entry && membership)
      const both = refused('XDSUnreferencedObjectException', 'XDSUnreferencedObjectException')
      await assert.rejects(remove('objects', [membership.entryUuid]), both)
      const one = refused('XDSUnreferencedObjectException')
      await assert.rejects(remove('objects', [membership.entryUuid, entry.entryUuid]), one)
      await assert.rejects(remove('objects', [membership.entryUuid, submission.submissionSet.entryUuid]), one)
      assert.equal((await documentsOf(store.dmp)).length, 1)
    })

    it('refuses to remove one version without the others', async () => {
      const submission = aSubmission()
      await feed(store.dmp, submission)
      const [entry] = submission.entries
      assert.ok(entry)
      const object = { ...entry, entryUuid: newEntryUuid() }
      const versions = [{ object, previousVersion: 1, propagate: true }]
      const update = { patient: thePatient, versions, statuses: [], associations: [] }
      await store.dmp.update(update, anAccessRecord({ operation: 'registry' }))
      const { associations } = await store.dmp.find({ kind: 'GetAssociations', ids: [object.entryUuid] })
      const copies = associations.map(({ entryUuid }) => entryUuid)
      await assert.rejects(remove('objects', [object.entryUuid, ...copies]), refused('ReferencesExistException'))
      await remove('objects', [...everything(submission), object.entryUuid, ...copies])
      assert.deepEqual(await store.dmp.versions(entry.entryUuid), [])
    })

    it('removes the bytes and keeps the metadata', async () => {
      const submission = aSubmission()
      await feed(store.dmp, submission)
      const [entry] = submission.entries
      assert.ok(entry)
      await remove('contents', [entry.entryUuid])
      assert.equal(await store.dmp.content(entry.entryUuid), undefined)
      assert.deepEqual(await entryOf(store.dmp, entry.entryUuid), entry)
      await assert.rejects(remove('contents', [entry.entryUuid]), refused('XDSDocumentUniqueIdError'))
    })
  })
}
