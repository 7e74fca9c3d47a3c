import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { aDocument, declared, people, submissionOf } from '../../support/gateway.ts'
import { openNationalGateway } from '../../support/national.ts'

describe('the gateway before a national DMP that is away', () => {
  it('says so, sends nothing, and is not ready', async () => {
    const gateway = await openNationalGateway({ connectSeconds: 1 })
    try {
      const patient = await gateway.patient()
      await gateway.farEnd.close()
      const found = await gateway.xds.find(people.author, patient, { consent: declared.careTeam })
      assert.match(JSON.stringify(found.outcome), /dmp-unavailable/)
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 503)
    } finally {
      await gateway.close()
    }
  })
})

describe('the gateway before a national DMP that takes a request and does not answer', () => {
  it('says that the outcome is not known, and leaves it so on record', async () => {
    const gateway = await openNationalGateway({ idleSeconds: 0.3 })
    const { keys, baseUrl } = gateway.farEnd
    const silent = createServer({ key: keys.serverKey, cert: keys.serverCertificate }, (request) => request.resume())
    try {
      const patient = await gateway.patient()
      const consent = declared.informed
      const provide = () => {
        const document = aDocument(patient)
        return gateway.xds.provide(people.author, submissionOf([document]), [document], { consent })
      }
      assert.ok((await provide()).outcome.ok)
      await gateway.farEnd.close()
      await new Promise<void>((resolve) => silent.listen(Number(new URL(baseUrl).port), '127.0.0.1', resolve))
      assert.match(JSON.stringify((await provide()).outcome), /dmp-outcome-unknown/)
      const [last] = await gateway.records(patient)
      assert.deepEqual([last?.outcome, last?.reasonCode], ['failed', 'dmp-outcome-unknown'])
    } finally {
      silent.closeAllConnections()
      silent.close()
      await gateway.close()
    }
  })
})
