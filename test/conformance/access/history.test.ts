/** The access history (ITI-81): who did what, when, in which context, as far as its reader may know (ACCESS-RULES §5). */
import assert from 'node:assert/strict'
import { codes } from '../../mothers/metadata.ts'
import { aDocument, declared, people, type TestGateway, type TestPatient } from '../../support/gateway.ts'
import { at, type Json } from '../../support/json.ts'
import { atBothDoors, feed, withGateway } from './suite.ts'

const { author, colleague, stranger, structure } = people
const careTeam = { consent: declared.careTeam }
const masked = { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }
const hiddenFromPatient = { confidentialityCodes: [codes.normal, codes.hiddenFromPatient] }

interface Row {
  readonly operation: string
  readonly outcome: string
  readonly agents: readonly string[]
  readonly purpose: string
  readonly text: string
}

async function historyOf(
  gateway: TestGateway,
  who: Parameters<TestGateway['fhir']['history']>[0],
  patient: TestPatient,
) {
  const { json, outcome } = await gateway.fhir.history(who, patient)
  assert.ok(outcome.ok, outcome.text)
  const entries = at(json, 'entry')
  return (Array.isArray(entries) ? entries : []).map((entry): Row => {
    const event = at(entry, 'resource')
    const agents = at(event, 'agent')
    return {
      operation: String(at(event, 'subtype', 0, 'code')),
      outcome: String(at(event, 'outcome')),
      agents: (Array.isArray(agents) ? agents : []).map((agent: Json) =>
        String(at(agent, 'who', 'identifier', 'value')),
      ),
      purpose: String(at(event, 'purposeOfEvent', 0, 'coding', 0, 'code')),
      text: JSON.stringify(event),
    }
  })
}

withGateway('the access history', (suite) => {
  atBothDoors(suite, 'has one entry an access: what, outcome, who, in which mode', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(door, patient)
    await door.find(colleague, patient, careTeam)
    await door.retrieve({ ...colleague, ins: patient.ins }, stored, careTeam)
    await door.find(stranger, patient)
    await door.find({ ...stranger, purpose: 'bris_de_glace', reason: 'patient inconscient' }, patient)
    const rows = await historyOf(gateway, patient.identity, patient)
    const told = rows.map(({ operation, outcome, agents, purpose }) => [operation, outcome, agents[0], purpose])
    assert.deepEqual(told, [
      ['history', '0', patient.ins, 'normal'],
      ['TD3.1a', '0', stranger.id, 'bris_de_glace'],
      ['TD3.1a', '8', stranger.id, 'normal'],
      ['TD3.2', '0', colleague.id, 'normal'],
      ['TD3.1a', '0', colleague.id, 'normal'],
      ['TD2.1', '0', '1010099999', 'normal'],
      ['open', '0', '1010099999', 'normal'],
    ])
  })

  it('is read by the patient and the treating physician whole, by a professional as far as own actions go', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await gateway.fhirDoor.find(colleague, patient, careTeam)
    await gateway.fhirDoor.find(author, patient, careTeam)
    const own = await historyOf(gateway, colleague, patient)
    assert.deepEqual(new Set(own.map(({ agents }) => agents[0])), new Set([colleague.id]))
    await gateway.embedded.administration.designate(patient.key, 'treating', author.id, gateway.change(patient))
    const all = await historyOf(gateway, author, patient)
    const persons = new Set(all.map(({ agents }) => agents[0]))
    assert.ok(persons.has(colleague.id) && persons.has('1010099999'), [...persons].join())
    assert.ok(all.length > own.length)
  })

  it('is not for structures, other patients or representatives of adults', async () => {
    const { gateway } = suite
    const patient = await gateway.patient({ birthDate: '1980-01-01' })
    const other = await gateway.patient()
    for (const [who, code] of [
      [structure, 'not-permitted-for-role'],
      [other.identity, 'patient-mismatch'],
      [{ kind: 'representative', ins: patient.ins }, 'not-permitted-for-role'],
    ] as const) {
      const { outcome } = await gateway.fhir.history(who, patient)
      assert.deepEqual([outcome.ok, outcome.code], [false, code])
    }
  })

  atBothDoors(suite, 'withholds what is about a document its reader may not see', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const forPatient = await feed(door, patient, hiddenFromPatient)
    const id = forPatient.stored.logicalId.slice('urn:uuid:'.length)
    await door.retrieve({ ...colleague, ins: patient.ins }, forPatient.stored, careTeam)
    const rows = await historyOf(gateway, patient.identity, patient)
    assert.deepEqual(
      rows.filter(({ operation }) => operation === 'TD2.1' || operation === 'TD3.2'),
      [],
    )
    assert.ok(!rows.some(({ text }) => text.includes(id) || text.includes(forPatient.entry.uniqueId)))
  })

  it('of a professional names no masked document', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.fhirDoor, patient, masked)
    await gateway.fhirDoor.retrieve(colleague, stored, careTeam)
    const rows = await historyOf(gateway, colleague, patient)
    const id = stored.logicalId.slice('urn:uuid:'.length)
    assert.ok(!rows.some(({ text }) => text.includes(id) || text.includes(stored.uniqueId)))
    assert.ok(!rows.some(({ operation }) => operation === 'TD3.2'), 'a row says that there was something to refuse')
  })

  atBothDoors(suite, 'has what failed and what was refused of a feed', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await door.feed(structure, aDocument(patient))
    await door.feed(structure, aDocument(patient, { hash: 'a'.repeat(40) }), { consent: declared.informed })
    const rows = await historyOf(gateway, patient.identity, patient)
    const feeds = rows.filter(({ operation }) => operation === 'TD2.1')
    assert.deepEqual(
      feeds.map(({ outcome }) => outcome),
      ['4', '8'],
    )
  })

  it('is searched by date, outcome and person, and paged', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await gateway.fhirDoor.find(colleague, patient, careTeam)
    await gateway.fhirDoor.find(stranger, patient)
    const ask = async (query: string) => {
      const target = `/AuditEvent?patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}&${query}`
      const { json, outcome } = await gateway.fhir.call(patient.identity, 'GET', target)
      assert.ok(outcome.ok, outcome.text)
      return Number(at(json, 'total'))
    }
    assert.equal(await ask('outcome=8'), 1)
    assert.equal(await ask(`agent.identifier=${colleague.id}`), 1)
    assert.equal(await ask('date=lt2020-01-01'), 0)
    assert.ok((await ask('_count=1')) > 2)
  })

  it('is a whole chain, one record for each answer', async () => {
    const { gateway } = suite
    const verdict = await gateway.embedded.verify()
    assert.equal(verdict.whole, true)
  })
})
