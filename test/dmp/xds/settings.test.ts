import assert from 'node:assert/strict'
import type { Bundle, Consent } from '@medplum/fhirtypes'
import { readAuthorizations } from '../../../src/dmp/xds/authorization.ts'
import { GatewayError } from '../../../src/errors.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { declared, people, type TestPatient } from '../../support/gateway.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'
import { type Asked, type Front, openFront } from './front.ts'

const habilitations = 'urn:si-dmp-habilitations'

/** Rows as DMP-SERVICES §2.6 describes them; the prefix is another than ours on purpose. */
const row = (changes: {
  id?: string
  type?: string
  mode?: string
  start?: string
  right?: string
  name?: readonly [string, string]
}) => {
  const { id = '899700000002', type = '1.2.250.1.71.4.2.1', mode = 'ACTIVE', start = '20260110101500' } = changes
  const [first, last] = changes.name ?? ['KARIM', 'BENALI']
  const right = changes.right === undefined ? '' : `<ns2:specificRight>${changes.right}</ns2:specificRight>`
  return `<ns2:listOfAuthorizationByPatient><ns2:nationalId>${id}</ns2:nationalId><ns2:nationalIdType>${type}</ns2:nationalIdType><ns2:firstName>${first}</ns2:firstName><ns2:lastName>${last}</ns2:lastName><ns2:codeSpeciality>G15_10/SM26</ns2:codeSpeciality><ns2:libSpeciality>Médecin</ns2:libSpeciality><ns2:startOfAuthorization>${start}</ns2:startOfAuthorization><ns2:lastActionDate>20260114170200</ns2:lastActionDate><ns2:mode>${mode}</ns2:mode>${right}</ns2:listOfAuthorizationByPatient>`
}
const answer = (rows: string, status = 'DMPOk', context = '') =>
  `<ns2:listAuthorizationByPatientResponse xmlns:ns2="${habilitations}"><ns2:output>${rows}<ns2:status>${status}</ns2:status><ns2:context>${context}</ns2:context></ns2:output></ns2:listAuthorizationByPatientResponse>`

describe('what the DMP answers to listAuthorizationByPatient', () => {
  const read = (xml: string) => readAuthorizations(parseXml(xml))
  const refuses = (xml: string, code: string) =>
    assert.throws(
      () => read(xml),
      (error) => error instanceof GatewayError && error.code === code,
    )

  it('tells who is authorised, who is blocked and who treats, since when and under which name', () => {
    const rows =
      row({ right: 'MEDECIN_TRAITANT' }) +
      row({ id: '899700000009', mode: 'INTERDITE', name: ['ZOÉ', "D'ÉTÉ"], start: '20251231235959' }) +
      row({ id: '1010099999', type: '1.2.250.1.71.4.2.2', name: ['', 'CH EXEMPLE'] })
    const benali = { person: '899700000002', name: 'KARIM BENALI', since: '2026-01-10T10:15:00Z' }
    assert.deepEqual(read(answer(rows, 'DMPOK')), {
      authorised: [benali, { structure: '1010099999', name: 'CH EXEMPLE', since: '2026-01-10T10:15:00Z' }],
      blocked: [{ person: '899700000009', name: "ZOÉ D'ÉTÉ", since: '2025-12-31T23:59:59Z' }],
      designated: [{ role: 'treating', ...benali }],
    })
    assert.deepEqual(read(answer('')), { authorised: [], blocked: [], designated: [] })
    assert.deepEqual(read(answer(row({ start: '' }))).authorised, [{ person: '899700000002', name: 'KARIM BENALI' }])
  })

  it('is not used at all when one row says not who, not which or not when', () => {
    for (const bad of [{ id: '' }, { type: '1.2.3' }, { mode: 'PEUT_ETRE' }, { start: '20260231101500' }])
      refuses(answer(row({}) + row(bad)), 'dmp-answer-invalid')
    refuses(answer(row({ type: '1.2.250.1.71.4.2.2', mode: 'INTERDITE' })), 'dmp-answer-invalid')
    refuses('<x/>', 'dmp-answer-invalid')
    refuses(answer('').replaceAll('listAuth', 'setAuth'), 'dmp-answer-invalid')
    refuses(answer('', 'DMPRights', 'non'), 'dmp-refused')
  })
})

