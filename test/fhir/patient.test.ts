import assert from 'node:assert/strict'
import type { Bundle, OperationOutcome, Patient } from '@medplum/fhirtypes'
import { patientKey } from '../../src/metadata/identifiers.ts'
import { Door } from './door.ts'
import { authority, ins, patientToken } from './mothers.ts'

const query = `identifier=${encodeURIComponent(patientToken)}`
const key = patientKey('1.2.250.1.213.1.4.10', ins)
const resource: Patient = {
  resourceType: 'Patient',
  identifier: [{ system: authority, value: ins }],
  name: [
    { use: 'usual', family: 'Autre' },
    { use: 'official', family: 'Exemple', given: ['Camille', 'Noé'] },
  ],
  gender: 'female',
  birthDate: '1985-02-01',
}

describe('Patients', () => {
  let door: Door
  beforeEach(async () => {
    door = await Door.open()
  })
  afterEach(() => door.close())

  it('are opened by ITI-104 with 201, then updated with 200, under an id that leads back to them', async () => {
    const first = await door.send('PUT', `/Patient?${query}`, resource)
    assert.equal(first.status, 201, first.text)
    assert.deepEqual(door.operations.patients.get(key), {
      family: 'Exemple',
      given: ['Camille', 'Noé'],
      gender: 'female',
      birthDate: '1985-02-01',
    })
    const second = await door.send('PUT', `/Patient?${query}`, { resourceType: 'Patient' })
    assert.equal(second.status, 200)
    const { id } = first.body as Patient
    assert.equal(first.headers.get('location'), `${door.url}/Patient/${id}`)
    assert.equal(first.headers.get('location')?.includes(ins), false)
    const read = await door.get(`/Patient/${id}`)
    assert.deepEqual((read.body as Patient).identifier, [{ system: authority, value: ins }])
  })

  it('must be the patient of the condition', async () => {
    const other = { ...resource, identifier: [{ system: authority, value: '100000000000000' }] }
    assert.equal((await door.send('PUT', `/Patient?${query}`, other)).status, 422)
    for (const wrong of ['', 'identifier=', `identifier=${ins}`, `identifier=urn:x%7C${ins}`, `${query}&${query}`])
      assert.equal((await door.send('PUT', `/Patient?${wrong}`, resource)).status, 400, wrong)
    assert.equal((await door.send('PUT', `/Patient?${query}`, { resourceType: 'Device' })).status, 400)
    assert.equal(door.operations.patients.size, 0)
  })

  it('keep no birth date that is not complete: what depends on age must not be guessed', async () => {
    await door.send('PUT', `/Patient?${query}`, { ...resource, birthDate: '1985' })
    assert.equal(door.operations.patients.get(key)?.birthDate, undefined)
  })

  it('are found by TD0.2: one, or none', async () => {
    const none = await door.get(`/Patient?${query}`)
    assert.equal(none.status, 200)
    assert.equal((none.body as Bundle).total, 0)
    door.operations.patients.set(key, { given: ['Camille'], family: 'Exemple' })
    const one = (await door.get(`/Patient?${query}`)).body as Bundle
    assert.equal(one.total, 1)
    const patient = one.entry?.[0]?.resource as Patient
    assert.equal(patient.active, true)
    assert.equal(one.entry?.[0]?.fullUrl, `${door.url}/Patient/${patient.id}`)
    assert.deepEqual(patient.name, [{ family: 'Exemple', given: ['Camille'] }])
  })

  it('say what the DMP says: closed, treating physician, authorisation', async () => {
    door.operations.patients.set(key, { given: [] })
    door.operations.facts = {
      status: 'closed',
      closedAt: '2026-03-01',
      treatingPhysician: true,
      authorisation: 'VALIDE',
    }
    const patient = ((await door.get(`/Patient?${query}`)).body as Bundle).entry?.[0]?.resource as Patient
    assert.equal(patient.active, false)
    const extensions = Object.fromEntries(
      (patient.extension ?? []).map(({ url, ...value }) => [url.split('/').at(-1), value]),
    )
    assert.deepEqual(extensions, {
      'dmp-fermeture': { extension: [{ url: 'dateFermeture', valueDateTime: '2026-03-01' }] },
      'dmp-medecin-traitant': { valueBoolean: true },
      'dmp-statut-autorisation': { valueCode: 'VALIDE' },
    })
  })

  it('are searched by one identifier', async () => {
    for (const wrong of [
      '',
      'name=x',
      'identifier=a%7Cb,c%7Cd',
      `identifier:exact=${encodeURIComponent(patientToken)}`,
    ])
      assert.equal((await door.get(`/Patient?${wrong}`)).status, 400, wrong)
    assert.equal((await door.get('/Patient/nobody')).status, 404)
  })

  it('in profile ihe are named in documents by their id, in ci-sis by the INS alone', async () => {
    const ihe = await Door.open({ profile: 'ihe' })
    try {
      const { id } = (await ihe.send('PUT', `/Patient?${query}`, resource)).body as Patient
      assert.equal(id, `1.2.250.1.213.1.4.10-${ins}`)
      for (const named of [id, `Patient/${id}`, `${ihe.url}/Patient/${id}`]) {
        const reply = await ihe.get(`/DocumentReference?status=current&patient=${encodeURIComponent(named ?? '')}`)
        assert.equal(reply.status, 200, named)
      }
      assert.equal((await ihe.get(`/DocumentReference?status=current&patient.identifier=${ins}`)).status, 200)
      const unknown = await ihe.get('/DocumentReference?status=current&patient.identifier=nobody')
      assert.equal((unknown.body as OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code, 'dmp-unknown')
    } finally {
      await ihe.close()
    }
  })
})
