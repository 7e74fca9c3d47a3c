import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { DocumentReference } from '@medplum/fhirtypes'
import { checkStructure } from '../../../src/fhir/structure/check.ts'
import { aBundle, aDocumentReference } from '../mothers.ts'

function violations(change: (resource: DocumentReference & Record<string, unknown>) => void): string[] {
  const resource: DocumentReference & Record<string, unknown> = { ...aDocumentReference() }
  change(resource)
  return checkStructure(resource).map(({ location, code }) => `${location} ${code}`)
}

describe('checkStructure', () => {
  it('finds nothing wrong in sound resources', () => {
    assert.deepEqual(checkStructure(aDocumentReference()), [])
    assert.deepEqual(checkStructure(aBundle()), [])
  })

  it('names every violation with its FHIRPath, all at once', () => {
    const found = violations((resource) => {
      Object.assign(resource, { subject: 'Patient/1', category: {}, date: '2026-02-30T10:00:00Z', colour: 'blue' })
      Object.assign(resource.content[0]?.attachment ?? {}, { size: '12', title: '' })
    })
    assert.deepEqual(found, [
      'DocumentReference.category malformed',
      'DocumentReference.subject malformed',
      'DocumentReference.date malformed',
      'DocumentReference.content[0].attachment.title malformed',
      'DocumentReference.content[0].attachment.size malformed',
      'DocumentReference malformed',
    ])
  })

  it('asks for what is required', () => {
    const found = violations((resource) => {
      Reflect.deleteProperty(resource, 'status')
      Object.assign(resource, { relatesTo: [{ code: 'replaces' }] })
    })
    assert.deepEqual(found, [
      'DocumentReference.relatesTo[0].target profile-violation',
      'DocumentReference.status profile-violation',
    ])
  })

  it('refuses control characters and half surrogates, which no XML could carry', () => {
    for (const description of ['a\u0001b', 'a\ud800b', '\uffff', ' '])
      assert.deepEqual(
        violations((resource) => Object.assign(resource, { description })),
        ['DocumentReference.description malformed'],
      )
  })

  it('takes extensions of primitive values, and null in the place of a value in a list', () => {
    assert.deepEqual(
      violations((resource) => Object.assign(resource, { _date: { extension: [{ url: 'urn:x', valueCode: 'day' }] } })),
      [],
    )
    const patient = { resourceType: 'Patient', name: [{ given: [null, 'Anne'], _given: [{ id: 'a' }, null] }] }
    assert.deepEqual(checkStructure(patient), [])
    assert.equal(violations((resource) => Object.assign(resource, { _date: 'x' })).length, 1)
    assert.equal(violations((resource) => Object.assign(resource, { _subject: {} })).length, 1)
  })

  it('refuses what is no resource, and types it does not know', () => {
    for (const value of [
      null,
      1,
      'x',
      [],
      {},
      { resourceType: 5 },
      { resourceType: 'Observation' },
      { resourceType: '__proto__' },
    ])
      assert.equal(checkStructure(value).length, 1)
  })

  it('stops counting at a hundred', () => {
    const contained = Array.from({ length: 500 }, () => ({ resourceType: 'Nothing' }))
    assert.equal(checkStructure({ ...aDocumentReference(), contained }).length, 100)
  })

  const samples = path.resolve('..', 'shared', 'samples', 'fhir')
  it('finds nothing wrong in the published examples', function () {
    if (!existsSync(samples)) return this.skip()
    const names = readdirSync(samples).filter((name) => name.endsWith('.json'))
    assert.ok(names.length > 0)
    for (const name of names) {
      // A FHIR document holds types that are not read here
      if (name.includes('fhir-document')) continue
      assert.deepEqual(checkStructure(JSON.parse(readFileSync(path.join(samples, name), 'utf8'))), [], name)
    }
  })
})
