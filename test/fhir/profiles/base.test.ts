import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { baseRows } from '../../../src/fhir/profiles/base.ts'
import { deriveBase } from './derive.ts'

describe('what FHIR R4 requires of codes and references', () => {
  it('is what the HL7 definitions say', () => {
    const file = new URL('../../../src/fhir/profiles/base.json', import.meta.url)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), deriveBase())
  })

  it('knows the codes of required bindings, and what references lead to', () => {
    assert.deepEqual(baseRows('DocumentReference.relatesTo')?.get('code')?.codes, [
      'replaces',
      'transforms',
      'signs',
      'appends',
    ])
    assert.deepEqual(baseRows('DocumentReference')?.get('authenticator')?.targets, [
      'Practitioner',
      'PractitionerRole',
      'Organization',
    ])
    assert.equal(baseRows('DocumentReference.context')?.get('related'), undefined)
  })
})
