import assert from 'node:assert/strict'
import { aPatient } from '../support/people.ts'
import { refused } from './mothers.ts'
import type { PortRules } from './port-suite.ts'
import { author, opened, recordOf } from './port-support.ts'

const doctor = '899700000001'
const longAgo = '2020-01-01T00:00:00.000Z'

/** TD0.2, and the opening of records. */
export function statusRules(rules: PortRules): void {
  describe('the status of a record', () => {
    const port = opened(rules)
    const statusOf = (patient: { readonly key: Parameters<typeof recordOf>[0]['key'] }) =>
      port().reader.status(patient.key, author)
    const patient = async () => {
      const made = aPatient()
      await port().harness.records.open(made.key)
      return made
    }

    it('is undefined where there is no DMP', async () => {
      assert.equal(await statusOf(aPatient()), undefined)
    })

    it('is active, of the patient asked about, without an authorisation of the caller', async () => {
      const one = await patient()
      const facts = await statusOf(one)
      assert.deepEqual(
        [facts?.patient, facts?.status, facts?.authorisation, facts?.blocked, facts?.treatingPhysician],
        [one.key, 'active', 'NON_EXISTE', false, false],
      )
    })

    it('tells an authorisation that holds, and one that has ended', async () => {
      const one = await patient()
      await port().harness.records.authorise(one.key, doctor)
      assert.equal((await statusOf(one))?.authorisation, 'VALIDE')
      await port().harness.records.authorise(one.key, doctor, longAgo)
      assert.equal((await statusOf(one))?.authorisation, 'EXPIRE')
    })

    it('tells an authorisation to the one who has it, and not to a colleague', async () => {
      const one = await patient()
      await port().harness.records.authorise(one.key, '899700000002')
      assert.equal((await statusOf(one))?.authorisation, 'NON_EXISTE')
    })

    it('tells that the patient blocks the caller, whatever was authorised', async () => {
      const one = await patient()
      await port().harness.records.authorise(one.key, doctor)
      await port().harness.records.block(one.key, doctor)
      const facts = await statusOf(one)
      assert.deepEqual([facts?.authorisation, facts?.blocked], ['INTERDIT', true])
    })

    it('tells the treating physician', async () => {
      const one = await patient()
      await port().harness.records.designate(one.key, doctor)
      assert.equal((await statusOf(one))?.treatingPhysician, true)
    })

    it('is closed after the record was closed', async () => {
      const one = await patient()
      await port().harness.records.close(one.key)
      assert.equal((await statusOf(one))?.status, 'closed')
    })

    const opening = (one: ReturnType<typeof aPatient>) =>
      port().reader.open(one.key, { given: ['Zoé'] }, recordOf(one, { operation: 'open' }))
    if (rules.can('openRecord'))
      it('opens and updates records, and keeps their demographics', async () => {
        const one = aPatient()
        assert.equal(await opening(one), 'created')
        assert.equal(await opening(one), 'updated')
        assert.deepEqual(await port().reader.demographics(one.key), { given: ['Zoé'] })
      })
    else
      it(`refuses to open records: ${rules.why('openRecord')}`, async () => {
        await assert.rejects(opening(aPatient()), refused('not-a-dmp-operation'))
      })

    it('is ready', () => port().reader.check())
  })
}
