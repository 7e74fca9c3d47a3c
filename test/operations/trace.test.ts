/** The trace comes first (TR1): what cannot be put on record is not done, and nothing leaves before it is. */
import assert from 'node:assert/strict'
import { strictPolicy } from '../../src/access/types.ts'
import { GatewayError } from '../../src/errors.ts'
import { createOperations } from '../../src/operations/index.ts'
import type { Dmp, Trace } from '../../src/operations/ports.ts'
import { contentsOf, refused } from '../dmp/mothers.ts'
import { aPatient, patient } from '../mothers/access.ts'
import { aDocumentEntry, aSubmission } from '../mothers/metadata.ts'
import { aColleague, type House, openHouse, theHospital } from './house.ts'

describe('the trace (TR1)', () => {
  let house: House
  let events: string[]
  let broken: boolean
  const submission = aSubmission()
  const uniqueId = submission.entries[0]?.uniqueId ?? ''
  beforeEach(async () => {
    house = await openHouse()
    await house.as(theHospital).feed(submission)
    events = []
    broken = false
  })
  afterEach(() => house.close())

  /** The operations over a store that tells what was done in which order, and a trace that may be out of order. */
  const watched = () => {
    const { dmp, trace, choices } = house.embedded
    const watchedDmp: Dmp = {
      ...dmp,
      read: (ids) => {
        events.push('read')
        return dmp.read(ids)
      },
      content: (id) => {
        events.push('content')
        return dmp.content(id)
      },
    }
    const watchedTrace: Trace = {
      ...trace,
      async record(record) {
        if (broken) throw new GatewayError('trace-unavailable')
        await trace.record(record)
        events.push('recorded')
      },
    }
    return createOperations({
      dmp: watchedDmp,
      trace: watchedTrace,
      choices,
      clock: { now: () => new Date() },
      policy: strictPolicy,
    })
  }
  const query = { kind: 'FindDocuments', patient, statuses: ['Approved'], criteria: {} } as const
  const physician = () => house.as(aColleague).context
  const holder = () => house.as(aPatient()).context

  it('has the access before a document or its metadata are read', async () => {
    const operations = watched()
    const findings = await operations.find(query, physician())
    assert.deepEqual(events, ['recorded'])
    assert.equal(await count(findings.entries(findings.documents)), 1)
    assert.equal((await operations.retrieve([{ documentUniqueId: uniqueId }], physician())).documents.length, 1)
    assert.deepEqual(events, ['recorded', 'read', 'recorded', 'read', 'content'])
    events = []
    const copy = await operations.copy(patient, holder())
    assert.deepEqual(events, ['recorded'])
    assert.equal(await count(copy.entries()), 1)
  })

  it('lets nothing be read where it cannot be written, by whatever way', async () => {
    const operations = watched()
    broken = true
    const ways = [
      () => operations.find(query, physician()),
      () => operations.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [uniqueId] }, physician()),
      () => operations.retrieve([{ documentUniqueId: uniqueId }], physician()),
      () => operations.status(patient, physician()),
      () => operations.settings(patient, physician()),
      () => operations.history(patient, holder()),
      () => operations.copy(patient, holder()),
      () => operations.authorise(patient, 'add', physician()),
    ]
    for (const way of ways) await assert.rejects(way, refused('trace-unavailable'), way.toString())
    assert.deepEqual(events, [])
  })

  it('has refusals too, and a refusal that cannot be recorded is not told as one', async () => {
    const operations = watched()
    const { context } = house.as(theHospital)
    await assert.rejects(operations.find(query, context), refused('nominative-identity-required'))
    const [latest] = await house.trace()
    assert.deepEqual([latest?.outcome, latest?.rule], ['refused', 'FR1'])
    broken = true
    await assert.rejects(operations.find(query, context), refused('trace-unavailable'))
  })

  it('is one commit with what is fed: both, or neither', async () => {
    // The same uniqueId with other bytes: the store refuses, after the guard has permitted
    const other = aDocumentEntry({ uniqueId: submission.entries[0]?.uniqueId, hash: undefined, size: undefined })
    const again = aSubmission({ entries: [other] })
    await assert.rejects(
      house.operations.feed(again, contentsOf(again, Buffer.from('autre')), house.as(theHospital).context),
    )
    const fed = (await house.trace()).filter(
      ({ operation, outcome }) => operation === 'TD2.1' && outcome === 'permitted',
    )
    assert.equal(fed.length, 1)
  })
})

async function count(entries: AsyncIterable<unknown>): Promise<number> {
  let found = 0
  for await (const _ of entries) found++
  return found
}
