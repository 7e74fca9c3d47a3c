/** A resource against FHIR's own terms and a profile: every violation, each with its place, its rule and what to send. */
import type { Resource } from '@medplum/fhirtypes'
import type { Issue } from '../../errors.ts'
import { isObject } from '../structure/check.ts'
import { type Element, elementsOf } from '../structure/elements.ts'
import { type BaseRow, baseRows } from './base.ts'
import { type AllowedType, type Node, type Profile, profileOf } from './definitions.ts'
import { matches, typeOfReference } from './values.ts'

/** More are not reported: the message is hopeless. */
const most = 100

type Fields = Readonly<Record<string, unknown>>

/**
 * @param resource sound as checkStructure has it
 * @param at its FHIRPath
 * @param follow resources of the same message by the references to them
 */
export function violations(
  resource: Fields,
  profile: Profile | undefined,
  at: string,
  follow: (reference: string) => Resource | undefined,
): readonly Issue[] {
  const check = new Check(follow)
  if (profile) check.object(resource, profile.root, at, { profile, container: resource })
  check.base(resource, String(resource.resourceType), at, resource)
  return check.issues
}

/** Where a rule is looked at: whose it is, and the resource whose `contained` local references mean. */
interface Scope {
  readonly profile: Profile
  readonly container: Fields
}

class Check {
  readonly issues: Issue[] = []
  readonly #follow: (reference: string) => Resource | undefined

  constructor(follow: (reference: string) => Resource | undefined) {
    this.#follow = follow
  }

