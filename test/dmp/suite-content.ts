import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { newEntryUuid } from '../../src/metadata/identifiers.ts'
import { aDocumentEntry, aSubmission, sha1 } from '../mothers/metadata.ts'
import { anAccessRecord, contentsOf, feed, thePatient } from './mothers.ts'
import type { OpenDmp, OpenedDmp } from './suite.ts'

export function contentSuite(open: OpenDmp): void {
  describe('giving bytes', () => {
    let store: OpenedDmp
    before(async () => {
      store = await open({})
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
    })
    after(() => store.close())

    for (const size of [0, 1, 5 * 1024, 256 * 1024, 256 * 1024 + 1, 3 * 1024 * 1024 + 17])
      it(`gives back ${size} bytes as they were, whole and in part`, async () => {
        const bytes = randomBytes(size)
        const entry = aDocumentEntry({ hash: sha1(bytes), size })
        const submission = aSubmission({ entries: [entry] })
        await feed(store.dmp, submission, contentsOf(submission, bytes))
        const content = await store.dmp.content(entry.entryUuid)
        assert.ok(content)
        assert.deepEqual([content.size, content.sha1], [size, sha1(bytes)])
        assert.equal(content.path, undefined)
        assert.ok(Buffer.concat(await content.stream().toArray()).equals(bytes))
        assert.ok(Buffer.concat(await content.stream().toArray()).equals(bytes), 'a second time')
        for (const [start, end] of [
          [0, 0],
          [1, size - 2],
          [size - 1, size - 1],
        ] as const) {
          if (start < 0 || end < start) continue
          const part = Buffer.concat(await content.stream({ start, end }).toArray())
          assert.ok(part.equals(bytes.subarray(start, end + 1)), `${start} to ${end}`)
        }
      })

    it('keeps the bytes of each entry, the same or not', async () => {
      const entries = [aDocumentEntry(), aDocumentEntry()]
      await feed(store.dmp, aSubmission({ entries }))
      for (const { entryUuid, hash } of entries) assert.equal((await store.dmp.content(entryUuid))?.sha1, hash)
    })

    it('gives nothing where there is no entry', async () => {
      assert.equal(await store.dmp.content(newEntryUuid()), undefined)
    })
  })
}
