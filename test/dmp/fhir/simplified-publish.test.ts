import assert from 'node:assert/strict'
import { aDocument, declared, people, submissionOf } from '../../support/gateway.ts'
import { openPdsmGateway, type PdsmGateway } from '../../support/pdsm.ts'

describe('the gateway before a DMP that speaks PDSm and takes one document at a time (ITI-105)', () => {
  let gateway: PdsmGateway
  before(async () => {
    gateway = await openPdsmGateway({ publish: 'ITI-105' })
  })
  after(() => gateway.close())

  it('feeds by Simplified Publish, and gives the bytes back', async () => {
    for (const door of gateway.doors) {
      const patient = await gateway.patient()
      const document = aDocument(patient)
      const fed = await door.feed(people.structure, document, { consent: declared.informed })
      assert.ok(fed.ok, `${door.name} ${JSON.stringify(fed)}`)
      const [entry] = (await door.find(people.author, patient, { consent: declared.careTeam })).entries
      assert.ok(entry)
      const who = { ...people.author, ins: patient.ins }
      const read = await door.retrieve(who, entry, { consent: declared.careTeam })
      assert.deepEqual(read.bytes, document.bytes)
    }
  })

  it('refuses several documents at once before anything is sent', async () => {
    const patient = await gateway.patient()
    const documents = [aDocument(patient), aDocument(patient)]
    const { outcome } = await gateway.xds.provide(people.structure, submissionOf(documents), documents, {
      consent: declared.informed,
    })
    assert.equal(outcome.code, 'not-a-dmp-operation')
    assert.match(outcome.text, /one document at a time/)
  })
})
