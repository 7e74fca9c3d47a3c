/** Many callers at once: each is answered, and what was answered well is stored. */
import assert from 'node:assert/strict'
import { aDocument, aText, declared, openGateway, people, type TestGateway } from '../support/gateway.ts'

describe('many callers', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())

  it('answers each of 300 requests at once', async () => {
    const patients = await Promise.all(Array.from({ length: 30 }, () => gateway.patient()))
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const patient = patients[index % patients.length]
        assert.ok(patient)
        const door = index % 2 === 0 ? gateway.fhirDoor : gateway.xdsDoor
        if (index % 3 === 0) return (await door.find(patient.identity, patient)).outcome
        return door.feed(people.structure, aDocument(patient, {}, aText(`Document ${index}`)), {
          consent: declared.informed,
        })
      }),
    )
    assert.deepEqual(
      outcomes.filter(({ ok }) => !ok).map(({ text, status }) => `${status} ${text}`),
      [],
    )
    const totals = await Promise.all(
      patients.map(async (patient) => (await gateway.fhir.find(patient.identity, patient)).total),
    )
    assert.equal(
      totals.reduce((sum, total) => sum + total, 0),
      200,
    )
  })
})
