import assert from 'node:assert/strict'
import { newEntryUuid } from '../../../src/metadata/identifiers.ts'
import type { DocumentEntry, Submission } from '../../../src/metadata/model.ts'
import { ns } from '../../../src/xds/namespaces.ts'
import { aDocumentEntry, anAssociation, aSubmission, aSubmissionSet } from '../../mothers/metadata.ts'
import { Administrator } from './administrator.ts'
import { list, nextVersion, openRegistry, outcome, type Registry } from './registry.ts'

const idsOf = ({ submissionSet, entries, folders, associations }: Submission): readonly string[] =>
  [submissionSet, ...entries, ...folders, ...associations].map(({ entryUuid }) => entryUuid)

describe('removal from a registry and a repository', () => {
  let registry: Registry
  let patientId: DocumentEntry['patientId']
  let entry: DocumentEntry
  let submission: Submission

  before(async () => {
    registry = await openRegistry()
  })
  beforeEach(async () => {
    patientId = await registry.patient()
    entry = aDocumentEntry({ patientId })
    submission = aSubmission({ submissionSet: aSubmissionSet({ patientId }), entries: [entry] })
    assert.deepEqual((await registry.provide(submission)).errors, [])
  })
  after(() => registry.close())

  const found = async () =>
    (await registry.query('GetDocuments', { XDSDocumentEntryEntryUUID: list(entry.entryUuid) })).entries.length
  const repositoryUniqueId = '1.2.250.1.213.4.1.1.1.2'
  const retrieved = async () => outcome(await registry.retrieve({ repositoryUniqueId, uniqueId: entry.uniqueId })).codes

  describe('ITI-62 Remove Metadata', () => {
    it('removes a whole submission, and its bytes with it', async () => {
      assert.deepEqual((await registry.remove(...idsOf(submission))).errors, [])
      assert.equal(await found(), 0)
      assert.deepEqual(await retrieved(), ['XDSDocumentUniqueIdError'])
    })

    it('removes nothing that something still refers to', async () => {
      const { codes } = await registry.remove(entry.entryUuid)
      assert.ok(codes.every((code) => code === 'ReferencesExistException') && codes.length > 0, codes.join())
      assert.equal(await found(), 1)
    })

    it('leaves nothing without what refers to it', async () => {
      const [member] = submission.associations
      const { codes } = await registry.remove(entry.entryUuid, member?.entryUuid ?? '')
      assert.deepEqual(codes, ['XDSUnreferencedObjectException'])
      assert.equal(await found(), 1)
    })

    it('removes a relationship alone', async () => {
      const addendum = aDocumentEntry({ patientId })
      const apnd = anAssociation({ type: 'APND', source: addendum.entryUuid, target: entry.entryUuid })
      const set = aSubmissionSet({ patientId })
      await registry.provide(aSubmission({ submissionSet: set, entries: [addendum] }, () => [apnd]))
      assert.deepEqual((await registry.remove(apnd.entryUuid)).errors, [])
      assert.equal(await found(), 1)
    })

    it('wants objects that are registered, named by their entryUUIDs, at least one (RM1)', async () => {
      assert.deepEqual((await registry.remove(newEntryUuid())).codes, ['UnresolvedReferenceException'])
      assert.deepEqual((await registry.remove('Document01')).errors, ['UnresolvedReferenceException RM1 Document01'])
      assert.deepEqual((await registry.remove()).errors, ['XDSRegistryError RM1 ObjectRefList'])
    })

    it('lets no query choose (RM1)', async () => {
      const request = `<lcm:RemoveObjectsRequest xmlns:lcm="${ns.lcm}" xmlns:rim="${ns.rim}"><rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"/><rim:ObjectRefList><rim:ObjectRef id="${entry.entryUuid}"/></rim:ObjectRefList></lcm:RemoveObjectsRequest>`
      assert.deepEqual(outcome(await registry.call('ITI-62', request)).errors, ['XDSRegistryError RM1 AdhocQuery'])
    })
  })

  describe('ITI-86 Remove Documents', () => {
    it('removes the bytes and leaves the metadata', async () => {
      assert.deepEqual(await retrieved(), [])
      assert.deepEqual((await registry.removeDocuments({ repositoryUniqueId, uniqueId: entry.uniqueId })).errors, [])
      assert.deepEqual(await retrieved(), ['XDSDocumentUniqueIdError'])
      assert.equal(await found(), 1)
    })

    it('removes all or nothing, and names each document and repository that is not there', async () => {
      const { codes } = await registry.removeDocuments(
        { repositoryUniqueId, uniqueId: entry.uniqueId },
        { repositoryUniqueId, uniqueId: '1.2.3.4' },
        { repositoryUniqueId: '1.2.3', uniqueId: entry.uniqueId },
      )
      assert.deepEqual(codes, ['XDSDocumentUniqueIdError', 'XDSUnknownRepositoryId'])
      assert.deepEqual(await retrieved(), [])
    })

    it('wants a document to be named (RD1)', async () => {
      assert.deepEqual((await registry.removeDocuments()).errors, ['XDSRepositoryError RD1 DocumentRequest'])
    })

    it('removes the bytes of a document whatever its version', async () => {
      const admin = new Administrator(registry, patientId)
      assert.deepEqual((await admin.update(nextVersion(entry))).errors, [])
      assert.deepEqual((await registry.removeDocuments({ repositoryUniqueId, uniqueId: entry.uniqueId })).errors, [])
      assert.deepEqual(await retrieved(), ['XDSDocumentUniqueIdError'])
    })
  })
})
