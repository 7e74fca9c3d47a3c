import assert from 'node:assert/strict'
import type { AccessRecord, Clock, Effects } from '../../src/operations/ports.ts'
import { aSubmission } from '../mothers/metadata.ts'
import { accessesOf } from '../support/trace.ts'
import { anAccessRecord, aProfessionalCaller, contentsOf, feed, otherPatient, refused, thePatient } from './mothers.ts'
import type { OpenDmp, OpenedDmp } from './suite.ts'

export function recordSuite(open: OpenDmp): void {
  describe('the record of a patient', () => {
    let store: OpenedDmp
    let now = new Date('2026-06-01T12:00:00.000Z')
    const clock: Clock = { now: () => now }
    const caller = aProfessionalCaller()
    beforeEach(async () => {
      store = await open({ clock })
    })
    afterEach(() => store.close())
    const opened = (demographics = {}, patient = thePatient) =>
      store.dmp.open(patient, { given: [], ...demographics }, anAccessRecord({ operation: 'open', patient }))
    const recorded = (effects: Effects) => store.trace.record(anAccessRecord({ effects }))

    it('is absent until opened, then has the defaults of the DMP', async () => {
      assert.equal(await store.dmp.status(thePatient, caller), undefined)
      assert.equal(await store.dmp.demographics(thePatient), undefined)
      assert.equal(await opened(), 'created')
      assert.deepEqual(await store.dmp.status(thePatient, caller), {
        patient: thePatient,
        status: 'active',
        brainDeath: false,
        choices: {
          consultationOpposed: false,
          feedOpposed: false,
          breakGlassPermitted: true,
          regulationPermitted: true,
          maskedInEmergencyPermitted: false,
          maskByDefault: false,
        },
        blocked: false,
        treatingPhysician: false,
        authorisation: 'NON_EXISTE',
        informedOfFeeding: false,
        informedEpisodes: [],
        initialConsent: false,
      })
    })

    it('keeps the demographics given last', async () => {
      await opened({ family: 'PATIENTE' })
      const demographics = { family: 'PATIENTE', given: ['Zoé', 'Marie'], gender: 'female', birthDate: '2000-02-29' }
      assert.equal(await opened(demographics), 'updated')
      assert.deepEqual(await store.dmp.demographics(thePatient), demographics)
    })

    it('is a minor’s until the eighteenth birthday in France', async () => {
      await opened({ birthDate: '2008-03-01' })
      const minor = async () => (await store.dmp.status(thePatient, caller))?.minor
      now = new Date('2026-02-28T22:59:59.000Z')
      assert.equal(await minor(), true)
      now = new Date('2026-02-28T23:00:00.000Z')
      assert.equal(await minor(), false)
      await opened({ birthDate: '2008' })
      assert.equal(await minor(), undefined)
    })

    it('remembers information given: on feeding for the structure, on consultation for the episode too', async () => {
      await opened()
      const elsewhere = aProfessionalCaller({ structure: { id: '1010088888' } })
      await recorded({ information: { scope: 'feeding', structure: '1010099999' }, notifications: [] })
      for (const episode of ['E-1', 'E-2', 'E-2'])
        await recorded({ information: { scope: 'consultation', structure: '1010099999', episode }, notifications: [] })
      const facts = await store.dmp.status(thePatient, caller)
      assert.deepEqual([facts?.informedOfFeeding, facts?.informedEpisodes], [true, ['E-1', 'E-2']])
      const others = await store.dmp.status(thePatient, elsewhere)
      assert.deepEqual([others?.informedOfFeeding, others?.informedEpisodes], [false, []])
    })

    it('remembers an authorisation until it is withdrawn, for that person', async () => {
      await opened()
      const status = async (who = caller) => (await store.dmp.status(thePatient, who))?.authorisation
      await recorded({ authorisation: { person: '899700000001', change: 'add' }, notifications: [] })
      assert.equal(await status(), 'VALIDE')
      assert.equal(await status(aProfessionalCaller({ person: { id: '899700000002' } })), 'NON_EXISTE')
      assert.equal(await status(aProfessionalCaller({ kind: 'structure', person: undefined })), 'NON_EXISTE')
      await recorded({ authorisation: { person: '899700000001', change: 'remove' }, notifications: [] })
      assert.equal(await status(), 'NON_EXISTE')
    })

    it('writes the effects of a submission with it, and none of a refused one', async () => {
      await opened()
      const effects: Effects = { information: { scope: 'feeding', structure: '1010099999' }, notifications: [] }
      const submission = aSubmission()
      await assert.rejects(store.dmp.feed(submission, new Map(), anAccessRecord({ effects })))
      assert.equal((await store.dmp.status(thePatient, caller))?.informedOfFeeding, false)
      await store.dmp.feed(submission, contentsOf(submission), anAccessRecord({ effects }))
      assert.equal((await store.dmp.status(thePatient, caller))?.informedOfFeeding, true)
    })

    it('refuses effects for a patient without a record', async () => {
      const effects: Effects = { information: { scope: 'feeding', structure: '1010099999' }, notifications: [] }
      await assert.rejects(recorded(effects), refused('dmp-unknown'))
      assert.deepEqual(await accessesOf(store.trace, { patient: thePatient }), [])
    })
  })

  describe('the trace', () => {
    let store: OpenedDmp
    beforeEach(async () => {
      store = await open({})
    })
    afterEach(() => store.close())

    it('gives records as they were, newest first, of one patient', async () => {
      const refusal = anAccessRecord({
        outcome: 'refused',
        rule: 'BL1',
        reasonCode: 'professional-blocked',
        reason: 'é',
      })
      const records = [
        anAccessRecord(),
        refusal,
        anAccessRecord({ caller: aProfessionalCaller({ person: undefined }) }),
      ]
      for (const record of records) await store.trace.record(record)
      await store.trace.record(anAccessRecord({ patient: otherPatient }))
      await store.trace.record(anAccessRecord({ patient: undefined }))
      assert.deepEqual(await accessesOf(store.trace, { patient: thePatient }), [...records].reverse())
    })

    it('keeps the record of a submission in the same order', async () => {
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
      await feed(store.dmp, aSubmission())
      await store.trace.record(anAccessRecord({ operation: 'history' }))
      const history = await accessesOf(store.trace, { patient: thePatient })
      assert.deepEqual(
        history.map(({ operation }) => operation),
        ['history', 'TD2.1', 'open'],
      )
    })

    it('gives the actions of one person, and of a time: from included, to excluded', async () => {
      const at = (hour: string): string => `2026-06-01T${hour}:00:00.000Z`
      const someone = aProfessionalCaller({ person: { id: '899700000002' } })
      const records: AccessRecord[] = ['08', '09', '10'].map((hour) => anAccessRecord({ at: at(hour) }))
      const theirs = anAccessRecord({ at: at('09'), caller: someone })
      for (const record of [...records, theirs]) await store.trace.record(record)
      const history = (query: object) => accessesOf(store.trace, { patient: thePatient, ...query })
      assert.deepEqual(await history({ person: '899700000002' }), [theirs])
      assert.deepEqual(await history({ from: at('09'), to: at('10') }), [theirs, records[1]])
    })

    it('is ready when it can write', async () => {
      await store.trace.check()
      await store.dmp.check()
    })
  })
}
