/**
 * HL7 v2 text in FHIR. Components of the model keep their escapes as received; FHIR elements show plain text. Where the
 * FHIR elements alone would not read back as exactly the same HL7 value, the value itself goes along in an extension,
 * and only then.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Extension } from '@medplum/fhirtypes'
import { extensionOf, type Problems } from './reading.ts'
import { ext } from './terms.ts'

const escapes: Readonly<Record<string, string>> = { '|': 'F', '^': 'S', '&': 'T', '~': 'R', '\\': 'E' }
const characters: Readonly<Record<string, string>> = { F: '|', S: '^', T: '&', R: '~', E: '\\' }

/** A component as a person reads it (HL7 v2.5.1 2.7: `\S\` is `^`). */
export function plain(component: string): string
export function plain(component: string | undefined): string | undefined
export function plain(component: string | undefined): string | undefined {
  if (component === undefined || !component.includes('\\')) return component
  return component.replace(/\\([FSTRE])\\/g, (_, letter: string) => characters[letter] ?? '')
}

/** Text as a component: no delimiter in it can move what follows into another component. */
export function escaped(text: string): string
export function escaped(text: string | undefined): string | undefined
export function escaped(text: string | undefined): string | undefined {
  return text?.replace(/[|^&~\\]/g, (character) => `\\${escapes[character]}\\`)
}

/** How one HL7 type is written as a FHIR element or resource, read back, and put in characters. */
export interface Form<V, E extends object> {
  readonly write: (value: V) => E
  readonly read: (element: E) => V | undefined
  readonly format: (value: V) => string
  readonly parse: (text: string) => V
}

/** The FHIR element, with the HL7 value beside it where the element does not say all. */
export function writeExact<V, E extends { extension?: Extension[] }>(form: Form<V, E>, value: V): E {
  const element = form.write(value)
  const text = form.format(value)
  const back = form.read(element)
  if (back !== undefined && form.format(back) === text) return element
  return { ...element, extension: [...(element.extension ?? []), { url: ext.hl7v2, valueString: text }] }
}

/** The HL7 value of an element: that of its extension, which must agree with the element, else what the element says. */
export function readExact<V, E extends { extension?: Extension[] }>(
  form: Form<V, E>,
  element: E,
  location: string,
  problems: Problems,
): V | undefined {
  const text = extensionOf(element, ext.hl7v2)?.valueString
  if (text === undefined) return form.read(element)
  const value = form.parse(text)
  if (agrees(element, form.write(value))) return value
  return problems.error(
    location,
    `The extension ${ext.hl7v2} says something else than the elements beside it: leave it out, or make them agree.`,
  )
}

/** Elements that a form may write: the others of a resource (id, telecom, owner …) say something else. */
const said = [
  ...['system', 'value', 'type', 'use', 'coding', 'text', 'identifier', 'name', 'deviceName', 'modelNumber'],
  ...['gender', 'birthDate', 'address', 'resourceType'],
]

/** Whether an element says what another one says, no less and no more. */
export function agrees(element: object, expected: object): boolean {
  return said.every((key) => isDeepStrictEqual(Reflect.get(element, key), Reflect.get(expected, key)))
}
