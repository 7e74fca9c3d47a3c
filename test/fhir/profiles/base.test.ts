import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { baseRow } from '../../../src/fhir/profiles/base.ts'
import { deriveBase } from './derive.ts'

describe('what FHIR R4 requires of codes and references', () => {
  it('is what the HL7 definitions say', () => {
    const file = new URL('../../../src/fhir/profiles/base.json', import.meta.url)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), deriveBase())
  })

  it('knows the codes of required bindings, and what references lead to', () => {
    assert.deepEqual(baseRow('DocumentReference.relatesTo', 'code')?.codes, [
      'replaces',
      'transforms',
      'signs',
      'appends',
    ])
    assert.deepEqual(baseRow('DocumentReference', 'authenticator')?.targets, [
      'Practitioner',
      'PractitionerRole',
      'Organization',
    ])
    assert.equal(baseRow('DocumentReference.context', 'related'), undefined)
  })
})
