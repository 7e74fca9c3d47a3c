import assert from 'node:assert/strict'
import { cxOf } from '../../src/metadata/hl7.ts'
import { newEntryUuid, toOid } from '../../src/metadata/identifiers.ts'
import type { Clock } from '../../src/operations/ports.ts'
import {
  aDevice,
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  anAuthor,
  aProfessional,
  aSubmission,
  aSubmissionSet,
  codes,
  documentBytes,
  repositoryUniqueId,
  sha1,
} from '../mothers/metadata.ts'
import {
  aContent,
  anAccessRecord,
  aProfessionalCaller,
  contentsOf,
  documentsOf,
  entryOf,
  factsOf,
  feed,
  otherPatient,
  refused,
  thePatient,
} from './mothers.ts'
import type { OpenDmp, OpenedDmp } from './suite.ts'

const noon = new Date('2026-06-01T12:00:00.000Z')
const clock: Clock = { now: () => noon }

export function feedSuite(open: OpenDmp): void {
  describe('feeding', () => {
    let store: OpenedDmp
    beforeEach(async () => {
      store = await open({ clock })
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
      await store.dmp.open(otherPatient, { given: [] }, anAccessRecord({ operation: 'open', patient: otherPatient }))
    })
    afterEach(() => store.close())

    it('stores an entry with nothing lost', async () => {
      const entry = aDocumentEntry({
        extra: [{ name: 'urn:example:slot', values: ['é', ''] }],
        referenceIds: [{ id: '42', typeCode: 'urn:ihe:iti:xds:2013:order' }],
        confidentialityCodes: [codes.normal, codes.maskedToProfessionals],
      })
      const receipt = await feed(store.dmp, aSubmission({ entries: [entry] }))
      assert.deepEqual(await entryOf(store.dmp, entry.entryUuid), entry)
      assert.deepEqual(receipt.entries, [entry])
      assert.equal(receipt.at, noon.toISOString())
    })

    it('tells what the guard must know without the entry', async () => {
      const entry = aDocumentEntry({
        authors: [
          anAuthor(),
          anAuthor({ person: aDevice() }),
          anAuthor({ person: aProfessional({ id: '899700000002' }) }),
        ],
        confidentialityCodes: [codes.normal, codes.hiddenFromPatient],
      })
      await feed(store.dmp, aSubmission({ entries: [entry] }))
      assert.deepEqual(await documentsOf(store.dmp), [
        {
          entryUuid: entry.entryUuid,
          logicalId: entry.entryUuid,
          version: 1,
          uniqueId: entry.uniqueId,
          patient: thePatient,
          availabilityStatus: 'Approved',
          classCode: '10',
          typeCode: '11502-2',
          confidentiality: ['N', 'INVISIBLE_PATIENT'],
          authorPersons: ['899700000001', '899700000002'],
          depositedBy: 'professional',
          feedingStructure: '1010099999',
          depositedAt: noon.toISOString(),
          updatedAt: noon.toISOString(),
          creationTime: '20260512081530',
        },
      ])
    })

    it('stores an entry that has only what is always there', async () => {
      const entry = aDocumentEntry({
        classCode: undefined,
        typeCode: undefined,
        formatCode: undefined,
        creationTime: undefined,
        confidentialityCodes: [],
        authors: [],
        limitedMetadata: true,
      })
      const caller = aProfessionalCaller({ kind: 'patient', structure: undefined })
      await feed(store.dmp, aSubmission({ entries: [entry] }), undefined, anAccessRecord({ caller }))
      const facts = await factsOf(store.dmp, entry.entryUuid)
      assert.deepEqual([facts?.typeCode, facts?.creationTime, facts?.confidentiality], [undefined, undefined, []])
      assert.deepEqual([facts?.depositedBy, facts?.feedingStructure], ['patient', undefined])
      assert.deepEqual(await entryOf(store.dmp, entry.entryUuid), entry)
    })

    it('registers as version 1 of itself and Approved, whatever the source claims', async () => {
      const [first] = (await feed(store.dmp, aSubmission())).entries
      assert.ok(first)
      const entry = aDocumentEntry({ logicalId: first.entryUuid, version: 2, availabilityStatus: 'Archived' })
      await feed(store.dmp, aSubmission({ entries: [entry] }))
      const facts = await factsOf(store.dmp, entry.entryUuid)
      assert.deepEqual([facts?.logicalId, facts?.version, facts?.availabilityStatus], [entry.entryUuid, 1, 'Approved'])
      assert.equal((await factsOf(store.dmp, first.entryUuid))?.availabilityStatus, 'Approved')
    })

    it('sets hash, size and repository from the bytes', async () => {
      const entry = aDocumentEntry({ hash: undefined, size: undefined, repositoryUniqueId: undefined })
      await feed(store.dmp, aSubmission({ entries: [entry] }))
      const stored = await entryOf(store.dmp, entry.entryUuid)
      assert.equal(stored.hash, sha1(documentBytes))
      assert.equal(stored.size, documentBytes.length)
      assert.equal(stored.repositoryUniqueId, repositoryUniqueId)
    })

    it('refuses a hash or size that is not that of the bytes', async () => {
      const entries = [aDocumentEntry({ hash: sha1(Buffer.from('other')) }), aDocumentEntry({ size: 1 })]
      await assert.rejects(
        feed(store.dmp, aSubmission({ entries })),
        refused('XDSRepositoryMetadataError', 'XDSRepositoryMetadataError'),
      )
    })

    it('refuses an entry without its document, and a document without its entry', async () => {
      const submission = aSubmission()
      await assert.rejects(feed(store.dmp, submission, new Map()), refused('XDSMissingDocument'))
      const more = contentsOf(submission).set(newEntryUuid(), aContent(documentBytes))
      await assert.rejects(feed(store.dmp, submission, more), refused('XDSMissingDocumentMetadata'))
      assert.deepEqual(await documentsOf(store.dmp), [])
    })

    it('registers metadata alone where that is asked for, as they were sent', async () => {
      const entry = aDocumentEntry({ repositoryUniqueId: toOid('1.2.250.1.999.7') })
      const submission = aSubmission({ entries: [entry] })
      await store.dmp.feed(submission, new Map(), anAccessRecord(), { register: true })
      assert.deepEqual(await entryOf(store.dmp, entry.entryUuid), entry)
      assert.equal(await store.dmp.content(entry.entryUuid), undefined)
    })

    it('refuses a patient without a record', async () => {
      const patientId = { ...cxOf(thePatient, 'NH'), id: '260059999999997' }
      const submission = aSubmission({
        entries: [aDocumentEntry({ patientId })],
        submissionSet: aSubmissionSet({ patientId }),
      })
      await assert.rejects(feed(store.dmp, submission), refused('dmp-unknown'))
    })

    it('refuses a submission for two patients', async () => {
      const submission = aSubmission({ entries: [aDocumentEntry({ patientId: cxOf(otherPatient, 'NH') })] })
      await assert.rejects(feed(store.dmp, submission), refused('XDSPatientIdDoesNotMatch'))
    })

    it('refuses a uniqueId that is registered, telling another content from the same', async () => {
      const entry = aDocumentEntry()
      const submission = aSubmission({ entries: [entry] })
      await feed(store.dmp, submission)
      const again = aDocumentEntry({ uniqueId: entry.uniqueId })
      await assert.rejects(
        feed(store.dmp, aSubmission({ entries: [again] })),
        refused('XDSDuplicateUniqueIdInRegistry'),
      )
      const bytes = Buffer.from('other content')
      const changed = aDocumentEntry({ uniqueId: entry.uniqueId, hash: sha1(bytes), size: bytes.length })
      const other = aSubmission({ entries: [changed] })
      await assert.rejects(feed(store.dmp, other, contentsOf(other, bytes)), refused('XDSNonIdenticalHash'))
      const { uniqueId } = submission.submissionSet
      const set = aSubmission({ submissionSet: aSubmissionSet({ uniqueId }) })
      await assert.rejects(feed(store.dmp, set), refused('XDSDuplicateUniqueIdInRegistry'))
    })

    it('refuses an entryUUID that is registered, of whatever kind', async () => {
      const submission = aSubmission()
      await feed(store.dmp, submission)
      const [membership] = submission.associations
      for (const entryUuid of [
        submission.entries[0]?.entryUuid,
        submission.submissionSet.entryUuid,
        membership?.entryUuid,
      ])
        await assert.rejects(
          feed(store.dmp, aSubmission({ entries: [aDocumentEntry({ entryUuid })] })),
          refused('XDSRegistryMetadataError'),
        )
    })

    it('tells all that is wrong at once, and stores nothing of it', async () => {
      const known = aDocumentEntry()
      await feed(store.dmp, aSubmission({ entries: [known] }))
      const entries = [aDocumentEntry(), aDocumentEntry({ uniqueId: known.uniqueId })]
      const submission = aSubmission({ entries }, ({ entryUuid }) => [
        anAssociation({ type: 'APND', source: entries[0]?.entryUuid, target: newEntryUuid() }),
        aMembership(entryUuid, newEntryUuid(), 'Reference'),
      ])
      await assert.rejects(
        feed(store.dmp, submission),
        refused('XDSDuplicateUniqueIdInRegistry', 'UnresolvedReferenceException', 'UnresolvedReferenceException'),
      )
      assert.equal((await documentsOf(store.dmp)).length, 1)
      const ids = [submission.submissionSet.entryUuid]
      assert.deepEqual((await store.dmp.find({ kind: 'GetAssociations', ids })).associations, [])
    })

    it('keeps submissions apart that come at once: one refused, the others stored', async () => {
      const known = aDocumentEntry()
      await feed(store.dmp, aSubmission({ entries: [known] }))
      const submissions = Array.from({ length: 40 }, (_, index) =>
        aSubmission({ entries: [aDocumentEntry(index % 4 === 0 ? { uniqueId: known.uniqueId } : {})] }),
      )
      const results = await Promise.allSettled(submissions.map((submission) => feed(store.dmp, submission)))
      assert.deepEqual(
        results.map(({ status }) => status),
        submissions.map((_, index) => (index % 4 === 0 ? 'rejected' : 'fulfilled')),
      )
      assert.equal((await documentsOf(store.dmp)).length, 31)
    })

    it('refuses the second of two that come at once with one uniqueId', async () => {
      const entries = [aDocumentEntry(), aDocumentEntry()]
      const [one, two] = entries.map((entry) =>
        aSubmission({ entries: [{ ...entry, uniqueId: entries[0]?.uniqueId ?? entry.uniqueId }] }),
      )
      assert.ok(one && two)
      const results = await Promise.allSettled([feed(store.dmp, one), feed(store.dmp, two)])
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })

    it('takes a folder and gives the memberships of its document', async () => {
      const [entry, folder] = [aDocumentEntry(), aFolder()]
      const submission = aSubmission({ entries: [entry], folders: [folder] }, ({ entryUuid }) => {
        const membership = aMembership(folder.entryUuid, entry.entryUuid)
        return [aMembership(entryUuid, membership.entryUuid), membership]
      })
      await feed(store.dmp, submission)
      const ids = [entry.entryUuid]
      const { associations } = await store.dmp.find({ kind: 'GetAssociations', ids })
      const expected = submission.associations.filter(({ target }) => target === entry.entryUuid)
      assert.deepEqual(new Set(associations), new Set(expected))
    })

    it('refuses updates of metadata inside a submission of documents', async () => {
      const submission = aSubmission({}, ({ entryUuid }, [entry]) => [
        anAssociation({ type: 'UpdateAvailabilityStatus', source: entryUuid, target: entry?.entryUuid }),
      ])
      await assert.rejects(feed(store.dmp, submission), refused('XDSMetadataUpdateError'))
    })
  })

  describe('feeding a plain IHE registry', () => {
    it('says of a reference that it is to another patient', async () => {
      const store = await open({ duplicates: 'same-hash' })
      for (const patient of [thePatient, otherPatient])
        await store.dmp.open(patient, { given: [] }, anAccessRecord({ operation: 'open', patient }))
      const submission = aSubmission()
      await feed(store.dmp, submission)
      const patientId = cxOf(otherPatient, 'NH')
      const entry = aDocumentEntry({ patientId })
      const theirs = aSubmission({ entries: [entry], submissionSet: aSubmissionSet({ patientId }) }, () => [
        anAssociation({ type: 'RPLC', source: entry.entryUuid, target: submission.entries[0]?.entryUuid }),
      ])
      await assert.rejects(feed(store.dmp, theirs), refused('XDSPatientIdDoesNotMatch'))
      await store.close()
    })

    it('takes a uniqueId again with the same bytes, and refuses it with others', async () => {
      const store = await open({ duplicates: 'same-hash' })
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
      const entry = aDocumentEntry()
      await feed(store.dmp, aSubmission({ entries: [entry] }))
      await feed(store.dmp, aSubmission({ entries: [aDocumentEntry({ uniqueId: entry.uniqueId })] }))
      assert.equal((await documentsOf(store.dmp, { uniqueIds: [entry.uniqueId] })).length, 2)
      const other = aSubmission({ entries: [aDocumentEntry({ uniqueId: entry.uniqueId, hash: undefined, size: 1 })] })
      await assert.rejects(feed(store.dmp, other, contentsOf(other, Buffer.from('x'))), refused('XDSNonIdenticalHash'))
      await store.close()
    })
  })
}
