/**
 * JSON Patch (RFC 6902) on a resource. The operations are the library's; what it lets pass is not: an index is a number
 * (RFC 6901 §4), a place is a member of its own, and never the prototype.
 */
import { applyPatch, type Operation } from 'rfc6902'
import { GatewayError } from '../../errors.ts'
import { isObject } from '../structure/check.ts'

export type { Operation } from 'rfc6902'

/** A patch of three elements is short. */
export const mostOperations = 100

/** Changes `document` in place. Throws GatewayError `patch-invalid`, naming the operation by `location`. */
export function applyOperation(document: object, operation: Operation, location: string): void {
  const fail = (detail: string) => new GatewayError({ code: 'patch-invalid', location, detail })
  const { op, path } = operation
  if (!isPlace(document, path, op === 'add' || op === 'move' || op === 'copy'))
    throw fail(`${op}: nothing stands at this path: read the resource as it is served now (RFC 6901).`)
  if ((op === 'move' || op === 'copy') && !isPlace(document, operation.from, false))
    throw fail(`${op}: nothing stands at the place named by from.`)
  const [error] = applyPatch(document, [operation])
  if (error?.name === 'TestError') throw fail('test: the value is another one.')
  if (error) throw fail(`${op}: it cannot be done at this path.`)
}

/** @param beyond whether the place may be new: a member that is not there yet, the end of an array */
function isPlace(document: unknown, pointer: string, beyond: boolean): boolean {
  const [root, ...tokens] = pointer.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (root !== '') return false
  let value = document
  for (const [index, token] of tokens.entries()) {
    const last = index === tokens.length - 1
    if (Array.isArray(value)) {
      if (last && beyond && token === '-') return true
      if (!/^(0|[1-9]\d{0,8})$/.test(token) || Number(token) >= value.length + (last && beyond ? 1 : 0)) return false
      value = value[Number(token)]
    } else if (isObject(value)) {
      if (token === '__proto__' || token === 'constructor' || token === 'prototype') return false
      if (!Object.hasOwn(value, token)) return last && beyond
      value = value[token]
    } else return false
  }
  return true
}

/** Reads the operations of a body. Throws GatewayError `patch-invalid` with every violation. */
export function readOperations(body: unknown): readonly Operation[] {
  if (!Array.isArray(body))
    throw new GatewayError('patch-invalid', { detail: 'Send an array of operations (RFC 6902).' })
  if (body.length > mostOperations)
    throw new GatewayError('over-limit', { detail: `A patch is limited to ${mostOperations} operations.` })
  const wrong = body.flatMap((operation, index) => {
    const detail = faultOf(operation)
    return detail === undefined ? [] : [{ code: 'patch-invalid' as const, location: `operation ${index + 1}`, detail }]
  })
  if (wrong.length > 0) throw new GatewayError(wrong)
  return body as readonly Operation[]
}

const names: readonly unknown[] = ['add', 'remove', 'replace', 'move', 'copy', 'test']

function faultOf(operation: unknown): string | undefined {
  if (!isObject(operation) || !names.includes(operation.op)) return 'Send op add, remove, replace, move, copy or test.'
  if (typeof operation.path !== 'string') return 'Send path: a JSON Pointer.'
  if ((operation.op === 'move' || operation.op === 'copy') && typeof operation.from !== 'string')
    return 'Send from: a JSON Pointer.'
  if (['add', 'replace', 'test'].includes(String(operation.op)) && !('value' in operation)) return 'Send value.'
  return undefined
}
