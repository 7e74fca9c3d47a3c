import assert from 'node:assert/strict'
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes'
import { GatewayError } from '../../../src/errors.ts'
import { applyPathOperation, readPathOperations } from '../../../src/fhir/patch/fhirpath-patch.ts'

const flag = 'https://example.org/flag'
const resource = {
  resourceType: 'DocumentReference',
  status: 'current',
  securityLabel: [
    { coding: [{ system: 's', code: 'A' }] },
    { coding: [{ system: 's', code: 'B' }] },
    { coding: [{ system: 's', code: "C'D" }] },
  ],
  extension: [{ url: flag, valueBoolean: true }],
}
const label = { coding: [{ system: 's', code: 'X' }] }

type Part = ParametersParameter

/** One operation: its type, its path, and parts. */
function patch(type: string, path: string, ...parts: Part[]): Parameters {
  const part = [{ name: 'type', valueCode: type }, { name: 'path', valueString: path }, ...parts] as Part[]
  return { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] }
}

function apply(parameters: Parameters) {
  const copy = structuredClone(resource)
  for (const operation of readPathOperations(parameters, 'DocumentReference')) applyPathOperation(copy, operation)
  return copy
}

const labels = (parameters: Parameters) => apply(parameters).securityLabel.map(({ coding }) => coding[0]?.code)
const value = (content: Partial<Part>): Part => ({ name: 'value', ...content })

function refused(parameters: Parameters, code = 'patch-invalid'): void {
  assert.throws(
    () => apply(parameters),
    (error) => error instanceof GatewayError && error.code === code && error.http < 500,
    JSON.stringify(parameters),
  )
}

describe('FHIRPath Patch', () => {
  it('replaces an element by its place, its rank or what it holds', () => {
    const put = value({ valueCodeableConcept: label })
    assert.deepEqual(labels(patch('replace', 'DocumentReference.securityLabel[1]', put)), ['A', 'X', "C'D"])
    assert.deepEqual(labels(patch('replace', 'DocumentReference.securityLabel.first()', put)), ['X', 'B', "C'D"])
    assert.deepEqual(labels(patch('replace', 'DocumentReference.securityLabel.last()', put)), ['A', 'B', 'X'])
    assert.deepEqual(
      labels(patch('replace', "DocumentReference.securityLabel.where(coding.code = 'B' and coding.system='s')", put)),
      ['A', 'X', "C'D"],
    )
    assert.deepEqual(labels(patch('replace', "DocumentReference.securityLabel.where(coding[0].code='C\\'D')", put)), [
      'A',
      'B',
      'X',
    ])
    const status = patch('replace', 'DocumentReference.status', value({ valueCode: 'superseded' }))
    assert.equal(apply(status).status, 'superseded')
  })

  it('reaches value[x] of an extension by the name FHIRPath gives it', () => {
    for (const path of [
      `DocumentReference.extension.where(url='${flag}').value`,
      `DocumentReference.extension('${flag}').value`,
      'DocumentReference.extension[0].value',
    ]) {
      const done = apply(patch('replace', path, value({ valueBoolean: false })))
      assert.deepEqual(done.extension, [{ url: flag, valueBoolean: false }])
    }
    const other = apply(patch('replace', 'DocumentReference.extension[0].value', value({ valueString: 'x' })))
    assert.deepEqual(other.extension, [{ url: flag, valueString: 'x' }])
  })

  it('adds to a list, a new list, a single element, and values given in parts', () => {
    const add = (name: string, put: Part, path = 'DocumentReference') =>
      patch('add', path, { name: 'name', valueString: name }, put)
    assert.deepEqual(labels(add('securityLabel', value({ valueCodeableConcept: label }))), ['A', 'B', "C'D", 'X'])
    const parts = value({
      part: [
        { name: 'url', valueUri: 'https://example.org/other' },
        { name: 'value', valueBoolean: true },
      ],
    })
    const done = apply(add('extension', parts))
    assert.deepEqual(done.extension[1], { url: 'https://example.org/other', valueBoolean: true })
    const event = apply(add('author', value({ valueReference: { reference: '#a' } })))
    assert.deepEqual(Reflect.get(event, 'author'), [{ reference: '#a' }])
    const text = apply(add('description', value({ valueString: 'x' })))
    assert.equal(Reflect.get(text, 'description'), 'x')
    refused(add('status', value({ valueCode: 'current' })))
  })

  it('inserts, moves and deletes', () => {
    const index = (name: string, valueInteger: number): Part => ({ name, valueInteger })
    const path = 'DocumentReference.securityLabel'
    const put = value({ valueCodeableConcept: label })
    assert.deepEqual(labels(patch('insert', path, index('index', 1), put)), ['A', 'X', 'B', "C'D"])
    assert.deepEqual(labels(patch('insert', path, index('index', 3), put)), ['A', 'B', "C'D", 'X'])
    assert.deepEqual(labels(patch('move', path, index('source', 2), index('destination', 0))), ["C'D", 'A', 'B'])
    assert.deepEqual(labels(patch('delete', `${path}[0]`)), ['B', "C'D"])
    assert.deepEqual(labels(patch('delete', `${path}.where(coding.code = 'nobody')`)), ['A', 'B', "C'D"])
    refused(patch('insert', path, index('index', 4), put))
    refused(patch('insert', `${path}[0]`, index('index', 0), put))
    refused(patch('move', path, index('source', 3), index('destination', 0)))
    refused(patch('delete', path))
  })

  it('names one element, or refuses', () => {
    const put = value({ valueCodeableConcept: label })
    refused(patch('replace', 'DocumentReference.securityLabel', put))
    refused(patch('replace', 'DocumentReference.securityLabel[7]', put))
    refused(patch('replace', 'DocumentReference.description', value({ valueString: 'x' })))
    refused(patch('replace', 'DocumentReference.status'))
    refused(patch('add', 'DocumentReference.status', { name: 'name', valueString: 'x' }, put))
  })

  it('runs no function that computes, and no path of another resource', () => {
    const put = value({ valueString: 'x' })
    for (const path of [
      '',
      'Patient.status',
      "DocumentReference.status.matches('(a+)+$')",
      'DocumentReference.descendants()',
      'DocumentReference.repeat(extension)',
      "DocumentReference.securityLabel.where(coding.code.contains('A'))",
      'DocumentReference..status',
      'DocumentReference.status | DocumentReference.id',
      'DocumentReference.status "x"',
      'DocumentReference.resolve()',
      `DocumentReference.${'a'.repeat(2000)}`,
    ])
      refused(patch('replace', path, put))
  })

  it('refuses what is no FHIRPath Patch', () => {
    refused({ resourceType: 'Parameters' })
    refused({ resourceType: 'Parameters', parameter: [{ name: 'other' }] })
    refused(patch('explode', 'DocumentReference.status'))
    const [operation] = patch('delete', 'DocumentReference.status').parameter ?? []
    assert.ok(operation)
    refused({ resourceType: 'Parameters', parameter: new Array<Part>(101).fill(operation) }, 'over-limit')
  })

  it('applies one operation on what the one before left', () => {
    const first = patch('delete', 'DocumentReference.securityLabel[0]').parameter ?? []
    assert.deepEqual(labels({ resourceType: 'Parameters', parameter: [...first, ...first] }), ["C'D"])
  })
})
