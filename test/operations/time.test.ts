/** What time does by itself: hidden documents become visible, the patient is told, authorisations end (R.1111-53). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Caller, ConsentDeclaration } from '../../src/access/caller.ts'
import { type Policy, strictPolicy } from '../../src/access/types.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { createOperations } from '../../src/operations/index.ts'
import { dueNotices } from '../../src/operations/notices.ts'
import type { RequestContext } from '../../src/operations/ports.ts'
import { contentsOf } from '../dmp/mothers.ts'
import { aPatient, aRepresentative, careTeam, informed, patient } from '../mothers/access.ts'
import { aDocumentEntry, aSubmission, type Changes, codes, repositoryUniqueId } from '../mothers/metadata.ts'
import { recordsOf } from '../support/trace.ts'
import { aColleague, theAuthor, theHospital } from './house.ts'

const deposit = '2026-03-31T09:00:00.000Z'
const hidden = { confidentialityCodes: [codes.normal, codes.hiddenFromPatient] }

describe('time', () => {
  let directory: string
  let embedded: EmbeddedDmp
  let now = new Date(deposit)
  const clock = { now: () => now }
  beforeEach(async () => {
    now = new Date(deposit)
    directory = await mkdtemp(path.join(tmpdir(), 'time-'))
    embedded = await openEmbeddedDmp({ directory, repositoryUniqueId, clock })
  })
  afterEach(async () => {
    await embedded.close()
    await rm(directory, { recursive: true })
  })
  const house = (policy: Partial<Policy> = {}) =>
    createOperations({ ...embedded, clock, policy: { ...strictPolicy, ...policy } })
  const as = (caller: Caller, declaration: ConsentDeclaration = careTeam): RequestContext => ({
    caller,
    purpose: 'normal',
    declaration: caller.kind === 'structure' ? informed : declaration,
    door: 'xds',
    transaction: 'test',
    requestId: randomUUID(),
  })
  const opened = (demographics = {}) => house().open(patient, { given: [], ...demographics }, as(theHospital))
  const fed = async (changes: Changes<DocumentEntry> = {}, caller = theHospital) => {
    const submission = aSubmission({ entries: [aDocumentEntry(changes)] })
    const { entries } = await house().feed(submission, contentsOf(submission), as(caller))
    return entries[0] as DocumentEntry
  }
  const seenBy = async (caller: Caller) => {
    const query = { kind: 'FindDocuments', patient, statuses: ['Approved'], criteria: {} } as const
    return (await house().find(query, as(caller))).documents.length
  }
  const told = async (recipient = 'patient') => {
    const facts = await embedded.dmp.status(patient, aPatient())
    assert.ok(facts)
    const notices = await dueNotices({ ...embedded, clock, policy: strictPolicy }, patient, facts)
    return notices.filter((notice) => notice.recipient === recipient).map(({ kind }) => kind)
  }

  it('shows a document hidden from the patient one month after its deposit, and not a moment before', async () => {
    await opened()
    await fed(hidden)
    assert.equal(await seenBy(aColleague), 1)
    for (const [at, count] of [
      [deposit, 0],
      ['2026-04-30T08:59:59.999Z', 0],
      ['2026-04-30T09:00:00.000Z', 1],
    ] as const) {
      now = new Date(at)
      assert.equal(await seenBy(aPatient()), count, at)
    }
  })

  it('tells the patient of it after two weeks, and that it was fed once it is visible', async () => {
    await opened()
    await fed(hidden)
    for (const [at, kinds] of [
      [deposit, []],
      ['2026-04-14T08:59:59.999Z', []],
      ['2026-04-14T09:00:00.000Z', ['hidden-document']],
      ['2026-04-30T08:59:59.999Z', ['hidden-document']],
      ['2026-04-30T09:00:00.000Z', ['feed']],
    ] as const) {
      now = new Date(at)
      assert.deepEqual(await told(), kinds, at)
    }
  })

  it('tells at once of a document that is visible, beside one that is not', async () => {
    await opened()
    const submission = aSubmission({ entries: [aDocumentEntry(), aDocumentEntry(hidden)] })
    await house().feed(submission, contentsOf(submission), as(theHospital))
    assert.deepEqual(await told(), ['feed'])
  })

  it('tells that it was fed as soon as a professional makes it visible, and no more that it is hidden', async () => {
    await opened()
    const entry = await fed(hidden, theAuthor)
    now = new Date('2026-04-15T00:00:00.000Z')
    assert.deepEqual(await told(), ['hidden-document'])
    const shown = { ...entry, entryUuid: `urn:uuid:${randomUUID()}` as DocumentEntry['entryUuid'] }
    await house().update(
      {
        patient,
        versions: [
          {
            object: { ...shown, confidentialityCodes: [codes.normal] },
            previousVersion: entry.version,
            propagate: true,
          },
        ],
        statuses: [],
        associations: [],
      },
      as(theAuthor),
    )
    assert.deepEqual((await told()).sort(), ['feed', 'visibility-change'])
  })

  it('keeps from the representatives of a minor what is hidden from them', async () => {
    await opened({ birthDate: '2014-01-01' })
    const secret = { ...codes.hiddenFromPatient, code: 'INVISIBLE_REPRESENTANTS_LEGAUX' }
    await fed({ confidentialityCodes: [codes.normal, secret] })
    assert.equal(await seenBy(aRepresentative()), 0)
    assert.equal(await seenBy(aPatient()), 1)
    assert.deepEqual(await told(), [])
    // The account is the patient’s own from the eighteenth birthday on.
    now = new Date('2032-01-02T00:00:00.000Z')
    assert.deepEqual(await told(), ['feed'])
  })

  it('shows the row of the history once its document is visible', async () => {
    await opened()
    await fed(hidden)
    const rows = async () =>
      (await recordsOf(await house().history(patient, as(aPatient())))).map(({ operation }) => operation)
    assert.ok(!(await rows()).includes('TD2.1'))
    now = new Date('2026-05-01T00:00:00.000Z')
    assert.ok((await rows()).includes('TD2.1'))
  })

  it('ends an authorisation after the days that the house has set', async () => {
    await opened()
    const settled = house({ authorisationDays: 90 })
    await settled.authorise(patient, 'add', as(aColleague))
    const status = async () => (await embedded.dmp.status(patient, aColleague))?.authorisation
    now = new Date('2026-06-29T08:59:59.999Z')
    assert.equal(await status(), 'VALIDE')
    now = new Date('2026-06-29T09:00:00.000Z')
    assert.equal(await status(), 'EXPIRE')
    const suffices = house({ authorisationDays: 90, authorisationSuffices: true })
    const query = { kind: 'FindDocuments', patient, statuses: ['Approved'], criteria: {} } as const
    await assert.rejects(suffices.find(query, as(aColleague, {})), { message: 'consent-missing CO3' })
    await suffices.find(query, as(aColleague, { basis: 'explicit' }))
    assert.equal(await status(), 'VALIDE')
    await suffices.find(query, as(aColleague, {}))
  })

  it('tells of a first consultation once, and not again where the authorisation had only ended', async () => {
    await opened()
    const settled = house({ authorisationDays: 1 })
    const query = { kind: 'FindDocuments', patient, statuses: ['Approved'], criteria: {} } as const
    await settled.find(query, as(aColleague))
    now = new Date('2026-05-31T09:00:00.000Z')
    await settled.find(query, as(aColleague))
    assert.deepEqual(await told(), ['first-consultation'])
  })

  it('gives to the structure what its staff ask for (S526 note 1), and never to a blocked person', async () => {
    await opened()
    const staff: Caller = {
      ...theHospital,
      kind: 'staff',
      authentication: 'direct',
      person: { id: '31010099999/0001' },
    }
    await house().authorise(patient, 'add', as(staff))
    const status = async (caller: Caller) => (await embedded.dmp.status(patient, caller))?.authorisation
    assert.equal(await status(aColleague), 'VALIDE')
    assert.equal(await status({ ...aColleague, structure: { id: '1020099999' } }), 'NON_EXISTE')
    const person = aColleague.person?.id ?? ''
    await house().choose(patient, { kind: 'block', person }, as(aPatient()))
    assert.equal(await status(aColleague), 'INTERDIT')
  })
})
