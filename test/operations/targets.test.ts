import assert from 'node:assert/strict'
import { GatewayError } from '../../src/errors.ts'
import { type EntryUuid, newEntryUuid, type UniqueId } from '../../src/metadata/identifiers.ts'
import type { AssociationType, DocumentEntry } from '../../src/metadata/model.ts'
import type { FeedOptions } from '../../src/operations/operations.ts'
import { aDocumentEntry, anAssociation, aSubmission, type Changes, codes } from '../mothers/metadata.ts'
import { type Asking, aColleague, type House, openHouse, theAuthor, theHospital } from './house.ts'

describe('what a submission points to by uniqueId', () => {
  let house: House
  before(async () => {
    house = await openHouse()
  })
  after(() => house.close())

  async function stored(changes: Changes<DocumentEntry> = {}): Promise<DocumentEntry> {
    const entry = aDocumentEntry(changes)
    await house.as(theHospital).feed(aSubmission({ entries: [entry] }))
    return entry
  }

  /** Feeds a new document that relates to the one with this uniqueId. */
  function relating(who: Asking, uniqueId: string, type: AssociationType = 'RPLC', more: FeedOptions = {}) {
    const entry = aDocumentEntry()
    const standIn = newEntryUuid()
    const submission = aSubmission({ entries: [entry] }, () => [
      anAssociation({ type, source: entry.entryUuid, target: standIn }),
    ])
    return who.feed(submission, { targets: new Map([[standIn, uniqueId as UniqueId]]), ...more })
  }

  async function statusOf({ entryUuid }: DocumentEntry): Promise<string | undefined> {
    const found = await house.embedded.dmp.find({ kind: 'GetDocuments', by: 'any', ids: [entryUuid] })
    return found.documents[0]?.availabilityStatus
  }

  const code = (expected: string) => (error: unknown) => error instanceof GatewayError && error.code === expected

  it('is found for whoever may feed: no consultation has to be declared', async () => {
    const entry = await stored()
    const author = house.as(theAuthor, { declaration: { informed: true } })
    await relating(author, entry.uniqueId)
    assert.equal(await statusOf(entry), 'Deprecated')
  })

  it('is found by a structure among its own', async () => {
    const entry = await stored()
    await relating(house.as(theHospital), entry.uniqueId)
    assert.equal(await statusOf(entry), 'Deprecated')
  })

  it('may be a UUID that is a uniqueId, an entryUUID or a logicalId', async () => {
    const entry = await stored()
    await relating(house.as(theAuthor), entry.entryUuid)
    assert.equal(await statusOf(entry), 'Deprecated')
  })

  it('is one for every kind of relation, a signature too', async () => {
    const entry = await stored()
    for (const type of ['APND', 'XFRM', 'signs'] as const) await relating(house.as(theAuthor), entry.uniqueId, type)
    const { associations } = await house.embedded.dmp.find({ kind: 'GetAssociations', ids: [entry.entryUuid] })
    assert.deepEqual(
      associations.filter(({ target }) => target === entry.entryUuid && target !== undefined).length,
      4,
      'three relations and its lot',
    )
  })

  it('is absent when it is nobody’s, hidden, or another patient’s, each answered alike', async () => {
    const hidden = await stored({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] })
    const answers = []
    for (const uniqueId of [hidden.uniqueId, '1.2.250.1.999.404']) {
      const refused = await relating(house.as(aColleague), uniqueId).then(
        () => undefined,
        (error: unknown) => error,
      )
      assert.ok(refused instanceof GatewayError)
      answers.push(refused.issues.map(({ location: _, ...issue }) => issue))
    }
    assert.deepEqual(answers[0], answers[1])
    assert.equal(answers[0]?.[0]?.code, 'UnresolvedReferenceException')
    assert.equal(await statusOf(hidden), 'Approved')
    await assert.rejects(relating(house.as(theHospital), '1.2.250.1.999.404'), code('UnresolvedReferenceException'))
  })

  it('is what the message says it supersedes, and nothing else', async () => {
    const [entry, other] = [await stored(), await stored()]
    const superseding = (id: EntryUuid) => ({ superseded: [{ id, location: 'Bundle.entry[3].resource' }] })
    const author = house.as(theAuthor)
    await assert.rejects(
      relating(author, entry.uniqueId, 'RPLC', superseding(other.entryUuid)),
      (error) =>
        error instanceof GatewayError &&
        error.issues.length === 1 &&
        error.issues[0].rule === 'UpdateDocumentRefs' &&
        error.issues[0].location === 'Bundle.entry[3].resource',
    )
    await assert.rejects(
      relating(author, entry.uniqueId, 'APND', superseding(entry.entryUuid)),
      code('profile-violation'),
    )
    await assert.rejects(
      relating(author, entry.uniqueId, 'RPLC', superseding(newEntryUuid())),
      code('profile-violation'),
    )
    assert.equal(await statusOf(entry), 'Approved')
    await relating(author, entry.uniqueId, 'RPLC', superseding(entry.entryUuid))
    assert.equal(await statusOf(entry), 'Deprecated')
  })
})

describe('a submission that may have been stored before a restart', () => {
  let house: House
  before(async () => {
    house = await openHouse()
  })
  after(() => house.close())

  it('is stored once: its receipt is given again, and nothing is written', async () => {
    const submission = aSubmission({ entries: [aDocumentEntry(), aDocumentEntry()] })
    const hospital = house.as(theHospital)
    const first = await hospital.feed(submission, { resumed: true })
    const traced = (await house.trace()).length
    const again = await hospital.feed(submission, { resumed: true })
    assert.deepEqual(again.entries, first.entries)
    assert.equal(again.at, first.at)
    assert.equal(again.submissionSet?.entryUuid, submission.submissionSet.entryUuid)
    assert.equal((await house.trace()).length, traced)
  })

  it('is refused a second time where nobody says that it was accepted before', async () => {
    const submission = aSubmission({ entries: [aDocumentEntry()] })
    const hospital = house.as(theHospital)
    await hospital.feed(submission)
    await assert.rejects(hospital.feed(submission), (error) => error instanceof GatewayError)
  })
})
