/**
 * The FHIRPath of a FHIRPath Patch, as places in a resource. A patch names elements of the resource itself: child names,
 * `[n]`, `first()`, `last()`, `extension('url')` and `where(path = 'value' and …)`. Functions that compute or match
 * patterns are not taken: a caller's pattern must not run here.
 */
import { GatewayError } from '../../errors.ts'
import { isObject } from '../structure/check.ts'

/** From the root of the resource: names and indexes. */
export type Place = readonly (string | number)[]

type Step =
  | { readonly kind: 'child'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'where'; readonly tests: readonly Test[] }

interface Test {
  readonly path: readonly Step[]
  readonly value: string | number | boolean
}

export interface Expression {
  readonly steps: readonly Step[]
}

const longest = 1000

/** Throws GatewayError `patch-invalid`. `type` is the name the path begins with: the type of the resource. */
export function parsePath(text: string, type: string, location: string): Expression {
  const reader = new Reader(text, location)
  if (text.length > longest || reader.take(/[A-Za-z]+/y) !== type) throw reader.fault(`Begin the path with ${type}.`)
  const steps = reader.steps()
  if (!reader.atEnd) throw reader.fault()
  return { steps }
}

/** A path ends with the name of a list: where the list stands, its own index left out. */
export function collectionOf({
  steps,
}: Expression): { readonly parent: Expression; readonly name: string } | undefined {
  const last = steps.at(-1)
  return last?.kind === 'child' ? { parent: { steps: steps.slice(0, -1) }, name: last.name } : undefined
}

/** Every place the expression names. */
export function placesOf(resource: unknown, { steps }: Expression): readonly Place[] {
  return walk(resource, [[]], steps)
}

export function valueAt(resource: unknown, place: Place): unknown {
  let value = resource
  for (const key of place) {
    if (Array.isArray(value)) value = value[Number(key)]
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

function walk(resource: unknown, places: readonly Place[], steps: readonly Step[]): readonly Place[] {
  return steps.reduce((at, step) => take(resource, at, step), places)
}

function take(resource: unknown, places: readonly Place[], step: Step): readonly Place[] {
  switch (step.kind) {
    case 'child':
      return places.flatMap((place) => childrenOf(resource, place, step.name))
    case 'index':
      return places.slice(step.index, step.index + 1)
    case 'last':
      return places.slice(-1)
    case 'where':
      return places.filter((place) =>
        step.tests.every(({ path, value }) =>
          walk(resource, [place], path).some((found) => valueAt(resource, found) === value),
        ),
      )
  }
}

function childrenOf(resource: unknown, place: Place, name: string): readonly Place[] {
  const object = valueAt(resource, place)
  if (!isObject(object)) return []
  const key = Object.hasOwn(object, name) ? name : choiceOf(object, name)
  if (key === undefined) return []
  const value = object[key]
  return Array.isArray(value) ? value.map((_, index) => [...place, key, index]) : [[...place, key]]
}

/** FHIRPath says `value` where JSON says `valueBoolean`. */
function choiceOf(object: Record<string, unknown>, name: string): string | undefined {
  if (name !== 'value') return undefined
  return Object.keys(object).find((key) => /^value[A-Z]/.test(key))
}

class Reader {
  readonly #text: string
  readonly #location: string
  #at = 0

  constructor(text: string, location: string) {
    this.#text = text
    this.#location = location
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length
  }

  fault(detail = ''): GatewayError {
    return new GatewayError({
      code: 'patch-invalid',
      location: this.#location,
      detail:
        `${detail} Send a path of names, [n], first(), last(), extension('url') and where(path = 'value').`.trim(),
    })
  }

  /** Spaces, then the pattern, which is sticky. */
  take(pattern: RegExp): string | undefined {
    while (this.#text[this.#at] === ' ') this.#at++
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    if (found !== undefined) this.#at += found.length
    return found
  }

  steps(): readonly Step[] {
    const steps: Step[] = []
    for (;;) {
      const index = this.take(/\[\d{1,6}\]/y)
      if (index !== undefined) steps.push({ kind: 'index', index: Number(index.slice(1, -1)) })
      else if (this.take(/\./y) !== undefined) steps.push(...this.#step())
      else return steps
    }
  }

  #step(): readonly Step[] {
    const name = this.take(/[A-Za-z_]\w*/y)
    if (name === undefined) throw this.fault()
    if (this.take(/\(/y) === undefined) return [{ kind: 'child', name }]
    const step = this.#call(name)
    if (this.take(/\)/y) === undefined) throw this.fault()
    return step
  }

  #call(name: string): readonly Step[] {
    if (name === 'first') return [{ kind: 'index', index: 0 }]
    if (name === 'last') return [{ kind: 'last' }]
    if (name === 'where') return [{ kind: 'where', tests: this.#tests() }]
    if (name !== 'extension') throw this.fault(`${name}() is not taken here.`)
    const url: Test = { path: [{ kind: 'child', name: 'url' }], value: this.#literal() }
    return [
      { kind: 'child', name: 'extension' },
      { kind: 'where', tests: [url] },
    ]
  }

  #tests(): readonly Test[] {
    const tests: Test[] = []
    do {
      const name = this.take(/[A-Za-z_]\w*/y)
      if (name === undefined) throw this.fault()
      const path: Step[] = [{ kind: 'child', name }, ...this.steps()]
      if (this.take(/=/y) === undefined) throw this.fault()
      tests.push({ path, value: this.#literal() })
    } while (this.take(/and\b/y) !== undefined)
    return tests
  }

  #literal(): string | number | boolean {
    const text = this.take(/'(?:[^'\\]|\\.)*'/y)
    if (text !== undefined) return text.slice(1, -1).replace(/\\(.)/g, '$1')
    const word = this.take(/true\b|false\b|\d+(?:\.\d+)?/y)
    if (word === undefined) throw this.fault()
    return word === 'true' || (word !== 'false' && Number(word))
  }
}
