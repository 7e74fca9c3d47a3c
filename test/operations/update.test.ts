import assert from 'node:assert/strict'
import type { Caller } from '../../src/access/caller.ts'
import { GatewayError, type Issue } from '../../src/errors.ts'
import { type EntryUuid, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { AvailabilityStatus, Code, DocumentEntry } from '../../src/metadata/model.ts'
import type { MetadataUpdate } from '../../src/operations/ports.ts'
import { otherPatient, patient } from '../mothers/access.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  anAuthor,
  aPatientId,
  aProfessional,
  aReplacement,
  aSubmission,
  aSubmissionSet,
  codes,
} from '../mothers/metadata.ts'
import { aColleague, type House, openHouse, theAuthor, theHospital, thePatientThemself } from './house.ts'

const { normal, maskedToProfessionals: mask, hiddenFromPatient: invisible } = codes

describe('updating the metadata of the DMP', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse()
  })
  afterEach(() => house.close())

  /** As the hospital feeds it: written by `theAuthor`. */
  const stored = async (...confidentialityCodes: readonly Code[]): Promise<DocumentEntry> => {
    const entry = aDocumentEntry(confidentialityCodes.length === 0 ? {} : { confidentialityCodes })
    const { entries } = await house.as(theHospital).feed(aSubmission({ entries: [entry] }))
    const [fed] = entries
    assert.ok(fed)
    return fed
  }
  const version = (entry: DocumentEntry, changes: Partial<DocumentEntry>, previousVersion = 1) => ({
    versions: [{ object: { ...entry, ...changes, entryUuid: newEntryUuid() }, previousVersion, propagate: true }],
  })
  const labelled = (entry: DocumentEntry, ...confidentialityCodes: readonly Code[]) =>
    version(entry, { confidentialityCodes })
  const status = (target: EntryUuid, from: AvailabilityStatus, to: AvailabilityStatus) => ({
    statuses: [{ target, from, to }],
  })
  const issuesOf = async (caller: Caller, change: Partial<MetadataUpdate>): Promise<readonly Issue[]> => {
    const refusal = await house
      .as(caller)
      .update(change)
      .then(() => undefined)
      .catch((error: unknown) => error)
    assert.ok(refusal instanceof GatewayError, `refused: ${refusal}`)
    return refusal.issues
  }
  const codesOf = async (caller: Caller, change: Partial<MetadataUpdate>) =>
    (await issuesOf(caller, change)).map(({ code }) => code)

  describe('permits', () => {
    type Case = readonly [
      rule: string,
      caller: Caller,
      before: readonly Code[],
      after: readonly Code[],
      operation: string,
    ]
    const cases: readonly Case[] = [
      ['the author to mask', theAuthor, [normal], [normal, mask], 'TD3.3a.mask'],
      ['the author to unmask', theAuthor, [normal, mask], [normal], 'TD3.3a.unmask'],
      ['a colleague to mask', aColleague, [normal], [normal, mask], 'TD3.3a.mask'],
      ['the patient to mask', thePatientThemself, [normal], [normal, mask], 'TD3.3a.mask'],
      ['the patient to unmask', thePatientThemself, [normal, mask], [normal], 'TD3.3a.unmask'],
      ['the author to make visible to the patient', theAuthor, [normal, invisible], [normal], 'TD3.3b'],
    ]
    for (const [rule, caller, before, after, operation] of cases)
      it(rule, async () => {
        const entry = await stored(...before)
        const { entries } = await house.as(caller).update(labelled(entry, ...after))
        assert.deepEqual(
          entries.map((each) => [each.logicalId, each.version, each.availabilityStatus, each.confidentialityCodes]),
          [[entry.entryUuid, 2, 'Approved', after]],
        )
        const [record] = await house.trace()
        assert.deepEqual([record?.outcome, record?.operation], ['permitted', operation])
        assert.deepEqual(record?.documents, [{ logicalId: entry.entryUuid, uniqueId: entry.uniqueId }])
      })

    it('the author to archive, to take back, and to delete', async () => {
      const { entryUuid } = await stored()
      const author = house.as(theAuthor)
      for (const [from, to, operation] of [
        ['Approved', 'Archived', 'TD3.3d'],
        ['Archived', 'Approved', 'TD3.3d'],
        ['Approved', 'Deleted', 'TD3.3c'],
      ] as const) {
        const { entries } = await author.update(status(entryUuid, from, to))
        assert.deepEqual(
          entries.map((each) => [each.entryUuid, each.version, each.availabilityStatus]),
          [[entryUuid, 1, to]],
        )
        assert.equal((await house.trace())[0]?.operation, operation)
      }
    })

    it('a structure to delete what it fed', async () => {
      const { entryUuid } = await stored()
      const { entries } = await house.as(theHospital).update(status(entryUuid, 'Approved', 'Deleted'))
      assert.equal(entries[0]?.availabilityStatus, 'Deleted')
    })

    it('a visibility and a status together, each decided on', async () => {
      const entry = await stored()
      const change = { ...labelled(entry, normal, mask), ...status(entry.entryUuid, 'Approved', 'Archived') }
      const { entries } = await house.as(theAuthor).update(change)
      assert.deepEqual(
        entries.map((each) => [each.version, each.availabilityStatus, each.confidentialityCodes.length]),
        [[2, 'Archived', 2]],
      )
    })

    it('masking what is archived or replaced, which stays what it is', async () => {
      const entry = await stored()
      await house.as(theHospital).feed(aReplacement(entry.entryUuid))
      const { entries } = await house.as(theAuthor).update(labelled(entry, normal, mask))
      assert.deepEqual(
        entries.map((each) => [each.version, each.availabilityStatus]),
        [[2, 'Deprecated']],
      )
    })

    it('a new version that does not repeat what the repository set', async () => {
      const entry = await stored()
      const { hash: _, size: __, repositoryUniqueId: ___, ...bare } = entry
      const { entries } = await house.as(theAuthor).update(labelled(bare, normal, mask))
      const [next] = entries
      assert.deepEqual(
        [next?.hash, next?.size, next?.repositoryUniqueId],
        [entry.hash, entry.size, entry.repositoryUniqueId],
      )
    })

    it('an update that comes as a submission, with the membership of its new version', async () => {
      const entry = await stored()
      const submissionSet = aSubmissionSet()
      const change = labelled(entry, normal, mask)
      const [next] = change.versions
      assert.ok(next)
      const membership = aMembership(submissionSet.entryUuid, next.object.entryUuid, 'Original')
      const receipt = await house.as(theAuthor).update({ ...change, submissionSet, associations: [membership] })
      assert.equal(receipt.submissionSet?.uniqueId, submissionSet.uniqueId)
      const query = { kind: 'GetSubmissionSetsOf', ids: [next.object.entryUuid] } as const
      const { submissionSets } = await house.as(theAuthor).find(query)
      assert.equal(submissionSets[0]?.entryUuid, submissionSet.entryUuid)
    })
  })

  describe('refuses', () => {
    it('every attribute that differs and may not, by name', async () => {
      const entry = await stored()
      const change = version(entry, {
        title: 'Autre titre',
        mimeType: 'text/plain',
        confidentialityCodes: [normal, mask],
      })
      const id = change.versions[0]?.object.entryUuid
      const issues = await issuesOf(theAuthor, change)
      assert.deepEqual(
        issues.map(({ code, rule, location }) => [code, rule, location]),
        [
          ['attribute-not-modifiable', 'UP8', `${id}/mimeType`],
          ['attribute-not-modifiable', 'UP8', `${id}/title`],
        ],
      )
      const [record] = await house.trace()
      assert.deepEqual(
        [record?.outcome, record?.rule, record?.reasonCode],
        ['refused', 'UP8', 'attribute-not-modifiable'],
      )
    })

    it('another patient in the new version', async () => {
      const entry = await stored()
      const patientId = aPatientId({ id: '160059999999988' })
      assert.deepEqual(await codesOf(theAuthor, version(entry, { patientId })), ['attribute-not-modifiable'])
    })

    it('what is only set at feeding', async () => {
      const entry = await stored()
      assert.deepEqual(await codesOf(theAuthor, labelled(entry, normal, invisible)), ['set-at-feeding'])
    })

    it('labels without N', async () => {
      const entry = await stored()
      assert.deepEqual(await codesOf(theAuthor, labelled(entry, mask)), ['code-not-accepted'])
    })

    it('deleting and archiving by a colleague', async () => {
      const { entryUuid } = await stored()
      assert.deepEqual(await codesOf(aColleague, status(entryUuid, 'Approved', 'Deleted')), ['not-the-author'])
      assert.deepEqual(await codesOf(aColleague, status(entryUuid, 'Approved', 'Archived')), ['not-the-author'])
    })

    it('what no status becomes: obsolete without a replacement, and anything of the deleted', async () => {
      const entry = await stored()
      const { entryUuid } = entry
      assert.deepEqual(await codesOf(theAuthor, status(entryUuid, 'Approved', 'Deprecated')), [
        'attribute-not-modifiable',
      ])
      await house.as(theAuthor).update(status(entryUuid, 'Approved', 'Deleted'))
      for (const to of ['Approved', 'Archived', 'Deprecated'] as const)
        assert.deepEqual(await codesOf(theAuthor, status(entryUuid, 'Deleted', to)), ['attribute-not-modifiable'])
      assert.deepEqual(await codesOf(theAuthor, labelled(entry, normal, mask)), ['attribute-not-modifiable'])
    })

    it('a structure certificate, which replaces instead, alike whether the document exists or not', async () => {
      const entry = await stored()
      const absent = { ...entry, logicalId: newEntryUuid() }
      assert.deepEqual(
        await issuesOf(theHospital, labelled(entry, normal, mask)),
        await issuesOf(theHospital, labelled(absent, normal, mask)),
      )
      assert.deepEqual(await codesOf(theHospital, labelled(entry, normal, mask)), ['use-replacement'])
      assert.deepEqual(await codesOf(theHospital, status(entry.entryUuid, 'Approved', 'Archived')), ['use-replacement'])
    })

    it('a hidden document as an absent one, to the letter, whatever is asked of it', async () => {
      const secret = await stored(normal, mask)
      const absent: DocumentEntry = { ...secret, entryUuid: newEntryUuid(), logicalId: newEntryUuid() }
      for (const change of [
        (entry: DocumentEntry) => labelled(entry, normal),
        (entry: DocumentEntry) => version(entry, { title: 'Autre titre' }),
        (entry: DocumentEntry) => labelled(entry, normal, mask, invisible),
        ({ entryUuid }: DocumentEntry) => status(entryUuid, 'Approved', 'Deleted'),
        ({ entryUuid }: DocumentEntry) => status(entryUuid, 'Approved', 'Deprecated'),
      ]) {
        const issues = await issuesOf(aColleague, change(secret))
        assert.deepEqual(
          issues.map(({ code }) => code),
          ['not-found'],
        )
        const [record] = await house.trace()
        assert.deepEqual(
          [record?.outcome, record?.rule, record?.documents.map(({ logicalId }) => logicalId)],
          ['refused', 'DF', [secret.logicalId]],
        )
        assert.deepEqual(await issuesOf(aColleague, change(absent)), issues)
        assert.deepEqual((await house.trace())[0]?.documents, [])
      }
    })

    it('the document of another patient as an absent one', async () => {
      const entry = aDocumentEntry({ patientId: aPatientId({ id: '160059999999988' }) })
      const hospital = house.as(theHospital)
      await house.operations.open(otherPatient, { given: [] }, hospital.context)
      const submissionSet = aSubmissionSet({ patientId: entry.patientId })
      await hospital.feed(aSubmission({ submissionSet, entries: [entry] }))
      assert.deepEqual(await codesOf(theAuthor, status(entry.entryUuid, 'Approved', 'Archived')), ['not-found'])
    })

    it('a patient without a record', async () => {
      const entry = await stored()
      const change = { ...labelled(entry, normal, mask), patient: otherPatient }
      assert.deepEqual(await codesOf(theAuthor, change), ['dmp-unknown'])
    })

    it('a version that is no longer the current one', async () => {
      const entry = await stored()
      await house.as(theAuthor).update(labelled(entry, normal, mask))
      assert.deepEqual(await codesOf(theAuthor, labelled(entry, normal)), ['XDSMetadataVersionError'])
    })

    it('associations, folders, and updates of nothing: the DMP has none', async () => {
      const [one, other] = [await stored(), await stored()]
      const folder = aFolder()
      const relation = anAssociation({ type: 'APND', source: one.entryUuid, target: other.entryUuid })
      const submissionSet = aSubmissionSet()
      const member = aMembership(submissionSet.entryUuid, other.entryUuid, 'Reference')
      for (const change of [
        { submissionSet, associations: [relation], ...labelled(one, normal, mask) },
        { submissionSet, associations: [member], ...labelled(one, normal, mask) },
        { versions: [{ object: folder, previousVersion: 1, propagate: true }] },
        { submissionSet },
      ])
        assert.deepEqual(await codesOf(theAuthor, change), ['not-a-dmp-operation'])
    })

    it('all of it when a part is refused', async () => {
      const mine = await stored()
      const entry = aDocumentEntry({ authors: [anAuthor({ person: aProfessional({ id: '899700000077' }) })] })
      await house.as(theHospital).feed(aSubmission({ entries: [entry] }))
      const statuses = [mine, entry].map(
        ({ entryUuid: target }) => ({ target, from: 'Approved', to: 'Deleted' }) as const,
      )
      assert.deepEqual(await codesOf(theAuthor, { statuses }), ['not-the-author'])
      const query = { kind: 'GetDocuments', by: 'entryUuid', ids: [mine.entryUuid] } as const
      assert.equal((await house.as(theAuthor).find(query)).documents[0]?.availabilityStatus, 'Approved')
    })
  })

  it('tells the patient when the visibility of a document changes', async () => {
    const entry = await stored()
    await house.as(theAuthor).update(labelled(entry, normal, mask))
    const [record] = await house.trace()
    assert.deepEqual(
      record?.effects.notifications.map(({ kind, recipient, documents }) => [kind, recipient, documents]),
      [['visibility-change', 'patient', [entry.logicalId]]],
    )
  })

  it('hides a document from colleagues once it is masked, in every version', async () => {
    const entry = await stored()
    const find = async () => {
      const query = { kind: 'FindDocuments', patient, statuses: ['Approved', 'Deprecated'], criteria: {} } as const
      return (await house.as(aColleague).find(query, { metadataLevel: 2 })).documents.length
    }
    assert.equal(await find(), 1)
    await house.as(theAuthor).update(labelled(entry, normal, mask))
    assert.equal(await find(), 0)
    const { documents, issues } = await house.operations.retrieve(
      [{ documentUniqueId: entry.uniqueId }, { logicalId: entry.entryUuid }],
      house.as(aColleague).context,
    )
    assert.deepEqual([documents.length, issues.length], [0, 2])
  })
})
