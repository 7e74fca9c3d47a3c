/**
 * What FHIR R4 itself requires beyond the shape of a resource: codes of required bindings, and what references may lead
 * to. Derived from the HL7 definitions by test/fhir/profiles/derive.ts, for the types that structure/ knows.
 */
import { readFileSync } from 'node:fs'

export interface BaseRow {
  /** Codes of a required binding. */
  readonly codes?: readonly string[]
  /** Types of resource a Reference may lead to. */
  readonly targets?: readonly string[]
}

/** By type and element: `DocumentReference.relatesTo.code`. */
export type BaseTable = Readonly<Record<string, BaseRow>>

const table: BaseTable = JSON.parse(readFileSync(new URL('./base.json', import.meta.url), 'utf8'))
const rows = new Map<string, Map<string, BaseRow>>()
for (const [path, row] of Object.entries(table)) {
  const [, owner = '', element = ''] = /^(.*)\.([^.]+)$/.exec(path) ?? []
  const ofOwner = rows.get(owner) ?? new Map<string, BaseRow>()
  rows.set(owner, ofOwner.set(element, row))
}

/** Requirements on the elements of a type, by element; undefined when there are none. */
export function baseRows(type: string): ReadonlyMap<string, BaseRow> | undefined {
  return rows.get(type)
}
