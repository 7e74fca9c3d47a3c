/**
 * The compiled profiles of profiles/compiled as trees of rules, once, at load. Only what the definitions use is
 * understood, and whatever is not understood stops the start: cardinalities, choices of type, fixed values and patterns,
 * reference targets, profiles of resources, and slices by value (of an element of the slice) or by type of resource.
 * Required bindings to value sets of ours are kept too; those of the DMP are judged by the access rules (FE3).
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { ElementDefinition, StructureDefinition, ValueSet } from '@medplum/fhirtypes'

export interface AllowedType {
  /** `string`, `Reference`, `Patient`, … */
  readonly code: string
  /** Profiles of ours the value must follow, by their URL. */
  readonly profiles: readonly string[]
  /** Types of resource a Reference may lead to; empty for any. */
  readonly targets: readonly string[]
}

/** What one element of a profile must be. */
export interface Node {
  /** Id of the element in its definition: the rule id of its violations. */
  readonly id: string
  /** `extension`, `value[x]`. */
  readonly name: string
  min: number
  max: number
  types?: readonly AllowedType[]
  /** A value it must be, or for an object contain. */
  pattern?: unknown
  /** Codes of a required binding. */
  codes?: ReadonlySet<string>
  /** The sentence that says what to send. */
  advice?: string
  slicing?: { readonly by: readonly { readonly type: string; readonly path: string }[]; readonly closed: boolean }
  readonly slices: Map<string, Node>
  readonly children: Map<string, Node>
}

export interface Profile {
  readonly id: string
  readonly url: string
  /** DocumentReference, Extension, … */
  readonly type: string
  readonly root: Node
}

/** Keys of an ElementDefinition beside fixed values and patterns. */
const understood: ReadonlySet<string> = new Set([
  ...['id', 'path', 'sliceName', 'short', 'definition', 'requirements', 'min', 'max', 'type', 'binding', 'slicing'],
  'mustSupport',
])

const folder = new URL('../../../profiles/compiled/', import.meta.url)
const resources = readdirSync(folder).map((file): StructureDefinition | ValueSet | { resourceType: 'CodeSystem' } =>
  JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
)
const definitions = new Map<string, StructureDefinition>()
const valueSets = new Map<string, ReadonlySet<string>>()
for (const each of resources)
  if (each.resourceType === 'StructureDefinition') definitions.set(each.url ?? '', each)
  else if (each.resourceType === 'ValueSet') {
    const concepts = each.compose?.include?.flatMap(({ concept = [] }) => concept) ?? []
    valueSets.set(each.url ?? '', new Set(concepts.map(({ code }) => code ?? '')))
  }

const profiles = new Map<string, Profile>()
for (const url of definitions.keys()) compile(url)

/** A profile, or the definition of an extension, by its URL. */
export function profileOf(url: string): Profile | undefined {
  return profiles.get(url)
}

/** A profile of this gateway by its id. */
export function ownProfile(id: string): Profile {
  const found = profiles.get(`https://dmp-gateway.example.org/fhir/StructureDefinition/${id}`)
  if (found === undefined) throw new RangeError(`profiles/compiled has no ${id}`)
  return found
}

function compile(url: string): Profile | undefined {
  const done = profiles.get(url)
  const definition = definitions.get(url)
  if (done || definition === undefined) return done
  const type = definition.type ?? ''
  const parent = compile(definition.baseDefinition ?? '')
  const root = parent ? copy(parent.root) : newNode(type, type)
  for (const element of definition.differential?.element ?? []) apply(element, root, definition.id ?? '')
  const profile = { id: definition.id ?? '', url, type, root }
  profiles.set(url, profile)
  return profile
}

function newNode(name: string, id: string): Node {
  return { id, name, min: 0, max: Number.POSITIVE_INFINITY, slices: new Map(), children: new Map() }
}

function copy(node: Node): Node {
  const all = (nodes: ReadonlyMap<string, Node>) => new Map([...nodes].map(([key, each]) => [key, copy(each)]))
  return { ...node, slices: all(node.slices), children: all(node.children) }
}

/** `DocumentReference.extension:isArchived` and what its element says. */
function apply(element: ElementDefinition, root: Node, profile: string): void {
  const [, ...steps] = (element.id ?? '').split('.')
  let node = root
  let id = root.name
  for (const step of steps) {
    const [name = '', slice] = step.split(':')
    id = `${id}.${name}`
    node = under(node.children, name, name, id)
    if (slice === undefined) continue
    id = `${id}:${slice}`
    node = under(node.slices, slice, name, id)
  }
  Object.assign(node, said(element, `${profile} ${element.id}`))
}

function under(nodes: Map<string, Node>, key: string, name: string, id: string): Node {
  const found = nodes.get(key) ?? newNode(name, id)
  nodes.set(key, found)
  return found
}

function said(element: ElementDefinition, where: string): Partial<Node> {
  const node: Partial<Node> = {}
  for (const [key, value] of Object.entries(element)) {
    if (/^(fixed|pattern)[A-Z]/.test(key)) node.pattern = value
    else if (!understood.has(key)) throw new RangeError(`${where}: ${key} is not understood`)
  }
  const { min, max, requirements, type, binding, slicing } = element
  if (min !== undefined) node.min = min
  if (max !== undefined) node.max = max === '*' ? Number.POSITIVE_INFINITY : Number(max)
  if (requirements !== undefined) node.advice = requirements
  if (type !== undefined)
    node.types = type.map(({ code = '', profile = [], targetProfile = [] }) => ({
      code,
      profiles: profile,
      targets: targetProfile.map((url) => url.replace(/^.*\//, '')),
    }))
  if (binding?.strength === 'required') {
    const codes = valueSets.get(binding.valueSet ?? '')
    if (codes) node.codes = codes
  }
  if (slicing !== undefined)
    node.slicing = {
      by: (slicing.discriminator ?? []).map(({ type: by = '', path = '' }) => ({ type: by, path })),
      closed: slicing.rules === 'closed',
    }
  return node
}
