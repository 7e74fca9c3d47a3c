import assert from 'node:assert/strict'
import type { AuditEvent, Bundle } from '@medplum/fhirtypes'
import { toAuditEvent } from '../../src/fhir/audit-event.ts'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import { type EntryUuid, patientKey, type UniqueId } from '../../src/metadata/identifiers.ts'
import type { AccessRecord } from '../../src/operations/ports.ts'
import { Door, professional, structure } from './door.ts'
import { ins, patientToken } from './mothers.ts'

function record(index: number, changes: Partial<AccessRecord> = {}): AccessRecord {
  return {
    id: `00000000-0000-4000-8000-00000000000${index}`,
    at: `2026-11-2${index}T09:00:00.123Z`,
    operation: 'TD3.2',
    door: 'fhir',
    transaction: 'ITI-68',
    requestId: `r${index}`,
    caller: professional,
    purpose: 'normal',
    declaration: {},
    patient: patientKey('1.2.250.1.213.1.4.10', ins),
    documents: [
      {
        logicalId: 'urn:uuid:00000000-0000-4000-8000-0000000000aa' as EntryUuid,
        uniqueId: '1.2.250.1.999.5' as UniqueId,
      },
    ],
    outcome: 'permitted',
    rule: 'FRM TD3.2 medecin.normal',
    effects: { notifications: [] },
    ...changes,
  }
}

describe('ITI-81', () => {
  let door: Door
  before(async () => {
    door = await Door.open()
    door.operations.records = [
      record(3, { purpose: 'bris_de_glace', reason: 'patient inconscient' }),
      record(2, { outcome: 'refused', rule: 'CO3', reasonCode: 'consent-missing' }),
      record(1, { caller: { ...professional, kind: 'structure', person: undefined } as never, operation: 'TD2.1' }),
    ]
  })
  after(() => door.close())

  async function history(more = ''): Promise<AuditEvent[]> {
    const reply = await door.get(`/AuditEvent?patient.identifier=${encodeURIComponent(patientToken)}${more}`)
    assert.equal(reply.status, 200, reply.text)
    const { entry = [], total } = reply.body as Bundle
    if (!more.includes('_count')) assert.equal(total, entry.length)
    return entry.map(({ resource }) => resource as AuditEvent)
  }

  it('tells one event for each access, newest first, each a sound AuditEvent', async () => {
    const events = await history()
    assert.deepEqual(
      events.map(({ outcome }) => outcome),
      ['0', '8', '0'],
    )
    for (const event of events) assert.deepEqual(checkStructure(event), [])
  })

  it('names the person by PS_IdNat, the structure by its id, and who asked', async () => {
    const [first, , last] = await history()
    assert.deepEqual(
      first?.agent.map(({ who, requestor }) => [who?.identifier?.value, requestor]),
      [
        [professional.person?.id, true],
        [structure.id, false],
      ],
    )
    assert.deepEqual(
      last?.agent.map(({ who, requestor }) => [who?.identifier?.value, requestor]),
      [[structure.id, true]],
    )
  })

  it('names the patient by the INS with its authority, and by a word in what people read', () => {
    const { profession: _profession, structure: _structure, ...others } = professional
    const patient = patientKey('1.2.250.1.213.1.4.10', ins)
    const caller = { ...others, kind: 'patient', person: { id: ins }, patient } as const
    const { agent, outcomeDesc } = toAuditEvent(record(1, { caller }), { repositoryUniqueId: '1.2.3' })
    assert.deepEqual(agent[0]?.who?.identifier, { system: 'urn:oid:1.2.250.1.213.1.4.10', value: ins })
    assert.match(outcomeDesc ?? '', / – Patient – Consultation de document – /)
  })

  it('says the mode, the document, the patient, and why an access was refused', async () => {
    const [first, second] = await history()
    assert.equal(first?.purposeOfEvent?.[0]?.coding?.[0]?.code, 'bris_de_glace')
    assert.deepEqual(
      first?.entity?.slice(0, 2).map(({ what }) => what?.identifier?.value),
      [ins, 'urn:oid:1.2.250.1.999.5'],
    )
    const details = second?.entity?.flatMap(({ detail = [] }) => detail.map(({ valueString }) => valueString))
    assert.deepEqual(details, ['CO3', 'consent-missing'])
  })

  it('tells it in French: date, author, action, context', async () => {
    const [first, second] = await history()
    assert.match(
      first?.outcomeDesc ?? '',
      /^23\/11\/2026 10:00:00 – DUPONT Anne \(CH EXEMPLE\) – Consultation de document – autorisé – contexte : Bris de glace – motif : patient inconscient$/,
    )
    assert.match(second?.outcomeDesc ?? '', /refusé – contexte : Normal – La déclaration de consentement manque/)
  })

  it('filters by date, outcome and agent, and pages', async () => {
    const ids = async (more: string) => (await history(more)).map(({ id }) => id?.at(-1)).join('')
    assert.equal(await ids('&date=2026-11-22'), '2')
    assert.equal(await ids('&date=ge2026-11-22T09:00:00Z'), '32')
    assert.equal(await ids('&date=lt2026-11-22'), '1')
    assert.equal(await ids('&outcome=8'), '2')
    assert.equal(await ids(`&agent.identifier=${professional.person?.id}`), '32')
    assert.equal(await ids('&_count=1'), '3')
    assert.equal(await ids('&_sort=date'), '123')
    assert.equal((await door.get('/AuditEvent?date=2026')).status, 400)
  })
})
