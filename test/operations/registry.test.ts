import assert from 'node:assert/strict'
import { type ErrorCode, GatewayError } from '../../src/errors.ts'
import { type EntryUuid, newEntryUuid, toOid } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry, Folder } from '../../src/metadata/model.ts'
import type { RemovalRequest } from '../../src/operations/operations.ts'
import type { MetadataUpdate } from '../../src/operations/ports.ts'
import { refused } from '../dmp/mothers.ts'
import { otherPatient, patient } from '../mothers/access.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aPatientId,
  aSubmission,
  aSubmissionSet,
  codes,
  repositoryUniqueId,
} from '../mothers/metadata.ts'
import { aColleague, type House, ids, openHouse, theAuthor, theTester } from './house.ts'

const masked = { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }
const elsewhere = toOid('1.2.250.1.999.7')

describe('a registry of profile `ihe`', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse({ profile: 'ihe' })
  })
  afterEach(() => house.close())

  const fed = async (changes: Parameters<typeof aDocumentEntry>[0] = {}) => {
    const submission = aSubmission({ entries: [aDocumentEntry(changes)] })
    const [entry] = (await house.as(theTester).feed(submission)).entries
    const [membership] = submission.associations
    assert.ok(entry && membership)
    return { entry, membership, set: submission.submissionSet }
  }
  /** An update as ITI-57 brings it: a new version, and its membership in the SubmissionSet. */
  const bringing = <T extends DocumentEntry | Folder>(before: T, changes: Partial<T> = {}) => {
    const object = { ...before, ...changes, entryUuid: newEntryUuid() }
    const { patientId = aPatientId() } = object
    const submissionSet = aSubmissionSet({ patientId })
    return {
      submissionSet,
      versions: [{ object, previousVersion: 1, propagate: true }],
      associations: [aMembership(submissionSet.entryUuid, object.entryUuid, 'Original')],
    }
  }

  describe('registers', () => {
    it('metadata alone, of documents that stay in their own repository', async () => {
      const entry = aDocumentEntry({ repositoryUniqueId: elsewhere })
      const { entries } = await house.as(theTester).feed(aSubmission({ entries: [entry] }), { register: true })
      assert.deepEqual(
        entries.map((each) => [each.repositoryUniqueId, each.hash, each.size]),
        [[elsewhere, entry.hash, entry.size]],
      )
      assert.equal((await house.trace())[0]?.operation, 'registry')
    })

    it('nothing that does not say where the document is and what it is', async () => {
      const entry = aDocumentEntry({ repositoryUniqueId: undefined, hash: undefined, size: undefined })
      const feeding = house.as(theTester).feed(aSubmission({ entries: [entry] }), { register: true })
      await assert.rejects(feeding, (error) => {
        assert.ok(error instanceof GatewayError)
        const places = error.issues.map(({ location }) => location?.split('/').at(-1)).sort()
        assert.deepEqual(places, ['hash', 'repositoryUniqueId', 'size'])
        return true
      })
    })

    it('nothing at all in the DMP', async () => {
      const dmp = await openHouse()
      const feeding = dmp.as(theAuthor).feed(aSubmission(), { register: true })
      await assert.rejects(feeding, refused('not-a-dmp-operation'))
      await dmp.close()
    })
  })

  describe('updates', () => {
    it('any attribute of a document, and the status that was asked for', async () => {
      const { entry } = await fed()
      const tester = house.as(theTester)
      const { entries } = await tester.update(bringing(entry, { title: 'Titre corrigé', mimeType: 'text/plain' }))
      assert.deepEqual(
        entries.map(({ version, title, mimeType }) => [version, title, mimeType]),
        [[2, 'Titre corrigé', 'text/plain']],
      )
      const target = entries[0]?.entryUuid as EntryUuid
      const deprecated = await tester.update({ statuses: [{ target, from: 'Approved', to: 'Deprecated' }] })
      assert.equal(deprecated.entries[0]?.availabilityStatus, 'Deprecated')
      const back = await tester.update({ statuses: [{ target, from: 'Deprecated', to: 'Approved' }] })
      assert.equal(back.entries[0]?.availabilityStatus, 'Approved')
    })

    it('the patient of a document that nothing is attached to', async () => {
      await house.operations.open(otherPatient, { given: [] }, house.as(theTester).context)
      const { entry } = await fed()
      const change = bringing(entry, { patientId: aPatientId({ id: '160059999999988' }) })
      const { entries } = await house.as(theTester).update({ ...change, patient: otherPatient })
      assert.equal(entries[0]?.version, 2)
      const find = { kind: 'FindDocuments', statuses: ['Approved'], criteria: {} } as const
      assert.deepEqual((await house.as(theTester).find({ ...find, patient })).documents, [])
      assert.equal((await house.as(theTester).find({ ...find, patient: otherPatient })).documents.length, 1)
      // Both versions under one lid are then of two patients.
      const query = { kind: 'GetDocuments', by: 'logicalId', ids: [entry.entryUuid] } as const
      const { documents } = await house.as(theTester).find(query, { metadataLevel: 2 })
      assert.deepEqual(documents.map((each) => each.patient).sort(), [otherPatient, patient])
    })

    it('no patient of a document in a folder, unless it leaves it', async () => {
      await house.operations.open(otherPatient, { given: [] }, house.as(theTester).context)
      const [entry, folder] = [aDocumentEntry(), aFolder()]
      const filing = aMembership(folder.entryUuid, entry.entryUuid)
      await house
        .as(theTester)
        .feed(
          aSubmission({ entries: [entry], folders: [folder] }, (set) => [
            filing,
            aMembership(set.entryUuid, filing.entryUuid),
          ]),
        )
      const change = bringing(entry, { patientId: aPatientId({ id: '160059999999988' }) })
      const moving = { ...change, patient: otherPatient }
      await assert.rejects(house.as(theTester).update(moving), refused('XDSPatientIDReconciliationError'))
      const alone = change.versions.map((each) => ({ ...each, propagate: false }))
      assert.equal((await house.as(theTester).update({ ...moving, versions: alone })).entries.length, 1)
    })

    it('a folder, whose earlier version is then Deprecated', async () => {
      const folder = aFolder()
      await house.as(theTester).feed(aSubmission({ entries: [], folders: [folder] }))
      await house.as(theTester).update(bringing(folder, { title: 'Suivi 2027' }))
      const query = { kind: 'GetFolders', by: 'logicalId', ids: [folder.entryUuid] } as const
      const { folders } = await house.as(theTester).find(query, { metadataLevel: 2 })
      assert.deepEqual(
        folders.map(({ version, title, availabilityStatus }) => [version, title, availabilityStatus]).sort(),
        [
          [1, folder.title, 'Deprecated'],
          [2, 'Suivi 2027', 'Approved'],
        ],
      )
    })

    it('nothing that is hidden from a professional', async () => {
      const [{ entry }, { entry: other }] = [await fed(masked), await fed()]
      const issuesOf = async (change: Partial<MetadataUpdate>) => {
        const error = await house
          .as(aColleague)
          .update(change)
          .catch((caught: unknown) => caught)
        assert.ok(error instanceof GatewayError)
        return error.issues.map(({ code, detail }) => [code, detail?.replace(/urn:uuid:\S+(?=,)/, 'ID')])
      }
      const absent: DocumentEntry = { ...entry, entryUuid: newEntryUuid(), logicalId: newEntryUuid() }
      const changes: readonly ((of: DocumentEntry) => Partial<MetadataUpdate>)[] = [
        (of) => bringing(of, { title: 'Titre corrigé' }),
        ({ entryUuid: target }) => ({ statuses: [{ target, from: 'Approved', to: 'Deprecated' }] }),
        ({ entryUuid: target }) => ({
          submissionSet: aSubmissionSet(),
          associations: [anAssociation({ type: 'APND', source: other.entryUuid, target })],
        }),
      ]
      for (const change of changes) {
        assert.deepEqual(await issuesOf(change(entry)), await issuesOf(change(absent)))
        assert.ok((await house.trace()).some(({ outcome, rule }) => outcome === 'refused' && rule === 'DF'))
      }
      await house.as(theAuthor).update(bringing(entry, { title: 'Titre corrigé' }))
    })
  })

  describe('restricts updates (ITI-92) and', () => {
    const restricted = (change: Partial<MetadataUpdate>) => house.as(theTester).update({ ...change, restricted: true })

    it('keeps the status of the version before', async () => {
      const { entry } = await fed()
      const statuses = [{ target: entry.entryUuid, from: 'Approved', to: 'Deprecated' } as const]
      await house.as(theTester).update({ statuses })
      const { entries } = await restricted(bringing(entry, masked))
      assert.deepEqual(
        entries.map(({ version, availabilityStatus }) => [version, availabilityStatus]),
        [[2, 'Deprecated']],
      )
    })

    it('leaves alone what describes the stored document', async () => {
      const { entry } = await fed()
      const change = bringing(entry, { repositoryUniqueId: elsewhere, documentAvailability: 'Offline' })
      await assert.rejects(restricted(change), refused('UnmodifiableMetadataError', 'UnmodifiableMetadataError'))
      // That a document is online is what an entry means that says nothing.
      assert.equal((await restricted(bringing(entry, { documentAvailability: 'Online' }))).entries.length, 1)
    })

    it('changes no status and submits no association', async () => {
      const [{ entry }, { entry: other }] = [await fed(), await fed()]
      const statuses = [{ target: entry.entryUuid, from: 'Approved', to: 'Deprecated' } as const]
      await assert.rejects(restricted({ statuses }), refused('UnmodifiableMetadataError'))
      const associations = [anAssociation({ type: 'APND', source: entry.entryUuid, target: other.entryUuid })]
      await assert.rejects(restricted({ associations }), refused('XDSMetadataUpdateError'))
      assert.equal((await house.trace())[0]?.outcome, 'failed')
    })
  })

  describe('removes', () => {
    const remove = (request: RemovalRequest) => house.operations.remove(request, house.as(theTester).context)
    const there = async (object: { readonly entryUuid: EntryUuid }) => {
      const query = { kind: 'GetDocuments', by: 'entryUuid', ids: [object.entryUuid] } as const
      return (await house.as(theTester).find(query)).documents.length === 1
    }

    it('a whole submission, and records it', async () => {
      const { entry, membership, set } = await fed()
      await remove({ objects: ids([entry, membership, set]) })
      assert.equal(await there(entry), false)
      const removal = (await house.trace()).find(
        ({ operation, outcome }) => operation === 'registry' && outcome === 'permitted',
      )
      assert.deepEqual(removal?.documents, [{ logicalId: entry.logicalId, uniqueId: entry.uniqueId }])
    })

    it('an association alone, once nothing needs it', async () => {
      const [{ entry: one }, { entry: other }] = [await fed(), await fed()]
      const relation = anAssociation({ type: 'APND', source: one.entryUuid, target: other.entryUuid })
      await house.as(theTester).update({ submissionSet: aSubmissionSet(), associations: [relation] })
      await remove({ objects: [relation.entryUuid] })
      const query = { kind: 'GetAssociations', ids: [one.entryUuid] } as const
      const { associations } = await house.as(theTester).find(query)
      assert.deepEqual(
        associations.map(({ type }) => type),
        ['HasMember'],
      )
    })

    it('nothing when something named is not there, is still referred to, or would leave something behind', async () => {
      const { entry, membership, set } = await fed()
      const cases: readonly (readonly [ErrorCode, readonly EntryUuid[]])[] = [
        ['UnresolvedReferenceException', [newEntryUuid()]],
        ['UnresolvedReferenceException', [...ids([entry, membership, set]), newEntryUuid()]],
        ['ReferencesExistException', [set.entryUuid]],
        ['XDSUnreferencedObjectException', ids([entry, membership])],
      ]
      for (const [code, objects] of cases) {
        await assert.rejects(remove({ objects }), refused(code))
        assert.equal(await there(entry), true)
      }
    })

    it('the bytes of a document, by uniqueId, and keeps its metadata', async () => {
      const { entry } = await fed()
      const documents = [{ repositoryUniqueId, documentUniqueId: entry.uniqueId }]
      await remove({ documents })
      assert.equal(await there(entry), true)
      const { issues } = await house.operations.retrieve(documents, house.as(theTester).context)
      assert.deepEqual(
        issues.map(({ code }) => code),
        ['XDSDocumentUniqueIdError'],
      )
      await assert.rejects(remove({ documents }), refused('XDSDocumentUniqueIdError'))
    })

    it('no bytes when one of the documents is unknown, or another repository is named', async () => {
      const { entry } = await fed()
      const mine = { repositoryUniqueId, documentUniqueId: entry.uniqueId }
      const unknown = { repositoryUniqueId, documentUniqueId: '1.2.3' }
      await assert.rejects(remove({ documents: [mine, unknown] }), refused('XDSDocumentUniqueIdError'))
      const other = { repositoryUniqueId: elsewhere, documentUniqueId: entry.uniqueId }
      await assert.rejects(remove({ documents: [mine, other] }), refused('XDSUnknownRepositoryId'))
      const { documents } = await house.operations.retrieve([mine], house.as(theTester).context)
      assert.equal(documents.length, 1)
    })

    it('nothing that is hidden from a professional', async () => {
      const { entry, membership, set } = await fed(masked)
      const { context } = house.as(aColleague)
      const issuesOf = async (request: RemovalRequest) => {
        const error = await house.operations.remove(request, context).catch((caught: unknown) => caught)
        assert.ok(error instanceof GatewayError)
        return error.issues.map(({ code, detail }) => [code, detail])
      }
      const objects = ids([entry, membership, set])
      const absent = await issuesOf({ objects: objects.map(newEntryUuid) })
      assert.deepEqual(await issuesOf({ objects }), absent)
      const bytes = (documentUniqueId: string) => ({ documents: [{ repositoryUniqueId, documentUniqueId }] })
      assert.deepEqual(await issuesOf(bytes(entry.uniqueId)), await issuesOf(bytes('1.2.3')))
      assert.equal(await there(entry), true)
    })

    it('nothing in the DMP', async () => {
      const dmp = await openHouse()
      const removal = dmp.operations.remove({ objects: [newEntryUuid()] }, dmp.as(theAuthor).context)
      await assert.rejects(removal, refused('not-a-dmp-operation'))
      await dmp.close()
    })
  })
})
