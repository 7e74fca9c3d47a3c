import assert from 'node:assert/strict'
import fc from 'fast-check'
import { GatewayError } from '../../../src/errors.ts'
import { applyOperation, type Operation, readOperations } from '../../../src/fhir/patch/json-patch.ts'

function apply(document: object, ...operations: unknown[]): object {
  const copy = structuredClone(document)
  for (const operation of readOperations(operations)) applyOperation(copy, operation, 'operation 1')
  return copy
}

function refused(document: object, ...operations: unknown[]): void {
  assert.throws(
    () => apply(document, ...operations),
    (error) => error instanceof GatewayError && error.code === 'patch-invalid' && error.http === 422,
    JSON.stringify(operations),
  )
}

const resource = { status: 'current', securityLabel: ['a', 'b'], extension: [{ url: 'u', valueBoolean: true }] }

describe('JSON Patch', () => {
  it('adds, removes, replaces, moves, copies and tests', () => {
    assert.deepEqual(apply(resource, { op: 'add', path: '/securityLabel/1', value: 'x' }), {
      ...resource,
      securityLabel: ['a', 'x', 'b'],
    })
    assert.deepEqual(apply(resource, { op: 'add', path: '/securityLabel/-', value: 'x' }), {
      ...resource,
      securityLabel: ['a', 'b', 'x'],
    })
    assert.deepEqual(apply(resource, { op: 'add', path: '/title', value: 'x' }), { ...resource, title: 'x' })
    assert.deepEqual(apply(resource, { op: 'remove', path: '/securityLabel/0' }), { ...resource, securityLabel: ['b'] })
    assert.deepEqual(apply(resource, { op: 'replace', path: '/extension/0/valueBoolean', value: false }), {
      ...resource,
      extension: [{ url: 'u', valueBoolean: false }],
    })
    assert.deepEqual(apply(resource, { op: 'move', from: '/securityLabel/1', path: '/securityLabel/0' }), {
      ...resource,
      securityLabel: ['b', 'a'],
    })
    assert.deepEqual(apply(resource, { op: 'copy', from: '/status', path: '/securityLabel/-' }), {
      ...resource,
      securityLabel: ['a', 'b', 'current'],
    })
    assert.deepEqual(apply(resource, { op: 'test', path: '/status', value: 'current' }), resource)
  })

  it('refuses a place that is not there', () => {
    refused(resource, { op: 'replace', path: '/title', value: 'x' })
    refused(resource, { op: 'remove', path: '/securityLabel/2' })
    refused(resource, { op: 'add', path: '/securityLabel/3', value: 'x' })
    refused(resource, { op: 'add', path: '/nowhere/0', value: 'x' })
    refused(resource, { op: 'replace', path: '/status/x', value: 'y' })
    refused(resource, { op: 'copy', from: '/title', path: '/status' })
    refused(resource, { op: 'replace', path: 'status', value: 'x' })
    refused(resource, { op: 'test', path: '/status', value: 'superseded' })
  })

  it('takes nothing but a number for an index (RFC 6901 §4)', () => {
    for (const index of ['length', '01', '1e0', '+1', '-1', ' 0', '0.0', '']) {
      refused(resource, { op: 'replace', path: `/securityLabel/${index}`, value: 0 })
      refused(resource, { op: 'remove', path: `/securityLabel/${index}` })
    }
    refused(resource, { op: 'remove', path: '/securityLabel/-' })
  })

  it('touches no prototype', () => {
    for (const name of ['__proto__', 'constructor', 'prototype'])
      for (const path of [`/${name}`, `/${name}/polluted`, `/extension/0/${name}`])
        refused(resource, { op: 'add', path, value: { polluted: true } })
    refused(resource, { op: 'replace', path: '/toString', value: 'x' })
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })

  it('refuses what is no patch, each wrong operation by its place', () => {
    for (const body of [{}, 'x', null, 3]) assert.throws(() => readOperations(body), { code: 'patch-invalid' })
    assert.throws(
      () => readOperations([{ op: 'explode', path: '/x' }, { op: 'add', path: '/x' }, { op: 'move', path: '/x' }, 1]),
      (error) => error instanceof GatewayError && error.issues.length === 4,
    )
    assert.throws(() => readOperations(new Array(101).fill({ op: 'remove', path: '/x' })), { code: 'over-limit' })
  })

  it('ends with the patched document or a refusal, whatever it is given', () => {
    const token = fc.oneof(
      fc.constantFrom('status', 'securityLabel', 'extension', '0', '1', '-', '__proto__'),
      fc.string(),
    )
    const pointer = fc.array(token, { maxLength: 4 }).map((tokens) => tokens.map((each) => `/${each}`).join(''))
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
      path: pointer,
      from: pointer,
      value: fc.jsonValue(),
    })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), (operations) => {
        try {
          const done = apply(resource, ...operations)
          assert.equal(Object.getPrototypeOf(done), Object.prototype)
        } catch (error) {
          assert.ok(error instanceof GatewayError && error.http === 422, String(error))
        }
      }),
    )
  })

  it('changes only what the operation names', () => {
    const whole: Operation = { op: 'replace', path: '', value: {} }
    refused(resource, whole)
  })
})
