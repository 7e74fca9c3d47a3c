/** Production knows no patient of the authorities of test and demonstration (ID4), whatever is asked. */
import assert from 'node:assert/strict'
import { strictPolicy } from '../../src/access/types.ts'
import { createOperations } from '../../src/operations/index.ts'
import { loadConfig } from '../../src/server/config.ts'
import { policyOf } from '../../src/server/policy.ts'
import { contentsOf, refused } from '../dmp/mothers.ts'
import { careTeam, patient } from '../mothers/access.ts'
import { aSubmission } from '../mothers/metadata.ts'
import { aColleague, type House, openHouse, theHospital, thePatientThemself } from './house.ts'

describe('in production, a patient of the test authority', () => {
  const fed = aSubmission()
  let house: House
  let operations: ReturnType<typeof createOperations>
  before(async () => {
    // A folder that was filled in development
    house = await openHouse()
    await house.as(theHospital).feed(fed)
    const { dmp, trace, choices } = house.embedded
    const clock = { now: () => new Date() }
    operations = createOperations({ dmp, trace, choices, clock, policy: { ...strictPolicy, testPatients: false } })
  })
  after(() => house.close())
  const context = (declaration = careTeam) => house.as(aColleague, { declaration }).context

  it('has no record opened', async () => {
    await assert.rejects(
      operations.open(patient, { given: [] }, house.as(theHospital).context),
      refused('test-patient'),
    )
  })

  it('has no status, nothing fed, found, chosen, copied or read', async () => {
    await assert.rejects(operations.status(patient, context()), refused('test-patient'))
    const submission = aSubmission()
    const feeding = operations.feed(submission, contentsOf(submission), house.as(theHospital).context)
    await assert.rejects(feeding, refused('test-patient'))
    const query = { kind: 'FindDocuments', patient, statuses: ['Approved'], criteria: {} } as const
    await assert.rejects(operations.find(query, context()), refused('test-patient'))
    await assert.rejects(operations.history(patient, context()), refused('test-patient'))
    await assert.rejects(
      operations.find({ kind: 'GetDocuments', by: 'uniqueId', ids: ['1.2.3'] }, house.as(thePatientThemself).context),
      refused('test-patient'),
    )
    const refusals = (await house.trace(patient)).filter(({ outcome }) => outcome === 'refused')
    assert.ok(refusals.length >= 5 && refusals.every(({ rule }) => rule === 'ID4'))
  })

  it('is absent where an object leads to it', async () => {
    const [entry] = fed.entries
    const query = { kind: 'GetDocuments', by: 'uniqueId', ids: [entry?.uniqueId ?? ''] } as const
    assert.equal((await house.as(aColleague).find(query)).documents.length, 1)
    assert.deepEqual((await operations.find(query, context())).documents, [])
  })

  it('is refused because the mode says so, and by nothing else', () => {
    const overrides = { 'dmp.repositoryUniqueId': '1.2.250.1.999.1.2' }
    assert.equal(policyOf(loadConfig({ overrides })).testPatients, true)
    assert.equal(policyOf(loadConfig({ overrides: { ...overrides, mode: 'production' } })).testPatients, false)
  })
})
