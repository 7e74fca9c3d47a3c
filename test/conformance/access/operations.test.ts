/** How an outside tool names the patient and the parameters of an operation, and what it is told when it does not. */
import assert from 'node:assert/strict'
import type { Parameters } from '@medplum/fhirtypes'
import { aConsent, choose, operate, provisions } from '../../support/consent.ts'
import { aPatient, people } from '../../support/gateway.ts'
import { withGateway } from './suite.ts'

withGateway('the operations of a Patient', (suite) => {
  const post = async (who: object, target: string, parameter?: NonNullable<Parameters['parameter']>) =>
    suite.gateway.fhir.call(who, 'POST', target, {
      ...(parameter && { body: { resourceType: 'Parameters', parameter } }),
    })
  const flag = (name: string, valueBoolean: boolean) => ({ name, valueBoolean })

  it('take the patient in a parameter too, so that the INS stays out of the URL', async () => {
    const patient = await suite.gateway.patient()
    const identifier = {
      name: 'identifier',
      valueIdentifier: { system: `urn:oid:${patient.authority}`, value: patient.ins },
    }
    const reply = await post(patient.identity, '/Patient/$mask-by-default', [identifier, flag('value', true)])
    assert.equal(reply.status, 200, reply.outcome.text)
    const facts = await suite.gateway.embedded.choices.inForce(patient.key)
    assert.equal(facts?.choices.maskByDefault, true)
  })

  it('need the patient once, and nothing else in the URL', async () => {
    const patient = await suite.gateway.patient()
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    for (const query of ['', `?identifier=${token}&identifier=${token}`, `?identifier=${patient.ins}`]) {
      const { status, outcome } = await post(patient.identity, `/Patient/$mask-all${query}`)
      assert.deepEqual([status, outcome.code], [400, 'invalid-parameter'], query)
    }
    const { outcome } = await post(patient.identity, `/Patient/$mask-by-default?identifier=${token}&value=true`)
    assert.equal(outcome.code, 'unknown-parameter')
  })

  it('take the one parameter that they are about under any name, of its type', async () => {
    const patient = await suite.gateway.patient()
    const run = (parameter: NonNullable<Parameters['parameter']>) =>
      operate(suite.gateway.fhir, patient.identity, 'mask-by-default', patient, parameter)
    assert.equal((await run([flag('masked', true)])).status, 200)
    assert.equal((await run([flag('a', true), flag('b', true)])).status, 422)
    assert.match((await run([{ name: 'value', valueString: 'oui' }])).outcome.text, /valueBoolean/)
    assert.match((await run([])).outcome.text, /value is required/)
    const designate = (parameter: NonNullable<Parameters['parameter']>) =>
      operate(suite.gateway.fhir, patient.identity, 'designate-administrator', patient, parameter)
    const system = 'urn:oid:1.2.250.1.71.4.2.1'
    assert.equal(
      (await designate([{ name: 'person', valueIdentifier: { system, value: '899700000009' } }])).status,
      200,
    )
    assert.match((await designate([{ name: 'person', valueString: 'Dr Marchal' }])).outcome.text, /PS_IdNat/)
    assert.match((await designate([])).outcome.text, /PS_IdNat/)
  })

  it('let the administrator of the service, and nobody else, set the treating physician', async () => {
    const { fhir, patient, embedded } = suite.gateway
    const mine = await patient()
    const treating = [
      { name: 'person', valueString: people.author.id },
      { name: 'role', valueCode: 'treating' },
    ]
    const refused = await operate(fhir, mine.identity, 'designate-administrator', mine, treating)
    assert.deepEqual([refused.status, refused.outcome.rule], [403, 'CH1'])
    assert.equal((await operate(fhir, people.system, 'designate-administrator', mine, treating)).status, 200)
    assert.deepEqual(
      (await embedded.choices.inForce(mine.key))?.designated.map(({ role, person }) => [role, person]),
      [['treating', people.author.id]],
    )
  })

  it('answer an unknown patient as one, and another resource with what to send', async () => {
    const { fhir } = suite.gateway
    const nobody = aPatient()
    const unknown = await choose(fhir, nobody.identity, nobody, provisions.breakGlass('deny'))
    assert.deepEqual([unknown.status, unknown.outcome.code], [404, 'dmp-unknown'])
    const patient = await suite.gateway.patient()
    const body = { ...aConsent(patient, provisions.breakGlass('deny')), patient: { display: 'moi' } }
    const unnamed = await fhir.call(patient.identity, 'POST', '/Consent', { body })
    assert.deepEqual([unnamed.status, unnamed.outcome.code], [422, 'profile-violation'])
    const wrong = await fhir.call(patient.identity, 'POST', '/Consent', { body: { resourceType: 'Parameters' } })
    assert.match(wrong.outcome.text, /Send a Consent/)
    assert.equal((await fhir.call(patient.identity, 'GET', '/Consent')).status, 400)
    assert.equal((await fhir.call(patient.identity, 'GET', '/Consent/unknown.break-glass')).status, 404)
  })

  it('take and answer XML as well', async () => {
    const { fhir } = suite.gateway
    const patient = await suite.gateway.patient()
    const body = `<Consent xmlns="http://hl7.org/fhir"><status value="active"/><scope><coding><code value="patient-privacy"/></coding></scope><category><coding><system value="http://loinc.org"/><code value="59284-0"/></coding></category><patient><identifier><system value="urn:oid:${patient.authority}"/><value value="${patient.ins}"/></identifier></patient><provision><type value="deny"/><purpose><code value="BTG"/></purpose></provision></Consent>`
    const headers = { 'Content-Type': 'application/fhir+xml', Accept: 'application/fhir+xml' }
    const reply = await fhir.call(patient.identity, 'POST', '/Consent', { body, headers })
    assert.equal(reply.status, 201)
    assert.match(reply.bytes.toString(), /<Consent xmlns="http:\/\/hl7\.org\/fhir">.*<purpose>.*<code value="BTG"\/>/)
  })
})
