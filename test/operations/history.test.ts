/** Histories longer than anybody would hold in memory: read a page of the trace at a time, in either order, to the end. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { AuditEvent, Bundle } from '@medplum/fhirtypes'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import type { Oid } from '../../src/metadata/identifiers.ts'
import { accesses } from '../../src/operations/accesses.ts'
import type { HistoryQuery } from '../../src/operations/ports.ts'
import { anAccessRecord, otherPatient, thePatient } from '../dmp/mothers.ts'
import { openGateway, people, type TestGateway, type TestPatient } from '../support/gateway.ts'

describe('the accesses to a record', () => {
  let folder: string
  let store: EmbeddedDmp
  const many = 1203
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-history-'))
    store = await openEmbeddedDmp({ directory: folder, repositoryUniqueId: '1.2.250.1.999.1' as Oid })
    // Every second row is of another patient: places are not numbers of rows
    for (let row = 0; row < many; row++)
      for (const patient of [thePatient, otherPatient]) void store.trace.record(anAccessRecord({ patient }))
    await store.trace.record(anAccessRecord({ patient: otherPatient }))
  })
  after(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  const places = async (query: Partial<HistoryQuery> = {}): Promise<number[]> => {
    const found: number[] = []
    for await (const { sequence } of accesses(store.trace, { patient: thePatient, ...query })) found.push(sequence)
    return found
  }
  const all = Array.from({ length: many }, (_, row) => 2 * row + 1)

  it('are read to the last, in either order', async () => {
    assert.deepEqual(await places({ oldestFirst: true }), all)
    assert.deepEqual(await places(), all.toReversed())
  })

  it('are read on from a place, in either order', async () => {
    assert.deepEqual(await places({ beyond: 7 }), [5, 3, 1])
    assert.deepEqual(await places({ beyond: 2 * many - 5, oldestFirst: true }), [2 * many - 3, 2 * many - 1])
  })

  it('come no more than asked for at once', async () => {
    const page = await store.trace.history({ patient: thePatient, limit: 3 })
    assert.deepEqual(
      page.map(({ sequence }) => sequence),
      all.slice(-3).reverse(),
    )
  })
})

describe('a long access history', () => {
  let gateway: TestGateway
  let patient: TestPatient
  const many = 1100
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
    const record = () => anAccessRecord({ patient: patient.key, operation: 'TD3.1a', documents: [] })
    await Promise.all(Array.from({ length: many }, () => gateway.embedded.trace.record(record())))
  })
  after(() => gateway.close())
  const ask = async (url: string, accept?: string) => {
    const relative = url.startsWith('http') ? url.slice(`${gateway.url}/fhir`.length) : url
    const reply = await gateway.fhir.call(patient.identity, 'GET', relative, {
      headers: accept === undefined ? {} : { Accept: accept },
    })
    assert.equal(reply.status, 200, reply.bytes.toString())
    return reply
  }
  const search = () =>
    `/AuditEvent?patient.identifier=${encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)}`

  for (const sort of ['', '&_sort=date'])
    it(`is read in pages that repeat and leave out nothing, each with the exact total${sort}`, async () => {
      const ids: string[] = []
      let asked = 0
      for (let next: string | undefined = `${search()}&_count=400${sort}`; next !== undefined; ) {
        const bundle = (await ask(next)).json as unknown as Bundle<AuditEvent>
        // Each request for a page is an access too, told from the next on
        asked++
        ids.push(...(bundle.entry ?? []).map(({ resource }) => resource?.id ?? ''))
        assert.ok((bundle.total ?? 0) >= many + 1 + asked)
        next = bundle.link?.find(({ relation }) => relation === 'next')?.url
        if (asked > 10) assert.fail('no end')
      }
      assert.equal(new Set(ids).size, ids.length)
      assert.ok(ids.length >= many + 2)
    })

  it('counts without giving a page', async () => {
    const bundle = (await ask(`${search()}&_summary=count`)).json as unknown as Bundle
    assert.ok((bundle.total ?? 0) > many)
    assert.deepEqual(bundle.entry ?? [], [])
  })

  it('is a table as long as it is', async () => {
    const rows = (await ask(search(), 'text/csv')).bytes.toString().trimEnd().split('\r\n')
    assert.ok(rows.length > many + 2)
    const page = (await ask(search(), 'text/html')).bytes.toString()
    assert.equal(page.match(/<tr>/g)?.length, Number(/<p>(\d+) accès<\/p>/.exec(page)?.[1]) + 1)
  })

  it('takes no position that it did not give', async () => {
    const cursor = Buffer.from(JSON.stringify(['2026-11-21', 'x'])).toString('base64url')
    const reply = await gateway.fhir.call(patient.identity, 'GET', `${search()}&_cursor=${cursor}`)
    assert.equal(reply.status, 400)
    assert.equal(reply.outcome.code, 'invalid-parameter')
  })

  it('is read by a professional as far as it is the own', async () => {
    const { json } = await gateway.fhir.history(people.colleague, patient)
    assert.equal((json as unknown as Bundle).total, 1)
  })
})