  #report(rule: string, location: string, detail: string): void {
    if (this.issues.length < most) this.issues.push({ code: 'profile-violation', rule, location, detail })
  }

  // --- FHIR R4 itself ----------------------------------------------------------------------------------------------

  /** Codes of required bindings, what references lead to, and every extension against its definition. */
  base(value: Fields, type: string, at: string, container: Fields): void {
    const elements = elementsOf(type)
    const rows = baseRows(type)
    if (elements === undefined) return
    for (const key in value) {
      const sibling = key.startsWith('_')
      const element = elements.get(sibling ? key.slice(1) : key)
      const row = element && rows?.get(element.name)
      // Most elements are text of which nothing more is required
      if (element === undefined || (element.primitive && !sibling && row === undefined)) continue
      const child = value[key]
      const path = `${at}.${element.name}`
      if (!Array.isArray(child)) this.#baseValue(child, element, row, path, container, sibling)
      else
        for (const [index, item] of child.entries())
          this.#baseValue(item, element, row, `${path}[${index}]`, container, sibling)
    }
  }

  #baseValue(
    item: unknown,
    element: Element,
    row: BaseRow | undefined,
    at: string,
    container: Fields,
    sibling: boolean,
  ): void {
    if (sibling) {
      if (isObject(item)) this.base(item, 'Element', at, container)
      return
    }
    if (row?.codes && typeof item === 'string' && !row.codes.includes(item))
      this.#report('FHIR', at, `Send one of ${row.codes.join(', ')}.`)
    if (!isObject(item)) return
    if (row?.targets && element.type === 'Reference') this.#target(item, row.targets, 'FHIR', at, container)
    if (element.type === 'Extension') this.#extension(item, at, container)
    if (element.type !== 'Resource') this.base(item, element.type, at, container)
    // A contained resource refers to what stands beside it (FHIR R4 references.html#contained)
    else this.base(item, String(item.resourceType), at, element.name === 'contained' ? container : item)
  }

  /** Wherever it stands, an extension that is known here has the form of its definition. */
  #extension(extension: Fields, at: string, container: Fields): void {
    const profile = profileOf(String(extension.url))
    if (profile?.type === 'Extension') this.object(extension, profile.root, at, { profile, container })
  }

  #target(reference: Fields, targets: readonly string[], rule: string, at: string, container: Fields): void {
    const type = typeOfReference(reference, container, this.#follow)
    if (type !== undefined && !targets.includes(type))
      this.#report(rule, at, `Refer to ${targets.join(' or ')}, not to ${type}.`)
  }

  // --- Profiles ----------------------------------------------------------------------------------------------------

  object(value: Fields, node: Node, at: string, scope: Scope): void {
    for (const child of node.children.values()) {
      const found = child.name.endsWith('[x]') ? this.#choice(value, child, at, scope) : [child.name]
      const items = found.flatMap((key) => itemsOf(value, key, `${at}.${key}`))
      this.#count(items.length, child, `${at}.${child.name.replace('[x]', '')}`, scope)
      for (const { item, place } of items) this.#value(item, child, place, scope)
      if (child.slices.size > 0) this.#slices(items, child, `${at}.${child.name}`, scope)
    }
  }

  /** The elements present of a choice of types; one of a type that is not allowed is reported and left. */
  #choice(value: Fields, { id, name, types, advice, max }: Node, at: string, { profile }: Scope): readonly string[] {
    const stem = name.slice(0, -3)
    const present = Object.keys(value).filter((key) => key.startsWith(stem) && /^[A-Z]/.test(key.slice(stem.length)))
    if (types === undefined || max === 0) return present
    const allowed = types.map(({ code }) => `${stem}${code.charAt(0).toUpperCase()}${code.slice(1)}`)
    for (const key of present)
      if (!allowed.includes(key))
        this.#report(ruleOf(profile, id), `${at}.${key}`, advice ?? `Send ${allowed.join(' or ')} in its place.`)
    return present
  }

  #count(count: number, { id, min, max, advice }: Node, at: string, { profile }: Scope): void {
    const rule = ruleOf(profile, id)
    if (count < min)
      this.#report(rule, at, advice ?? (min === 1 ? 'Send it: it is required.' : `Send at least ${min}.`))
    else if (count > max) this.#report(rule, at, advice ?? (max === 0 ? 'Leave it out.' : `Send at most ${max}.`))
  }

  #value(item: unknown, node: Node, at: string, scope: Scope): void {
    const rule = ruleOf(scope.profile, node.id)
    if (node.pattern !== undefined && !matches(item, node.pattern))
      this.#report(rule, at, node.advice ?? `Send ${JSON.stringify(node.pattern)}.`)
    if (node.codes && typeof item === 'string' && !node.codes.has(item))
      this.#report(rule, at, node.advice ?? `Send one of ${[...node.codes].join(', ')}.`)
    if (!isObject(item)) return
    for (const type of node.types ?? []) this.#typed(item, type, rule, at, scope.container)
    this.object(item, node, at, scope)
  }

  #typed(item: Fields, { code, targets, profiles }: AllowedType, rule: string, at: string, container: Fields): void {
    if (code === 'Reference' && targets.length > 0) this.#target(item, targets, rule, at, container)
    // Extensions are held to their definitions wherever they stand
    for (const profile of profiles.map(profileOf))
      if (profile && profile.type === item.resourceType)
        this.object(item, profile.root, at, { profile, container: item })
  }

  #slices(items: readonly Item[], node: Node, at: string, scope: Scope): void {
    const counts = new Map<Node, number>()
    for (const { item, place } of items) {
      const slice = [...node.slices.values()].find((each) => isIn(item, each, node))
      if (slice) {
        counts.set(slice, (counts.get(slice) ?? 0) + 1)
        this.#value(item, slice, place, scope)
      } else if (node.slicing?.closed)
        this.#report(
          ruleOf(scope.profile, node.id),
          place,
          node.advice ?? 'Leave it out: the profile knows no such one.',
        )
    }
    for (const slice of node.slices.values()) this.#count(counts.get(slice) ?? 0, slice, at, scope)
  }
}

function ruleOf({ id }: Profile, element: string): string {
  return `${id}#${element}`
}

interface Item {
  readonly item: unknown
  readonly place: string
}

/** Values of an element; a primitive that has only an id or extensions counts as well. */
function itemsOf(value: Fields, key: string, at: string): readonly Item[] {
  const child = value[key] ?? value[`_${key}`]
  if (child === undefined) return []
  return Array.isArray(child)
    ? child.map((item, index) => ({ item, place: `${at}[${index}]` }))
    : [{ item: child, place: at }]
}

/** Whether a value belongs to a slice: the discriminators say which of its elements decide. */
function isIn(item: unknown, slice: Node, { slicing }: Node): boolean {
  // FHIR R4 profiling.html#discriminator: extensions are always sliced by url
  const by = slicing?.by ?? [{ type: 'value', path: 'url' }]
  return by.every(({ type, path }) => {
    if (!isObject(item)) return false
    const inner = item[path]
    const node = slice.children.get(path)
    if (type === 'type') {
      const allowed = node?.types?.map(({ code, profiles }) => profileOf(profiles[0] ?? '')?.type ?? code)
      return isObject(inner) && (allowed?.includes(String(inner.resourceType)) ?? false)
    }
    const wanted = node?.pattern ?? profileOf(slice.types?.[0]?.profiles[0] ?? '')?.url
    return wanted !== undefined && matches(inner, wanted)
  })
}
