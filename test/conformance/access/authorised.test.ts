/** TD0.4: whose records a professional is authorised to consult, each with what the professional may know of it. */
import assert from 'node:assert/strict'
import type { Bundle, Patient } from '@medplum/fhirtypes'
import { choose, operate, provisions } from '../../support/consent.ts'
import { declared, people, type TestPatient } from '../../support/gateway.ts'
import { feed, withGateway } from './suite.ts'

const { author, structure } = people
const epoch = '2020-01-01T00:00:00Z'
let made = 0
/** A professional of this test alone. */
const somebody = (changes = {}) => ({ name: 'ESSAI Nora', id: `8997100${String(++made).padStart(5, '0')}`, ...changes })

withGateway('the list of authorised records', (suite) => {
  const list = async (who: object, query = `since=${epoch}`) => {
    const { status, json, outcome } = await suite.gateway.fhir.call(who, 'GET', `/Patient/$authorised?${query}`)
    const bundle = json as unknown as Bundle
    const patients = (bundle.entry ?? []).map(({ resource }) => resource as Patient)
    return { status, outcome, bundle, patients, ins: patients.map(({ identifier }) => identifier?.[0]?.value ?? '') }
  }
  const extension = ({ extension: extensions = [] }: Patient, name: string) => {
    const found = extensions.find(({ url }) => url.endsWith(`/${name}`))
    return found?.valueDateTime ?? found?.valueBoolean
  }
  const consult = (who: object, patient: TestPatient) =>
    suite.gateway.fhirDoor.find(who, patient, { consent: declared.careTeam })
  const chosen = async (patient: TestPatient, provision: Parameters<typeof choose>[3]) => {
    const reply = await choose(suite.gateway.fhir, patient.identity, patient, provision)
    assert.equal(reply.status, 201, reply.outcome.text)
  }

  it('has the records that this professional declared an authorisation for, and nobody else’s', async () => {
    const [mine, both, theirs] = [
      await suite.gateway.patient({ name: [{ family: 'VASSEUR', given: ['Lucie'] }], birthDate: '1985-04-12' }),
      await suite.gateway.patient(),
      await suite.gateway.patient(),
    ]
    const [me, other] = [somebody(), somebody()]
    for (const [who, patient] of [
      [me, mine],
      [me, both],
      [other, both],
      [other, theirs],
    ] as const)
      await consult(who, patient)
    const { status, bundle, patients, ins } = await list(me)
    assert.equal(status, 200)
    assert.deepEqual([bundle.type, bundle.total], ['searchset', 2])
    assert.deepEqual([...ins].sort(), [mine.ins, both.ins].sort())
    assert.deepEqual((await list(other)).ins.sort(), [both.ins, theirs.ins].sort())
    assert.deepEqual((await list(somebody())).ins, [])
    const lucie = patients.find(({ identifier }) => identifier?.[0]?.value === mine.ins)
    assert.ok(lucie)
    assert.deepEqual(lucie.name, [{ family: 'VASSEUR', given: ['Lucie'] }])
    assert.equal(lucie.birthDate, '1985-04-12')
    assert.equal(extension(lucie, 'dmp-medecin-traitant'), false)
    const { json } = await suite.gateway.fhir.call(me, 'GET', `/Patient/${lucie.id}`)
    assert.equal((json as unknown as Patient).identifier?.[0]?.value, mine.ins, 'the id leads to the record')
  })

  it('leaves out who is closed, has blocked this professional, opposes consultation or is withdrawn', async () => {
    const who = somebody()
    const patients = await Promise.all(Array.from({ length: 5 }, () => suite.gateway.patient()))
    for (const patient of patients) await consult(who, patient)
    const [stays, closed, blocks, opposes, withdrawn] = patients as [TestPatient, ...TestPatient[]]
    assert.equal((await list(who)).ins.length, 5)
    await operate(suite.gateway.fhir, (closed as TestPatient).identity, 'close', closed as TestPatient, [])
    await chosen(blocks as TestPatient, provisions.person('deny', who.id))
    await chosen(opposes as TestPatient, provisions.consultation('deny'))
    await choose(suite.gateway.fhir, who, withdrawn as TestPatient, provisions.person('deny', who.id))
    const { ins, bundle } = await list(who)
    assert.deepEqual([ins, bundle.total], [[stays.ins], 1])
  })

  it('goes by the date of the authorisation, or of the last document that this professional may see', async () => {
    const who = somebody()
    const patient = await suite.gateway.patient()
    await consult(who, patient)
    const later = new Date(Date.now() + 60_000).toISOString()
    assert.deepEqual((await list(who)).ins, [patient.ins])
    assert.deepEqual((await list(who, `since=${later}`)).ins, [])
    assert.deepEqual((await list(who, `since=${epoch}&by=document`)).ins, [], 'no document yet')
    await feed(suite.gateway.fhirDoor, patient)
    const { ins, patients } = await list(who, `since=${epoch}&by=document`)
    assert.deepEqual(ins, [patient.ins])
    const [shown] = patients
    assert.ok(shown)
    assert.match(String(extension(shown, 'dmp-dernier-ajout')), /^\d{4}-.*Z$/)
    assert.equal(extension(shown, 'dmp-derniere-modification'), extension(shown, 'dmp-dernier-ajout'))
    assert.match(String(extension(shown, 'dmp-dernier-acces')), /^\d{4}-.*Z$/)
    assert.deepEqual((await list(who, `since=${later}&by=document`)).ins, [])
  })

  it('tells nothing of documents that are masked to this professional', async () => {
    const who = somebody()
    const patient = await suite.gateway.patient()
    await consult(who, patient)
    const before = await list(who)
    await feed(suite.gateway.fhirDoor, patient)
    await operate(suite.gateway.fhir, patient.identity, 'mask-all', patient, [])
    assert.deepEqual((await list(who)).patients, before.patients)
    assert.deepEqual((await list(who, `since=${epoch}&by=document`)).ins, [])
    await consult(author, patient)
    const seen = (await list(author)).patients.find(({ identifier }) => identifier?.[0]?.value === patient.ins)
    assert.ok(seen && extension(seen, 'dmp-dernier-ajout') !== undefined, 'the author knows of it')
  })

  it('is that of the structure behind its certificate and for its staff, by authorisation', async () => {
    const own = { structure: `10200${String(Date.now()).slice(-5)}`, structureName: 'CLINIQUE EXEMPLE' }
    const secretary = { kind: 'staff' as const, id: `31020099999/${made}`, ...own }
    const [hospital, nurse] = [{ ...structure, ...own }, somebody(own)]
    const [given, personal] = [await suite.gateway.patient(), await suite.gateway.patient()]
    const added = await suite.gateway.fhir.call(secretary, 'POST', '/Consent', {
      consent: declared.careTeam,
      body: {
        resourceType: 'Consent',
        status: 'active',
        scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
        category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
        patient: { identifier: { system: `urn:oid:${given.authority}`, value: given.ins } },
        provision: provisions.person('permit', secretary.id),
      },
    })
    assert.equal(added.status, 201, added.outcome.text)
    await consult(nurse, personal)
    assert.deepEqual((await list(hospital)).ins, [given.ins])
    assert.deepEqual((await list(secretary)).ins, [given.ins])
    assert.deepEqual((await list({ ...nurse, authentication: 'indirect' })).ins, [given.ins], 'not the own one')
    assert.deepEqual((await list(nurse)).ins, [personal.ins])
    const refused = await list(hospital, `since=${epoch}&by=document`)
    assert.deepEqual([refused.status, refused.outcome.code], [403, 'not-permitted-for-role'])
  })

  it('is for carers, with an identity that is bound to no patient', async () => {
    const patient = await suite.gateway.patient()
    assert.equal((await list(patient.identity)).status, 403)
    assert.equal((await list(people.system)).status, 403)
    const bound = await list({ ...author, ins: patient.ins, insSystem: patient.authority })
    assert.deepEqual([bound.status, bound.outcome.code], [403, 'patient-mismatch'])
  })

  it('is refused without an instant, twice, with another date, or about one patient', async () => {
    for (const query of [
      '',
      'since=2026-06-12',
      'since=yesterday',
      `since=${epoch}&since=${epoch}`,
      `since=${epoch}&by=access`,
      `since=${epoch}&patient.identifier=urn:oid:1.2|1`,
      `since=${epoch}&person=899700000002`,
    ]) {
      const { status, outcome } = await list(author, query)
      assert.equal(status, 400, query)
      assert.match(outcome.text, /since|by|patient|person/, query)
    }
  })

  it('is in the trace without a patient, permitted or refused', async () => {
    const who = somebody()
    const patient = await suite.gateway.patient()
    await consult(who, patient)
    await list(who)
    await list({ ...who, ins: patient.ins, insSystem: patient.authority })
    const told: unknown[] = []
    const { traceFeed } = suite.gateway.embedded
    const head = await traceFeed.head()
    for (const { record } of await traceFeed.after(head - 20, 20))
      if ('operation' in record && record.operation === 'TD0.4' && record.caller.person?.id === who.id)
        told.push([record.outcome, record.rule, record.patient?.split('|')[1]])
    assert.deepEqual(told, [
      ['permitted', 'FRM TD0.4 medecin.normal', undefined],
      ['refused', 'LI1', undefined],
    ])
    const history = await suite.gateway.records(patient)
    assert.ok(
      history.every(({ operation }) => operation !== 'TD0.4'),
      'nobody is in the history of others',
    )
  })
})
