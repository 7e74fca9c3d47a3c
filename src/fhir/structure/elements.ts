/**
 * The shape of FHIR R4: which elements each type of resource or datatype has, in order, of what type and how often.
 * Derived from the HL7 definitions by test/fhir/structure/derive.ts; the JSON check and the XML form both read it.
 */
import { readFileSync } from 'node:fs'

/** Type, minimum, and 1 for a single element or 0 for a repeating one. */
export type ElementRow = readonly [type: string, min: number, max: 0 | 1]
/** By type name (`Bundle`, `Bundle.entry`, `Coding`), then by element name, in the order of the definition. */
export type ElementTable = Readonly<Record<string, Readonly<Record<string, ElementRow>>>>

export interface Element {
  readonly name: string
  readonly type: string
  readonly min: number
  readonly repeats: boolean
  /** A string, boolean or number in JSON; an element with `value` in XML. */
  readonly primitive: boolean
}

const table: ElementTable = JSON.parse(readFileSync(new URL('./elements.json', import.meta.url), 'utf8'))

const types: ReadonlyMap<string, ReadonlyMap<string, Element>> = new Map(
  Object.entries(table).map(([name, rows]) => [
    name,
    new Map(
      Object.entries(rows).map(([element, [type, min, max]]) => [
        element,
        { name: element, type, min, repeats: max === 0, primitive: isPrimitive(type) },
      ]),
    ),
  ]),
)

/** The elements of a type; undefined when the door does not know it. */
export function elementsOf(type: string): ReadonlyMap<string, Element> | undefined {
  return types.get(type)
}

/** Whether this is a type of resource the door can read and write. */
export function isResourceType(name: string): boolean {
  return /^[A-Z]/.test(name) && types.get(name)?.has('implicitRules') === true
}

/** FHIR names primitive types in lower case; `xhtml` is one to JSON. */
function isPrimitive(type: string): boolean {
  return /^[a-z]/.test(type)
}
