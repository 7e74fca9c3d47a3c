/**
 * TD0.4 and TD1.6 through the whole chain: the simulated DMP answers what its own store holds, and holds the messages to
 * the description of the wire by itself.
 */
import assert from 'node:assert/strict'
import type { Bundle, Consent, Patient } from '@medplum/fhirtypes'
import { aDocument, declared, people } from '../../support/gateway.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'

const { author, colleague, structure } = people
const epoch = '2020-01-01T00:00:00Z'

describe('the lists of the national DMP, through the chain', () => {
  let gateway: NationalGateway
  before(async () => {
    gateway = await openNationalGateway()
  })
  after(() => gateway.close())

  const get = async (who: object, path: string) => {
    const { status, json, outcome } = await gateway.fhir.call(who, 'GET', path)
    assert.equal(status, 200, outcome.text)
    return ((json as unknown as Bundle).entry ?? []).map(({ resource }) => resource)
  }
  const calls = async (act: () => Promise<unknown>) => {
    const before = gateway.farEnd.calls.length
    await act()
    return gateway.farEnd.calls.slice(before)
  }

  it('TD0.4 has whom this professional has consulted, and not who was closed or has blocked since', async () => {
    const [mine, closed, blocks, theirs] = await Promise.all(Array.from({ length: 4 }, () => gateway.patient()))
    assert.ok(mine && closed && blocks && theirs)
    for (const patient of [mine, closed, blocks])
      await gateway.fhirDoor.find(author, patient, { consent: declared.careTeam })
    await gateway.fhirDoor.find(colleague, theirs, { consent: declared.careTeam })
    const { administration } = gateway.farEnd.embedded
    await administration.close(closed.key, gateway.change(closed))
    await administration.block(blocks.key, author.id, gateway.change(blocks))
    let found: readonly (Patient | undefined)[] = []
    const asked = await calls(async () => {
      found = (await get(author, `/Patient/$authorised?since=${epoch}`)) as Patient[]
    })
    assert.deepEqual(
      asked.map(({ td, mode, person, patient }) => [td, mode, person, patient]),
      [['TD0.4', 'INDIRECTE_RENFORCEE', author.id, undefined]],
    )
    assert.deepEqual(
      found.map((patient) => patient?.identifier?.[0]?.value),
      [mine.ins],
    )
    const [only] = found
    const read = (await gateway.fhir.call(author, 'GET', `/Patient/${only?.id}`)).json as unknown as Patient
    assert.equal(read.identifier?.[0]?.value, mine.ins)
  })

  it('TD0.4 by document has whom a document came for', async () => {
    const [with1, without] = [await gateway.patient(), await gateway.patient()]
    const who = { ...author, id: '899700000044', name: 'ESSAI Nora' }
    for (const patient of [with1, without]) await gateway.fhirDoor.find(who, patient, { consent: declared.careTeam })
    const fed = await gateway.fhirDoor.feed(structure, aDocument(with1), { consent: declared.informed })
    assert.ok(fed.ok, fed.text)
    const found = (await get(who, `/Patient/$authorised?since=${epoch}&by=document`)) as Patient[]
    assert.deepEqual(
      found.map(({ identifier }) => identifier?.[0]?.value),
      [with1.ins],
    )
    const dates = found[0]?.extension?.filter(({ valueDateTime }) => valueDateTime !== undefined)
    assert.equal(dates?.length, 3)
  })

  it('TD0.4 of the structure goes under its certificate', async () => {
    const asked = await calls(() => get(structure, `/Patient/$authorised?since=${epoch}`))
    assert.deepEqual(
      asked.map(({ td, mode }) => [td, mode]),
      [['TD0.4', 'INDIRECTE']],
    )
  })

  it('TD1.6 tells who is authorised and who is blocked, under the names the DMP knows', async () => {
    const patient = await gateway.patient()
    await gateway.fhirDoor.find(author, patient, { consent: declared.careTeam })
    const { administration } = gateway.farEnd.embedded
    await administration.block(patient.key, '899700000099', gateway.change(patient))
    await administration.designate(patient.key, 'treating', author.id, gateway.change(patient))
    let consents: readonly Consent[] = []
    const path = `/Consent?patient.identifier=urn:oid:${patient.authority}|${patient.ins}`
    const asked = await calls(async () => {
      consents = (await get({ ...author, ins: patient.ins }, path)) as Consent[]
    })
    assert.deepEqual(
      asked.map(({ td }) => td).filter((td) => td !== 'TD0.2'),
      ['TD1.3a', 'TD1.6'],
    )
    const persons = consents.flatMap(({ provision }) => {
      const who = provision?.actor?.[0]?.reference
      return who === undefined ? [] : [[provision?.type, who.identifier?.value]]
    })
    assert.deepEqual(persons, [
      ['deny', '899700000099'],
      ['permit', author.id],
    ])
    const named = consents.find(({ provision }) => provision?.actor?.[0]?.reference.identifier?.value === author.id)
    assert.match(named?.provision?.actor?.[0]?.reference.display ?? '', /EXEMPLE/)
  })
})
