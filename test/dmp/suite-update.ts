import assert from 'node:assert/strict'
import { cxOf } from '../../src/metadata/hl7.ts'
import { type EntryUuid, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry, Folder } from '../../src/metadata/model.ts'
import type { Clock, MetadataUpdate } from '../../src/operations/ports.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aReplacement,
  aSubmission,
  aSubmissionSet,
  codes,
} from '../mothers/metadata.ts'
import { accessesOf } from '../support/trace.ts'
import { anAccessRecord, documentsOf, entryOf, factsOf, feed, otherPatient, refused, thePatient } from './mothers.ts'
import type { OpenDmp, OpenedDmp } from './suite.ts'

export function updateSuite(open: OpenDmp): void {
  describe('updating metadata', () => {
    let store: OpenedDmp
    let time = Date.parse('2026-06-01T12:00:00.000Z')
    const clock: Clock = {
      now: () => {
        time += 1000
        return new Date(time)
      },
    }
    beforeEach(async () => {
      store = await open({ clock })
      for (const patient of [thePatient, otherPatient])
        await store.dmp.open(patient, { given: [] }, anAccessRecord({ operation: 'open', patient }))
    })
    afterEach(() => store.close())

    const stored = async (): Promise<DocumentEntry> => {
      const entry = aDocumentEntry()
      await feed(store.dmp, aSubmission({ entries: [entry] }))
      return entry
    }
    const next = <T extends DocumentEntry | Folder>(object: T, changes: Partial<T> = {}): T => ({
      ...object,
      ...changes,
      entryUuid: newEntryUuid(),
    })
    const change = (changes: Partial<MetadataUpdate>) =>
      store.dmp.update(
        { patient: thePatient, versions: [], statuses: [], associations: [], ...changes },
        anAccessRecord({ operation: 'TD3.3a.mask' }),
      )
    const version = (object: DocumentEntry | Folder, previousVersion = 1, propagate = true) => ({
      versions: [{ object, previousVersion, propagate }],
    })
    const masked = { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }
    const associations = async (id: EntryUuid, allVersions = false) =>
      (await store.dmp.find({ kind: 'GetAssociations', ids: [id], allVersions })).associations

    it('puts a new version in the place of the one before, with the same bytes and depositor', async () => {
      const entry = await stored()
      const before = await factsOf(store.dmp, entry.entryUuid)
      const object = next(entry, masked)
      const receipt = await change(version(object))
      const expected = { ...object, version: 2, availabilityStatus: 'Approved' }
      assert.deepEqual(receipt.entries, [expected])
      assert.deepEqual(await entryOf(store.dmp, object.entryUuid), expected)
      const [facts, ...others] = await documentsOf(store.dmp)
      assert.deepEqual(others, [])
      assert.deepEqual(
        [facts?.entryUuid, facts?.logicalId, facts?.version, facts?.confidentiality, facts?.depositedAt],
        [object.entryUuid, entry.entryUuid, 2, ['N', 'MASQUE_PS'], before?.depositedAt],
      )
      assert.equal(facts?.updatedAt, receipt.at)
      assert.equal((await store.dmp.content(object.entryUuid))?.sha1, entry.hash)
      assert.equal((await store.dmp.content(entry.entryUuid))?.sha1, entry.hash)
    })

    it('answers every entryUUID of a document by the version in force, and each version by its own', async () => {
      const entry = await stored()
      const second = next(entry, masked)
      await change(version(second))
      const third = next(entry)
      await change(version(third, 2))
      const found = async (by: 'any' | 'entryUuid' | 'logicalId' | 'uniqueId', id: string, allVersions = false) => {
        const { documents } = await store.dmp.find({ kind: 'GetDocuments', by, ids: [id], allVersions })
        return documents.map(({ version, superseded }) => `${version}${superseded ? ' superseded' : ''}`).sort()
      }
      for (const id of [entry.entryUuid, second.entryUuid, third.entryUuid])
        assert.deepEqual(await found('any', id), ['3'])
      assert.deepEqual(await found('entryUuid', second.entryUuid), ['2 superseded'])
      assert.deepEqual(await found('logicalId', entry.entryUuid), ['3'])
      assert.deepEqual(await found('logicalId', second.entryUuid), [])
      assert.deepEqual(await found('uniqueId', entry.uniqueId), ['3'])
      const all = ['1 superseded', '2 superseded', '3']
      assert.deepEqual(await found('uniqueId', entry.uniqueId, true), all)
      assert.deepEqual(await found('logicalId', entry.entryUuid, true), all)
      assert.equal((await documentsOf(store.dmp, { entryUuids: [second.entryUuid] })).length, 1)
      const versions = await store.dmp.versions(entry.entryUuid)
      assert.deepEqual(
        versions.map((each) => [each.version, each.availabilityStatus]),
        [
          [3, 'Approved'],
          [2, 'Deprecated'],
          [1, 'Deprecated'],
        ],
      )
      assert.deepEqual(await store.dmp.versions(newEntryUuid()), [])
    })

    it('keeps the instant at which each version was made', async () => {
      const entry = await stored()
      const made = (await factsOf(store.dmp, entry.entryUuid))?.updatedAt
      await change(version(next(entry)))
      assert.equal((await factsOf(store.dmp, entry.entryUuid))?.updatedAt, made)
    })

    it('carries over what linked the version before, and leaves that to its history', async () => {
      const [old, folder] = [await stored(), aFolder()]
      const replacement = aReplacement(old.entryUuid)
      await feed(store.dmp, replacement)
      const [entry] = replacement.entries
      assert.ok(entry)
      const shelf = aSubmission({ entries: [], folders: [folder] }, ({ entryUuid }) => {
        const membership = aMembership(folder.entryUuid, entry.entryUuid)
        return [membership, aMembership(entryUuid, membership.entryUuid)]
      })
      await feed(store.dmp, shelf)
      const object = next(entry)
      await change(version(object))
      const kinds = (await associations(object.entryUuid)).map(({ type, source }) => [type, source])
      assert.deepEqual(
        kinds.sort(),
        [
          ['HasMember', folder.entryUuid],
          ['HasMember', replacement.submissionSet.entryUuid],
          ['RPLC', object.entryUuid],
        ].sort(),
      )
      assert.deepEqual(await associations(entry.entryUuid), [])
      assert.equal((await associations(entry.entryUuid, true)).length, 3)
      assert.equal((await associations(old.entryUuid)).filter(({ type }) => type === 'RPLC').length, 1)
    })

    it('holds a version by the SubmissionSet that brings it, and its folder memberships too', async () => {
      const [entry, folder] = [aDocumentEntry(), aFolder()]
      const first = aSubmission({ entries: [entry], folders: [folder] }, ({ entryUuid }) => {
        const membership = aMembership(folder.entryUuid, entry.entryUuid)
        return [membership, aMembership(entryUuid, membership.entryUuid)]
      })
      await feed(store.dmp, first)
      const [object, submissionSet] = [next(entry), aSubmissionSet()]
      const holding = aMembership(submissionSet.entryUuid, object.entryUuid, 'Original')
      await change({ ...version(object), submissionSet, associations: [holding] })
      const links = await associations(object.entryUuid)
      const membership = links.find(({ source }) => source === folder.entryUuid)
      assert.deepEqual(links.map(({ source }) => source).sort(), [folder.entryUuid, submissionSet.entryUuid].sort())
      assert.ok(membership)
      assert.equal((await associations(membership.entryUuid))[0]?.source, submissionSet.entryUuid)
      const kept = await store.dmp.find({ kind: 'GetSubmissionSets', by: 'uniqueId', ids: [submissionSet.uniqueId] })
      assert.deepEqual(kept.submissionSets, [submissionSet])
    })

    it('carries nothing over where that is not wanted', async () => {
      const [old, submissionSet] = [await stored(), aSubmissionSet()]
      const replacement = aReplacement(old.entryUuid)
      await feed(store.dmp, replacement)
      const [entry] = replacement.entries
      assert.ok(entry)
      const object = next(entry)
      const holding = aMembership(submissionSet.entryUuid, object.entryUuid, 'Original')
      await change({ ...version(object, 1, false), submissionSet, associations: [holding] })
      assert.deepEqual(
        (await associations(object.entryUuid)).map(({ source }) => source),
        [submissionSet.entryUuid],
      )
    })

    it('keeps an archived document archived in its new version', async () => {
      const entry = await stored()
      await change({ statuses: [{ target: entry.entryUuid, from: 'Approved', to: 'Archived' }] })
      await change(version(next(entry, masked)))
      assert.deepEqual(
        (await documentsOf(store.dmp, {}, ['Archived'])).map((document) => document.version),
        [2],
      )
    })

    it('refuses a version of nothing, of another version, of what is not in force, and of itself', async () => {
      const entry = await stored()
      await assert.rejects(
        change(version(next(entry, { logicalId: newEntryUuid() }))),
        refused('XDSMetadataVersionError'),
      )
      await assert.rejects(change(version(next(entry), 2)), refused('XDSMetadataVersionError'))
      await change(version(next(entry)))
      await assert.rejects(change(version(next(entry))), refused('XDSMetadataVersionError'))
      const id = newEntryUuid()
      const itself = { ...entry, entryUuid: id, logicalId: id }
      await assert.rejects(change(version(itself)), refused('XDSMetadataUpdateError'))
      const replaced = await stored()
      await feed(store.dmp, aReplacement(replaced.entryUuid))
      await assert.rejects(change(version(next(replaced))), refused('XDSMetadataUpdateError'))
    })

    it('refuses another uniqueId, another kind, a used entryUUID, and one document twice', async () => {
      const entry = await stored()
      const others = { uniqueId: aDocumentEntry().uniqueId }
      await assert.rejects(change(version(next(entry, others))), refused('XDSMetadataUpdateError'))
      const folder = aFolder({ logicalId: entry.entryUuid, uniqueId: entry.uniqueId })
      await assert.rejects(change(version(folder)), refused('XDSMetadataUpdateError'))
      const used = { ...entry, logicalId: entry.entryUuid, entryUuid: (await stored()).entryUuid }
      await assert.rejects(change(version(used)), refused('XDSRegistryMetadataError'))
      const versions = [next(entry), next(entry)].map((object) => ({ object, previousVersion: 1, propagate: true }))
      await assert.rejects(change({ versions }), refused('XDSMetadataUpdateError'))
      assert.equal((await factsOf(store.dmp, entry.entryUuid))?.superseded, undefined)
    })

    it('refuses the same in a restricted update under its own codes, and takes over whatever status there was', async () => {
      const entry = await stored()
      const restricted = (object: DocumentEntry | Folder) => change({ ...version(object), restricted: true })
      const { uniqueId } = aDocumentEntry()
      await assert.rejects(restricted(next(entry, { uniqueId })), refused('XDSMetadataIdentifierError'))
      await assert.rejects(restricted(next(entry, { stability: 'on-demand' })), refused('XDSObjectTypeError'))
      const id = newEntryUuid()
      await assert.rejects(
        restricted({ ...entry, entryUuid: id, logicalId: id }),
        refused('XDSInvalidRequestException'),
      )
      await feed(store.dmp, aReplacement(entry.entryUuid))
      const { entries } = await restricted(next(entry, masked))
      assert.deepEqual(
        entries.map((each) => [each.version, each.availabilityStatus]),
        [[2, 'Deprecated']],
      )
      assert.equal((await documentsOf(store.dmp)).length, 1)
    })

    it('gives no new version to a deleted document', async () => {
      const entry = await stored()
      await change({ statuses: [{ target: entry.entryUuid, from: 'Approved', to: 'Deleted' }] })
      for (const restricted of [true, false])
        await assert.rejects(change({ ...version(next(entry)), restricted }), refused('XDSMetadataUpdateError'))
    })

    it('knows nothing of the documents of another patient', async () => {
      const entry = await stored()
      const patientId = cxOf(otherPatient, 'NH')
      const foreign = { patient: otherPatient }
      await assert.rejects(
        change({ ...foreign, ...version(next(entry, { patientId })) }),
        refused('XDSMetadataVersionError'),
      )
      const statuses = [{ target: entry.entryUuid, from: 'Approved', to: 'Archived' } as const]
      await assert.rejects(change({ ...foreign, statuses }), refused('UnresolvedReferenceException'))
    })

    it('changes a status from what it is, archiving, deleting and back', async () => {
      const { entryUuid } = await stored()
      const status = (from: 'Approved' | 'Archived', to: 'Approved' | 'Archived' | 'Deleted') =>
        change({ statuses: [{ target: entryUuid, from, to }] })
      const { entries, at } = await status('Approved', 'Archived')
      assert.deepEqual(
        entries.map((entry) => entry.availabilityStatus),
        ['Archived'],
      )
      assert.equal((await factsOf(store.dmp, entryUuid))?.updatedAt, at)
      await assert.rejects(status('Approved', 'Deleted'), refused('XDSMetadataUpdateError'))
      await assert.rejects(status('Archived', 'Archived' as 'Approved'), refused('XDSMetadataUpdateOperationError'))
      await status('Archived', 'Approved')
      await status('Approved', 'Deleted')
      assert.equal((await documentsOf(store.dmp, {}, ['Deleted'])).length, 1)
    })

    it('refuses to change the status of nothing, of a SubmissionSet, and of a version that is history', async () => {
      const submission = aSubmission()
      await feed(store.dmp, submission)
      const [entry] = submission.entries
      assert.ok(entry)
      const status = (target: EntryUuid) => change({ statuses: [{ target, from: 'Approved', to: 'Archived' }] })
      await assert.rejects(status(newEntryUuid()), refused('UnresolvedReferenceException'))
      await assert.rejects(status(submission.submissionSet.entryUuid), refused('XDSMetadataUpdateError'))
      await change(version(next(entry)))
      await assert.rejects(status(entry.entryUuid), refused('XDSMetadataUpdateError'))
    })

    it('changes labels and status in one: the old entryUUID then names the new version', async () => {
      const entry = await stored()
      const object = next(entry, masked)
      const statuses = [{ target: entry.entryUuid, from: 'Approved', to: 'Archived' } as const]
      const { entries } = await change({ ...version(object), statuses })
      assert.deepEqual(
        entries.map((each) => [each.entryUuid, each.version, each.availabilityStatus]),
        [[object.entryUuid, 2, 'Archived']],
      )
      assert.equal((await factsOf(store.dmp, entry.entryUuid))?.availabilityStatus, 'Deprecated')
    })

    it('takes an association between documents in force, once, and replaces by it', async () => {
      const [old, recent, third] = [await stored(), await stored(), await stored()]
      const relation = (changes: object = {}) =>
        anAssociation({ type: 'APND', source: recent.entryUuid, target: old.entryUuid, ...changes })
      await change({ associations: [relation()] })
      await assert.rejects(change({ associations: [relation()] }), refused('XDSMetadataUpdateError'))
      await change({ associations: [relation({ type: 'RPLC' })] })
      assert.equal((await factsOf(store.dmp, old.entryUuid))?.availabilityStatus, 'Deprecated')
      const late = relation({ source: third.entryUuid })
      await assert.rejects(change({ associations: [late] }), refused('XDSMetadataUpdateError'))
      const nothing = relation({ source: third.entryUuid, target: newEntryUuid() })
      await assert.rejects(change({ associations: [nothing] }), refused('UnresolvedReferenceException'))
    })

    it('relates documents to documents, files documents in folders, and nothing else', async () => {
      const folder = aFolder()
      const submission = aSubmission({ folders: [folder] })
      await feed(store.dmp, submission)
      const [entry] = submission.entries
      assert.ok(entry)
      const other = await stored()
      const link = (type: 'APND' | 'HasMember', source: EntryUuid, target: EntryUuid) =>
        change({ associations: [anAssociation({ type, source, target })] })
      const wrong = refused('XDSMetadataUpdateError')
      await assert.rejects(link('APND', entry.entryUuid, folder.entryUuid), wrong)
      await assert.rejects(link('HasMember', entry.entryUuid, other.entryUuid), wrong)
      await assert.rejects(link('HasMember', submission.submissionSet.entryUuid, other.entryUuid), wrong)
      await link('HasMember', folder.entryUuid, other.entryUuid)
    })

    it('refuses a SubmissionSet of another patient', async () => {
      const entry = await stored()
      const submissionSet = aSubmissionSet({ patientId: cxOf(otherPatient, 'NH') })
      await assert.rejects(change({ ...version(next(entry)), submissionSet }), refused('XDSPatientIdDoesNotMatch'))
    })

    it('leaves to history also that a SubmissionSet filed the version before', async () => {
      const [entry, folder] = [aDocumentEntry(), aFolder()]
      const filing = aMembership(folder.entryUuid, entry.entryUuid)
      const submission = aSubmission({ entries: [entry], folders: [folder] }, (set) => [
        filing,
        aMembership(set.entryUuid, filing.entryUuid),
      ])
      await feed(store.dmp, submission)
      await change(version(next(entry)))
      assert.deepEqual(await associations(filing.entryUuid), [])
      assert.equal((await associations(filing.entryUuid, true)).length, 1)
    })

    it('gives a folder new versions, with what it holds', async () => {
      const [entry, folder] = [aDocumentEntry(), aFolder()]
      await feed(
        store.dmp,
        aSubmission({ entries: [entry], folders: [folder] }, () => [aMembership(folder.entryUuid, entry.entryUuid)]),
      )
      const object = next(folder, { title: 'Suivi 2027' })
      const { at } = await change(version(object))
      const folders = async (allVersions = false) =>
        store.dmp.find({
          kind: 'FindFolders',
          patient: thePatient,
          statuses: ['Approved', 'Deprecated'],
          criteria: {},
          allVersions,
        })
      const current = await folders()
      assert.deepEqual(
        current.folders.map((each) => [each.entryUuid, each.version, each.title]),
        [[object.entryUuid, 2, 'Suivi 2027']],
      )
      assert.equal(current.updates?.get(object.entryUuid), at)
      assert.equal((await folders(true)).folders.length, 2)
      const held = (await associations(object.entryUuid)).map(({ target }) => target)
      assert.ok(held.includes(entry.entryUuid))
    })

    it('does all of an update or nothing, and records it with it', async () => {
      const entry = await stored()
      const statuses = [{ target: newEntryUuid(), from: 'Approved', to: 'Archived' } as const]
      await assert.rejects(change({ ...version(next(entry)), statuses }), refused('UnresolvedReferenceException'))
      assert.equal((await documentsOf(store.dmp))[0]?.version, 1)
      const records = async () =>
        (await accessesOf(store.trace, { patient: thePatient })).filter(({ operation }) => operation === 'TD3.3a.mask')
      assert.equal((await records()).length, 0)
      await change(version(next(entry)))
      assert.equal((await records()).length, 1)
    })
  })
}
