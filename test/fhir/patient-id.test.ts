import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createPatientIds } from '../../src/fhir/patient-id.ts'
import { patientKey } from '../../src/metadata/identifiers.ts'

const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const fhirId = /^[A-Za-z0-9.-]{1,64}$/
const ins = fc.tuple(
  fc.constantFrom('8', '9', '10', '11').map((last) => `1.2.250.1.213.1.4.${last}`),
  fc.stringMatching(/^[12][0-9]{5}[0-9AB][0-9]{8}$/),
)

describe('Patient ids in ci-sis', () => {
  it('lead back to the INS, and say nothing of it', () => {
    const ids = createPatientIds('ci-sis', key)
    fc.assert(
      fc.property(ins, ([authority, value]) => {
        const patient = patientKey(authority, value)
        const id = ids.toId(patient) ?? ''
        assert.match(id, fhirId)
        assert.equal(id.includes(value), false)
        assert.equal(ids.fromId(id), patient)
        assert.equal(createPatientIds('ci-sis', key).toId(patient), id)
      }),
    )
  })

  it('mean nothing under another key, and cannot be made up', () => {
    const id = createPatientIds('ci-sis', key).toId(patientKey('1.2.250.1.213.1.4.8', '260059999999999')) ?? ''
    assert.equal(createPatientIds('ci-sis').fromId(id), undefined)
    const ids = createPatientIds('ci-sis', key)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        assert.equal(ids.fromId(Buffer.from(bytes).toString('hex')), undefined)
      }),
    )
  })

  it('exist for an INS only', () => {
    const ids = createPatientIds('ci-sis', key)
    assert.equal(ids.toId(patientKey('1.3.6.1.4.1.21367', '260059999999999')), undefined)
    assert.equal(ids.toId(patientKey('1.2.250.1.213.1.4.8', 'X')), undefined)
    for (const id of ['', 'x', '../..', '1.2.250.1.213.1.4.8-260059999999999']) assert.equal(ids.fromId(id), undefined)
  })
})

describe('Patient ids in ihe', () => {
  it('lead back to the patient, whatever the identifier, once the patient was opened here', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 }), (value) => {
        const ids = createPatientIds('ihe')
        const patient = patientKey('1.3.6.1.4.1.21367.2005.13.20.1000', value)
        ids.remember(patient)
        const id = ids.toId(patient) ?? ''
        assert.match(id, fhirId)
        assert.equal(ids.fromId(id), patient)
        assert.deepEqual(ids.withValue(value), [patient])
      }),
    )
  })

  it('keep the authorities of one value apart', () => {
    const ids = createPatientIds('ihe')
    const [a, b] = [patientKey('1.2.3', 'X1'), patientKey('1.2.4', 'X1')]
    ids.remember(a)
    ids.remember(b)
    assert.deepEqual(ids.withValue('X1'), [a, b])
    assert.deepEqual(ids.withValue('X'), [])
    assert.notEqual(ids.toId(a), ids.toId(b))
  })
})
