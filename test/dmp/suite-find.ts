import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type DocumentCriteria, matches } from '../../src/metadata/criteria.ts'
import { cxOf } from '../../src/metadata/hl7.ts'
import { type Dtm, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { Code, DocumentEntry } from '../../src/metadata/model.ts'
import { aDocumentEntry, aFolder, aReplacement, aSubmission, aSubmissionSet, codes } from '../mothers/metadata.ts'
import { anAccessRecord, documentsOf, entriesOf, feed, otherPatient, thePatient } from './mothers.ts'
import type { OpenDmp, OpenedDmp } from './suite.ts'

const times = ['2026', '202605', '20260512081530', '20260512081531', '20250101'] as Dtm[]

export function findSuite(open: OpenDmp): void {
  describe('finding', () => {
    let store: OpenedDmp
    let entries: DocumentEntry[]
    before(async () => {
      store = await open({})
      for (const patient of [thePatient, otherPatient])
        await store.dmp.open(patient, { given: [] }, anAccessRecord({ operation: 'open', patient }))
      entries = [
        ...times.map((creationTime) => aDocumentEntry({ creationTime })),
        aDocumentEntry({ creationTime: undefined }),
        aDocumentEntry({ typeCode: codes.summaryType, classCode: codes.summary, title: 'Synthèse' }),
        aDocumentEntry({ typeCode: { code: '11502-2', system: '1.2.250.1.999.2' } }),
        aDocumentEntry({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }),
        aDocumentEntry({ practiceSettingCode: codes.outpatientCare, classCode: undefined }),
      ]
      for (const entry of entries) await feed(store.dmp, aSubmission({ entries: [entry] }))
      const patientId = cxOf(otherPatient, 'NH')
      const theirs = aSubmission({
        entries: [aDocumentEntry({ patientId })],
        submissionSet: aSubmissionSet({ patientId }),
      })
      await feed(store.dmp, theirs)
    })
    after(() => store.close())

    const ids = (found: readonly { readonly entryUuid: string }[]): string[] => found.map(({ entryUuid }) => entryUuid)

    it('gives the newest first, then by entryUUID, those without a date last', async () => {
      const expected = [...entries].sort(
        (a, b) => (b.creationTime ?? '').localeCompare(a.creationTime ?? '') || (a.entryUuid < b.entryUuid ? -1 : 1),
      )
      assert.deepEqual(ids(await documentsOf(store.dmp)), ids(expected))
      const byId = await store.dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids: ids(entries) })
      assert.deepEqual(ids(byId.documents), ids(expected))
    })

    it('gives the documents of one patient, and nothing for an unknown one', async () => {
      assert.equal((await documentsOf(store.dmp, {}, ['Approved'], otherPatient)).length, 1)
      assert.deepEqual(await documentsOf(store.dmp, {}, ['Approved'], `${otherPatient}0` as typeof otherPatient), [])
    })

    it('gives only the statuses asked for', async () => {
      assert.deepEqual(await documentsOf(store.dmp, {}, []), [])
      assert.deepEqual(await documentsOf(store.dmp, {}, ['Archived', 'Deleted', 'Deprecated']), [])
    })

    it('answers criteria as the metadata define them, those of the index and those of the entry together', async () => {
      const code = (code: Code) =>
        fc.constantFrom({ code: code.code }, { code: code.code, system: code.system }, { system: code.system })
      const list = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 2 })
      const time = fc.record({ from: fc.constantFrom(...times), to: fc.constantFrom(...times) }, { requiredKeys: [] })
      const criteria = fc.record(
        {
          typeCodes: list(fc.oneof(code(codes.bloodTest), code(codes.summaryType))),
          classCodes: list(fc.oneof(code(codes.report), code(codes.summary))),
          confidentialityCodes: list(list(fc.oneof(code(codes.normal), code(codes.maskedToProfessionals)))),
          creationTime: list(time),
          serviceStartTime: list(time),
          practiceSettingCodes: list(fc.oneof(code(codes.outpatientCare), code(codes.hospitalCare))),
          authorPersons: fc.constantFrom(['%EXEMPLE%'], ['nobody']),
          stability: fc.constantFrom(['stable'], ['on-demand'], ['stable', 'on-demand']),
          uniqueIds: list(fc.integer({ min: 0, max: 9 }).map((index) => entries[index]?.uniqueId ?? '')),
          entryUuids: list(fc.integer({ min: 0, max: 9 }).map((index) => entries[index]?.entryUuid ?? '')),
        },
        { requiredKeys: [] },
      )
      await fc.assert(
        fc.asyncProperty(criteria, async (asked) => {
          const wanted = asked as DocumentCriteria
          const expected = entries.filter((entry) => matches(entry, wanted))
          assert.deepEqual(new Set(ids(await documentsOf(store.dmp, wanted))), new Set(ids(expected)))
        }),
        { numRuns: 300 },
      )
    })

    it('finds by entryUUID, uniqueId and logicalId, and leaves out what there is not', async () => {
      const [entry] = entries
      assert.ok(entry)
      const asked = {
        entryUuid: entry.entryUuid,
        uniqueId: entry.uniqueId,
        logicalId: entry.logicalId,
        any: entry.entryUuid,
      }
      for (const [by, id] of Object.entries(asked) as [keyof typeof asked, string][]) {
        const { documents } = await store.dmp.find({ kind: 'GetDocuments', by, ids: [newEntryUuid(), id, id] })
        assert.deepEqual(ids(documents), [entry.entryUuid], by)
      }
      const { documents } = await store.dmp.find({ kind: 'GetDocuments', by: 'any', ids: [entry.uniqueId] })
      assert.deepEqual(documents, [])
    })

    it('finds submission sets and folders by patient, status and criteria, and gets them by identifier', async () => {
      const folder = aFolder()
      const submissionSet = aSubmissionSet({ sourceId: '1.2.250.1.999.1.2', submissionTime: '20270101' as Dtm })
      await feed(store.dmp, aSubmission({ entries: [], folders: [folder], submissionSet }))
      const common = { patient: thePatient, statuses: ['Approved'] } as const
      const all = await store.dmp.find({ kind: 'FindSubmissionSets', ...common, criteria: {} })
      assert.deepEqual(all.submissionSets[0], submissionSet)
      assert.ok(all.submissionSets.length > entries.length)
      assert.ok(all.updates?.has(submissionSet.entryUuid))
      const criteria = { sourceIds: [submissionSet.sourceId], entryUuids: [submissionSet.entryUuid] }
      const some = await store.dmp.find({ kind: 'FindSubmissionSets', ...common, criteria })
      assert.deepEqual(some.submissionSets, [submissionSet])
      const none = await store.dmp.find({ kind: 'FindSubmissionSets', ...common, statuses: [], criteria: {} })
      assert.deepEqual(none.submissionSets, [])
      const { folders } = await store.dmp.find({
        kind: 'FindFolders',
        ...common,
        criteria: { uniqueIds: [folder.uniqueId] },
      })
      assert.deepEqual(
        folders.map(({ lastUpdateTime, ...rest }) => [rest, lastUpdateTime?.length]),
        [[folder, 14]],
      )
      for (const [by, id] of [
        ['entryUuid', folder.entryUuid],
        ['uniqueId', folder.uniqueId],
        ['logicalId', folder.logicalId],
        ['any', folder.entryUuid],
      ] as const)
        assert.deepEqual(ids((await store.dmp.find({ kind: 'GetFolders', by, ids: [id] })).folders), [folder.entryUuid])
      const wrong = await store.dmp.find({ kind: 'GetSubmissionSets', by: 'any', ids: [folder.entryUuid] })
      assert.deepEqual(wrong.submissionSets, [])
    })

    it('reads entries in the order of the ids, leaving out those without an entry', async () => {
      const asked = [...entries].reverse().map(({ entryUuid }) => entryUuid)
      const read = await entriesOf(store.dmp, [newEntryUuid(), ...asked])
      assert.deepEqual(read, [...entries].reverse())
    })

    it('stops reading when the reader stops', async () => {
      for await (const entry of store.dmp.read(entries.map(({ entryUuid }) => entryUuid))) {
        assert.equal(entry.entryUuid, entries[0]?.entryUuid)
        break
      }
    })

    it('gives the associations that touch an object, at either end', async () => {
      const old = aDocumentEntry()
      const submission = aSubmission({ entries: [old] })
      await feed(store.dmp, submission)
      const replacement = aReplacement(old.entryUuid)
      await feed(store.dmp, replacement)
      const associations = async (...about: readonly (typeof old.entryUuid)[]) =>
        ids((await store.dmp.find({ kind: 'GetAssociations', ids: about })).associations).sort()
      const [membership, ...ofNew] = [...submission.associations, ...replacement.associations]
      const relation = replacement.associations.find(({ type }) => type === 'RPLC')
      assert.ok(membership && relation)
      assert.deepEqual(await associations(old.entryUuid), ids([membership, relation]).sort())
      assert.deepEqual(await associations(relation.source), ids(ofNew).sort())
      assert.deepEqual(await associations(old.entryUuid, relation.source), ids([membership, ...ofNew]).sort())
      assert.deepEqual(await associations(newEntryUuid()), [])
    })
  })
}
