import assert from 'node:assert/strict'
import { declared, people } from '../../support/gateway.ts'
import { openPdsmGateway } from '../../support/pdsm.ts'

describe('the readiness of a gateway before a DMP that speaks PDSm', () => {
  it('fails while the DMP is away, and requests say that nothing was sent', async () => {
    const gateway = await openPdsmGateway({ connectSeconds: 1 })
    try {
      const patient = await gateway.patient()
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
      await gateway.farEnd.close()
      const { outcome } = await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })
      assert.deepEqual([outcome.status, outcome.code], [503, 'dmp-unavailable'])
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 503)
    } finally {
      await gateway.close()
    }
  })

  it('fails while the DMP does not declare what is needed', async () => {
    const gateway = await openPdsmGateway({}, {}, true)
    try {
      const { between } = gateway
      assert.ok(between)
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
      between.answer = (_, answered) => ({
        ...answered,
        body: Buffer.from(answered.body.toString().replaceAll('"transaction"', '"batch"')),
      })
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 503)
    } finally {
      await gateway.close()
    }
  })
})
