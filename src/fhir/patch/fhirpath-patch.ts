/** FHIRPath Patch (FHIR R4 fhirpatch.html): a Parameters whose operations become those of RFC 6902, one by one. */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes'
import { GatewayError } from '../../errors.ts'
import { isObject } from '../structure/check.ts'
import { elementsOf } from '../structure/elements.ts'
import { collectionOf, type Expression, type Place, parsePath, placesOf, valueAt } from './fhirpath.ts'
import { applyOperation, mostOperations, type Operation } from './json-patch.ts'

const kinds = ['add', 'insert', 'delete', 'replace', 'move'] as const

export interface PathOperation {
  readonly kind: (typeof kinds)[number]
  readonly path: Expression
  readonly name?: string
  readonly value?: Value
  readonly index?: number
  readonly source?: number
  readonly destination?: number
  /** FHIRPath of the operation in the message. */
  readonly location: string
}

interface Value {
  /** `Boolean`, `CodeableConcept`, …: what follows `value`; empty for a value given in parts. */
  readonly type: string
  readonly content: unknown
}

/** Throws GatewayError `patch-invalid`, or `over-limit`. */
export function readPathOperations({ parameter = [] }: Parameters, type: string): readonly PathOperation[] {
  const operations = parameter.filter(({ name }) => name === 'operation')
  if (operations.length === 0 || operations.length < parameter.length)
    throw new GatewayError('patch-invalid', { detail: 'Send parameters named operation, at least one.' })
  if (operations.length > mostOperations)
    throw new GatewayError('over-limit', { detail: `A patch is limited to ${mostOperations} operations.` })
  return operations.map((operation, index) => readOperation(operation, type, `Parameters.parameter[${index}]`))
}

function readOperation({ part = [] }: ParametersParameter, type: string, location: string): PathOperation {
  const one = (name: string) => part.find((each) => each.name === name)
  const text = (name: string) => one(name)?.valueCode ?? one(name)?.valueString
  const kind = kinds.find((each) => each === text('type'))
  const path = text('path')
  if (kind === undefined || path === undefined)
    throw invalid(location, 'Send type (add, insert, delete, replace or move) and path.')
  const [name, value] = [text('name'), one('value')]
  const numbers = Object.fromEntries(
    (['index', 'source', 'destination'] as const).flatMap((each) => {
      const number = one(each)?.valueInteger
      return number === undefined || number < 0 ? [] : [[each, number]]
    }),
  )
  return {
    kind,
    path: parsePath(path, type, location),
    ...(name === undefined ? {} : { name }),
    ...(value === undefined ? {} : { value: contentOf(value) }),
    ...numbers,
    location,
  }
}

/** `value[x]`, or the parts of an element that has no datatype of its own, such as an extension. */
function contentOf(parameter: ParametersParameter): Value {
  const entry = Object.entries(parameter).find(([key]) => /^value[A-Z]/.test(key))
  if (entry) return { type: entry[0].slice('value'.length), content: entry[1] }
  const content: Record<string, unknown> = {}
  for (const part of parameter.part ?? []) {
    const { type, content: child } = contentOf(part)
    const key = part.name === 'value' ? `value${type}` : (part.name ?? '')
    const before = content[key]
    if (repeating.has(key)) content[key] = [...(Array.isArray(before) ? before : []), child]
    else content[key] = child
  }
  return { type: '', content }
}

/** Elements below those of the resource that repeat, in what a patch may carry. */
const repeating: ReadonlySet<string> = new Set(['coding', 'extension'])

/** Changes `resource` in place. Throws GatewayError `patch-invalid`. */
export function applyPathOperation(resource: object & { readonly resourceType: string }, asked: PathOperation): void {
  for (const operation of translate(resource, asked)) applyOperation(resource, operation, asked.location)
}

function translate(resource: { readonly resourceType: string }, asked: PathOperation): readonly Operation[] {
  const { kind, path, location } = asked
  switch (kind) {
    case 'add':
      return [addition(resource, asked)]
    case 'replace':
      return replacement(resource, asked)
    case 'delete': {
      const places = placesOf(resource, path)
      if (places.length > 1) throw invalid(location, 'delete: the path names several elements: name one.')
      return places.map((place) => ({ op: 'remove', path: pointer(place) }))
    }
    case 'insert': {
      const { index, value } = asked
      if (index === undefined || value === undefined) throw invalid(location, 'insert: send index and value.')
      return [{ op: 'add', path: pointer([...collection(resource, asked), index]), value: value.content }]
    }
    case 'move': {
      const { source, destination } = asked
      if (source === undefined || destination === undefined)
        throw invalid(location, 'move: send source and destination.')
      const list = collection(resource, asked)
      return [{ op: 'move', from: pointer([...list, source]), path: pointer([...list, destination]) }]
    }
  }
}

function addition(resource: { readonly resourceType: string }, asked: PathOperation): Operation {
  const { path, name, value, location } = asked
  if (name === undefined || value === undefined) throw invalid(location, 'add: send name and value.')
  const place = onlyPlace(resource, path, location)
  const parent = valueAt(resource, place)
  if (!isObject(parent)) throw invalid(location, 'add: the path must name an element that has others inside.')
  const key = name === 'value' ? `value${value.type}` : name
  const before = Object.hasOwn(parent, key) ? parent[key] : undefined
  if (Array.isArray(before)) return { op: 'add', path: pointer([...place, key, '-']), value: value.content }
  if (before !== undefined) throw invalid(location, 'add: the element does not repeat and is there: send replace.')
  const repeats =
    place.length === 0 ? elementsOf(resource.resourceType)?.get(key)?.repeats === true : repeating.has(key)
  return { op: 'add', path: pointer([...place, key]), value: repeats ? [value.content] : value.content }
}

function replacement(resource: unknown, { path, value, location }: PathOperation): readonly Operation[] {
  if (value === undefined) throw invalid(location, 'replace: send value.')
  const place = onlyPlace(resource, path, location)
  const key = place.at(-1)
  if (key === undefined) return [{ op: 'replace', path: '', value: value.content }]
  const other = typeof key === 'string' && /^value[A-Z]/.test(key) && key !== `value${value.type}`
  if (!other) return [{ op: 'replace', path: pointer(place), value: value.content }]
  return [
    { op: 'remove', path: pointer(place) },
    { op: 'add', path: pointer([...place.slice(0, -1), `value${value.type}`]), value: value.content },
  ]
}

/** The list that insert and move work on: its path ends with its name. */
function collection(resource: unknown, { kind, path, location }: PathOperation): Place {
  const list = collectionOf(path)
  if (list === undefined) throw invalid(location, `${kind}: the path must end with the name of a list.`)
  const place = [...onlyPlace(resource, list.parent, location), list.name]
  if (!Array.isArray(valueAt(resource, place))) throw invalid(location, `${kind}: no list stands at this path.`)
  return place
}

function onlyPlace(resource: unknown, path: Expression, location: string): Place {
  const [place, ...others] = placesOf(resource, path)
  if (place === undefined || others.length > 0)
    throw invalid(location, `The path names ${others.length + (place ? 1 : 0)} elements: it must name one.`)
  return place
}

function pointer(place: Place): string {
  return place.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function invalid(location: string, detail: string): GatewayError {
  return new GatewayError({ code: 'patch-invalid', location, detail })
}
