import assert from 'node:assert/strict'
import { cxOf } from '../../src/metadata/hl7.ts'
import { type EntryUuid, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { AssociationType, DocumentEntry } from '../../src/metadata/model.ts'
import type { Clock } from '../../src/operations/ports.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aReplacement,
  aSubmission,
  aSubmissionSet,
} from '../mothers/metadata.ts'
import { anAccessRecord, documentsOf, entryOf, factsOf, feed, otherPatient, refused, thePatient } from './mothers.ts'
import type { OpenDmp, OpenedDmp } from './suite.ts'

export function replaceSuite(open: OpenDmp): void {
  describe('replacing', () => {
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
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
      await store.dmp.open(otherPatient, { given: [] }, anAccessRecord({ operation: 'open', patient: otherPatient }))
    })
    afterEach(() => store.close())

    const stored = async (): Promise<DocumentEntry> => {
      const entry = aDocumentEntry()
      await feed(store.dmp, aSubmission({ entries: [entry] }))
      return entry
    }
    const related = async (type: AssociationType, target: EntryUuid): Promise<EntryUuid> => {
      const entry = aDocumentEntry()
      const more = () => [anAssociation({ type, source: entry.entryUuid, target })]
      await feed(store.dmp, aSubmission({ entries: [entry] }, more))
      return entry.entryUuid
    }
    const statusOf = async (id: EntryUuid) => (await factsOf(store.dmp, id))?.availabilityStatus

    it('makes the target Deprecated, which changes it, and the replacement is found in its place', async () => {
      const old = await stored()
      const before = await factsOf(store.dmp, old.entryUuid)
      const submission = aReplacement(old.entryUuid)
      await feed(store.dmp, submission)
      const after = await factsOf(store.dmp, old.entryUuid)
      assert.equal(after?.availabilityStatus, 'Deprecated')
      assert.ok(before && after.updatedAt > before.updatedAt)
      assert.equal(after.depositedAt, before.depositedAt)
      const found = await documentsOf(store.dmp)
      assert.deepEqual(
        found.map(({ entryUuid }) => entryUuid),
        submission.entries.map(({ entryUuid }) => entryUuid),
      )
      assert.equal((await documentsOf(store.dmp, {}, ['Approved', 'Deprecated'])).length, 2)
    })

    it('reads a replaced entry as Deprecated', async () => {
      const old = await stored()
      await feed(store.dmp, aReplacement(old.entryUuid))
      assert.deepEqual(await entryOf(store.dmp, old.entryUuid), { ...old, availabilityStatus: 'Deprecated' })
    })

    it('takes the addenda and transformations of the target with it, and theirs', async () => {
      const old = await stored()
      const addendum = await related('APND', old.entryUuid)
      const transformed = await related('XFRM', addendum)
      const signature = await related('signs', old.entryUuid)
      await feed(store.dmp, aReplacement(old.entryUuid))
      assert.deepEqual(
        [await statusOf(addendum), await statusOf(transformed), await statusOf(signature)],
        ['Deprecated', 'Deprecated', 'Approved'],
      )
    })

    it('does the same for XFRM_RPLC, and only that for APND and XFRM', async () => {
      const old = await stored()
      await related('APND', old.entryUuid)
      await related('XFRM', old.entryUuid)
      assert.equal(await statusOf(old.entryUuid), 'Approved')
      await related('XFRM_RPLC', old.entryUuid)
      assert.equal(await statusOf(old.entryUuid), 'Deprecated')
    })

    it('refuses a target that is Deprecated', async () => {
      const old = await stored()
      await feed(store.dmp, aReplacement(old.entryUuid))
      await assert.rejects(feed(store.dmp, aReplacement(old.entryUuid)), refused('XDSRegistryDeprecatedDocumentError'))
      await assert.rejects(related('APND', old.entryUuid), refused('XDSRegistryDeprecatedDocumentError'))
    })

    it('refuses to replace one document twice, in one submission or in two at once', async () => {
      const [old, contested] = [await stored(), await stored()]
      const entries = [aDocumentEntry(), aDocumentEntry()]
      const twice = aSubmission({ entries }, () =>
        entries.map(({ entryUuid }) => anAssociation({ type: 'RPLC', source: entryUuid, target: old.entryUuid })),
      )
      await assert.rejects(feed(store.dmp, twice), refused('XDSRegistryDeprecatedDocumentError'))
      assert.equal(await statusOf(old.entryUuid), 'Approved')
      const both = [aReplacement(contested.entryUuid), aReplacement(contested.entryUuid)]
      const results = await Promise.allSettled(both.map((submission) => feed(store.dmp, submission)))
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })

    it('refuses a target that is unknown, no document, in the same message, or of another patient', async () => {
      const submission = aSubmission()
      await feed(store.dmp, submission)
      await assert.rejects(feed(store.dmp, aReplacement(newEntryUuid())), refused('UnresolvedReferenceException'))
      const set = aReplacement(submission.submissionSet.entryUuid)
      await assert.rejects(feed(store.dmp, set), refused('UnresolvedReferenceException'))
      const entries = [aDocumentEntry(), aDocumentEntry()]
      const [source, target] = entries.map(({ entryUuid }) => entryUuid)
      const within = aSubmission({ entries }, () => [anAssociation({ type: 'RPLC', source, target })])
      await assert.rejects(feed(store.dmp, within), refused('UnresolvedReferenceException'))
      const patientId = cxOf(otherPatient, 'NH')
      const entry = aDocumentEntry({ patientId })
      const theirs = aSubmission({ entries: [entry], submissionSet: aSubmissionSet({ patientId }) }, () => [
        anAssociation({ type: 'RPLC', source: entry.entryUuid, target: submission.entries[0]?.entryUuid }),
      ])
      await assert.rejects(feed(store.dmp, theirs), refused('UnresolvedReferenceException'))
    })

    it('puts the replacement in the folders of the original', async () => {
      const [old, folder] = [aDocumentEntry(), aFolder()]
      await feed(
        store.dmp,
        aSubmission({ entries: [old], folders: [folder] }, () => [aMembership(folder.entryUuid, old.entryUuid)]),
      )
      const replacement = aReplacement(old.entryUuid)
      await feed(store.dmp, replacement)
      const [entry] = replacement.entries
      const { associations } = await store.dmp.find({ kind: 'GetAssociations', ids: [folder.entryUuid] })
      const joined = associations.find(({ target }) => target === entry?.entryUuid)
      assert.equal(joined?.type, 'HasMember')
      const ids = joined === undefined ? [] : [joined.entryUuid]
      const [ownership] = (await store.dmp.find({ kind: 'GetAssociations', ids })).associations
      assert.equal(ownership?.source, replacement.submissionSet.entryUuid)
    })

    it('takes a stored document by reference into a submission and into a folder', async () => {
      const known = await stored()
      const folder = aFolder()
      const submission = aSubmission({ entries: [], folders: [folder] }, ({ entryUuid }) => {
        const membership = aMembership(folder.entryUuid, known.entryUuid)
        return [
          membership,
          aMembership(entryUuid, membership.entryUuid),
          aMembership(entryUuid, known.entryUuid, 'Reference'),
        ]
      })
      await feed(store.dmp, submission)
      const { associations } = await store.dmp.find({ kind: 'GetAssociations', ids: [known.entryUuid] })
      assert.equal(associations.length, 3)
    })

    it('files documents in registered folders in force, and adds nothing else to what is registered', async () => {
      const folder = aFolder()
      const registered = aSubmission({ entries: [], folders: [folder] })
      await feed(store.dmp, registered)
      const filed = (holder: EntryUuid) => {
        const entry = aDocumentEntry()
        return aSubmission({ entries: [entry] }, (set) => {
          const filing = aMembership(holder, entry.entryUuid)
          return [filing, aMembership(set.entryUuid, filing.entryUuid)]
        })
      }
      await feed(store.dmp, filed(folder.entryUuid))
      await assert.rejects(feed(store.dmp, filed(registered.submissionSet.entryUuid)), refused('XDSRegistryError'))
      const target = folder.entryUuid
      await store.dmp.update(
        {
          patient: thePatient,
          versions: [],
          statuses: [{ target, from: 'Approved', to: 'Deprecated' }],
          associations: [],
        },
        anAccessRecord(),
      )
      await assert.rejects(feed(store.dmp, filed(folder.entryUuid)), refused('XDSRegistryError'))
    })
  })
}
