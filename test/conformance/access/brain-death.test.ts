/** Brain death (BD1, BD2): who declares it, who clears it, and what it closes. */
import assert from 'node:assert/strict'
import { operate } from '../../support/consent.ts'
import { aDocument, declared, type IdentityOptions, people, type TestPatient } from '../../support/gateway.ts'
import { atBothDoors, feed, found, withGateway } from './suite.ts'

const { author, colleague, nurse, staff, stranger, structure } = people
const careTeam = { consent: declared.careTeam }
const informed = { consent: declared.informed }
const reason = { name: 'reason', valueString: 'Constat du 21 novembre' }

withGateway('brain death', (suite) => {
  const declare = (who: IdentityOptions, patient: TestPatient, value: boolean, why = [reason]) =>
    operate(suite.gateway.fhir, who, 'brain-death', patient, [{ name: 'value', valueBoolean: value }, ...why])

  atBothDoors(suite, 'closes the record to professionals, staff and structures, emergency included', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(door, patient)
    assert.equal((await declare(colleague, patient, true)).status, 200)
    const urgent = { ...author, purpose: 'bris_de_glace', reason: 'donneur' } as const
    for (const who of [author, urgent]) {
      assert.equal((await door.find(who, patient, careTeam)).outcome.code, 'brain-death')
      assert.equal((await door.retrieve({ ...who, ins: patient.ins }, stored, careTeam)).bytes, undefined)
    }
    for (const who of [author, structure, staff])
      assert.equal((await door.feed(who, aDocument(patient), informed)).code, 'brain-death')
    assert.equal((await declare(stranger, patient, false)).status, 200)
    assert.deepEqual(await found(door, author, patient), [stored.uniqueId])
  })

  it('leaves the history to be read, and is in it', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await feed(gateway.fhirDoor, patient)
    await declare(colleague, patient, true)
    const { status, json } = await gateway.fhir.history(colleague, patient)
    assert.equal(status, 200)
    assert.match(JSON.stringify(json), /la déclaration de la mort encéphalique – autorisé.*motif : Constat/)
    const told = await gateway.embedded.administration.notifications(patient.key)
    assert.deepEqual(
      told.filter(({ kind }) => kind === 'brain-death').map(({ recipient }) => recipient),
      ['treating-physician'],
    )
  })

  it('is declared with a reason, by a physician of a structure that has fed or consulted the record', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const refused = async (who: IdentityOptions, why?: [typeof reason]) => {
      const { status, outcome } = await declare(who, patient, true, why)
      return [status, outcome.rule, outcome.code]
    }
    assert.deepEqual(await refused(colleague), [403, 'BD2', 'not-permitted-for-role'])
    await feed(gateway.fhirDoor, patient)
    assert.deepEqual(await refused(stranger), [403, 'BD2', 'not-permitted-for-role'])
    assert.deepEqual(await refused(nurse), [403, 'BD2', 'not-permitted-for-role'])
    assert.equal((await declare(structure, patient, true)).outcome.code, 'not-permitted-for-role')
    assert.equal((await declare(patient.identity, patient, true)).outcome.code, 'not-permitted-for-role')
    const without = await declare(colleague, patient, true, [])
    assert.deepEqual([without.status, without.outcome.code], [403, 'reason-required'])
    assert.equal((await declare({ ...colleague, authentication: 'air' }, patient, true)).status, 200)
    assert.equal((await declare(nurse, patient, false)).status, 403)
    assert.equal((await declare(stranger, patient, false, [])).status, 200)
  })
})

withGateway(
  'brain death where an establishment decides otherwise (access.brainDeath: allow)',
  (suite) => {
    it('is on record and closes nothing', async () => {
      const { gateway } = suite
      const patient = await gateway.patient()
      const { stored } = await feed(gateway.fhirDoor, patient)
      const value = { name: 'value', valueBoolean: true }
      assert.equal((await operate(gateway.fhir, colleague, 'brain-death', patient, [value, reason])).status, 200)
      assert.deepEqual(await found(gateway.fhirDoor, author, patient), [stored.uniqueId])
    })
  },
  { 'access.brainDeath': 'allow' },
)
