/** Values against patterns (FHIR R4 elementdefinition.html#pattern), and the types of what references lead to. */
import { isDeepStrictEqual } from 'node:util'
import type { Resource } from '@medplum/fhirtypes'
import { isObject } from '../structure/check.ts'

/** A value contains a pattern: the same primitive, every element of an object, some item for each of a list. */
export function matches(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern))
    return Array.isArray(value) && pattern.every((each) => value.some((item) => matches(item, each)))
  if (isObject(pattern))
    return isObject(value) && Object.entries(pattern).every(([key, each]) => matches(value[key], each))
  return isDeepStrictEqual(value, pattern)
}

type Fields = Readonly<Record<string, unknown>>

/** The type of resource a Reference leads to, as far as the message tells. */
export function typeOfReference(
  { reference, type }: Fields,
  container: Fields,
  follow: (reference: string) => Resource | undefined,
): string | undefined {
  if (typeof reference !== 'string') return typeof type === 'string' ? type : undefined
  if (reference.startsWith('#')) {
    const contained = Array.isArray(container.contained) ? container.contained : []
    const found = contained.find((each) => isObject(each) && each.id === reference.slice(1))
    return isObject(found) ? String(found.resourceType) : undefined
  }
  const inside = follow(reference)
  if (inside) return inside.resourceType
  const [, named] =
    /(?:^|\/)([A-Z][A-Za-z]+)(?:\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$|\?)/.exec(reference) ?? []
  return named ?? (typeof type === 'string' ? type : undefined)
}