describe('the choices of a patient of the national DMP', () => {
  let gateway: NationalGateway
  let front: Front
  let told = answer('')
  const list = ({ body }: Asked) => (body.local === 'listAuthorizationByPatient' ? told : undefined)
  before(async () => {
    gateway = await openNationalGateway(async (farEnd) => {
      front = await openFront(farEnd, list)
      return { baseUrl: front.baseUrl }
    })
  })
  after(async () => {
    await gateway.close()
    await front.close()
  })

  const consents = async (who: object, patient: TestPatient, options: object = {}) => {
    const path = `/Consent?patient.identifier=urn:oid:${patient.authority}|${patient.ins}`
    const { status, json } = await gateway.fhir.call({ ...who, ins: patient.ins }, 'GET', path, options)
    const entries = ((json as unknown as Bundle).entry ?? []).map(({ resource }) => resource as Consent)
    return { status, json, entries }
  }
  const lines = (entries: readonly Consent[]) =>
    entries.map(({ provision, dateTime }) => {
      const { type, purpose, action, actor } = provision ?? {}
      const who = actor?.[0]?.reference
      const what = purpose?.[0]?.code ?? action?.[0]?.coding?.[0]?.code
      return [type, what ?? who?.identifier?.value, who?.display, dateTime].filter((part) => part !== undefined)
    })

  it('are what TD1.3a and TD1.6 tell a professional, beside what was declared here', async () => {
    const patient = await gateway.patient()
    const { administration } = gateway.farEnd.embedded
    await administration.setChoice(patient.key, 'regulationPermitted', false, gateway.change(patient))
    told = answer(row({}) + row({ id: '899700000009', mode: 'INTERDITE', name: ['ZOÉ', 'ÉTÉ'] }))
    const already = front.asked.length
    const { status, entries, json } = await consents(people.author, patient)
    assert.equal(status, 200, JSON.stringify(json))
    assert.deepEqual(lines(entries), [
      ['permit', 'BTG'],
      ['deny', 'ETREAT'],
      ['permit', 'access'],
      ['permit', 'collect'],
      ['deny', 'TREAT'],
      ['deny', '899700000009', 'ZOÉ ÉTÉ', '2026-01-10T10:15:00Z'],
      ['permit', '899700000002', 'KARIM BENALI', '2026-01-10T10:15:00Z'],
    ])
    const [asked, ...more] = front.asked.slice(already)
    assert.deepEqual(more, [], 'asked once')
    assert.equal(asked?.service, 'habilitations')
    assert.equal(asked.action, `${habilitations}:HabilitationsEndPoint:listAuthorizationByPatient`)
    assert.deepEqual(
      asked.body.children.map(({ ns, local, text }) => [ns, local, text]),
      [[habilitations, 'mode', 'TOUTE']],
    )
    assert.equal(asked.vihf.NameID, people.author.id)
    assert.equal(asked.vihf.Authentification_mode, 'INDIRECTE_RENFORCEE')
    assert.match(asked.vihf['urn:oasis:names:tc:xacml:2.0:resource:resource-id'] ?? '', new RegExp(patient.ins))
    const [last] = await gateway.records(patient)
    assert.deepEqual([last?.operation, last?.outcome], ['TD1.6', 'permitted'])
  })

  it('cost TD0.2, TD1.3a and TD1.6, and where TD0.2 still serves two calls', async () => {
    const patient = await gateway.patient()
    told = answer('')
    const calls = async () => {
      const already = front.asked.length
      const seen = await gateway.asked(() => consents(people.author, patient))
      return [...seen.filter((line) => !line.includes(' ')), ...front.asked.slice(already).map(() => 'TD1.6')]
    }
    assert.deepEqual(await calls(), ['patients', 'patients', 'TD1.6'])
    assert.deepEqual(await calls(), ['patients', 'TD1.6'])
  })

  it('name nobody to those whom TD1.6 is closed to, and TD1.6 is not asked for them', async () => {
    const patient = await gateway.patient()
    told = answer(row({}))
    const already = front.asked.length
    for (const [who, options] of [
      [people.staff, {}],
      [people.structure, {}],
      [{ ...people.author, purpose: 'bris_de_glace', reason: 'inconscient' }, {}],
    ] as const) {
      const { status, entries, json } = await consents(who, patient, options)
      assert.equal(status, 200, JSON.stringify(json))
      assert.ok(!JSON.stringify(entries).includes('899700000002'))
    }
    assert.equal(front.asked.length, already)
  })

  it('are refused with the words of the DMP, and not shown in part', async () => {
    const patient = await gateway.patient()
    told = answer('', 'DMPRights', 'Droits insuffisants')
    const { status, json } = await consents(people.author, patient)
    assert.equal(status, 422)
    assert.match(JSON.stringify(json), /DMPRights|Droits insuffisants/)
  })

  it('are not taken for the DMP here: the patient settles them in Mon espace santé', async () => {
    const patient = await gateway.patient()
    await consents(people.author, patient, { consent: declared.careTeam })
    const asked = front.asked.length
    const query = `identifier=urn:oid:${patient.authority}|${patient.ins}`
    const { json } = await gateway.fhir.call(patient.identity, 'POST', `/Patient/$mask-by-default?${query}`, {
      headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'value', valueBoolean: true }] }),
    })
    assert.match(JSON.stringify(json), /not-a-dmp-operation/)
    assert.equal(front.asked.length, asked)
  })
})
