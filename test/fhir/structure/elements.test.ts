import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { elementsOf, isResourceType } from '../../../src/fhir/structure/elements.ts'
import { deriveElements } from './derive.ts'

describe('the shape of FHIR R4', () => {
  it('is what the HL7 definitions say', () => {
    const file = new URL('../../../src/fhir/structure/elements.json', import.meta.url)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), deriveElements())
  })

  it('knows resources from datatypes', () => {
    assert.equal(isResourceType('DocumentReference'), true)
    for (const name of ['Identifier', 'Bundle.entry', 'Observation', 'constructor', ''])
      assert.equal(isResourceType(name), false)
  })

  it('keeps the order of the definition', () => {
    assert.deepEqual([...(elementsOf('Coding')?.keys() ?? [])].slice(2), [
      'system',
      'version',
      'code',
      'display',
      'userSelected',
    ])
  })
})
