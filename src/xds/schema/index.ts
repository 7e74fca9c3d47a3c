/**
 * The XML Schema of the requests, in our own words: the structure of ebRIM 3.0, ebRS 3.0 and ITI TF-2 as XDS.b uses it.
 * A request that breaks it is answered like one that breaks a rule, object by object, never by a fault.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Issue } from '../../errors.ts'
import { loadSchema } from '../../xml/schema.ts'
import { serialize } from '../../xml/serialize.ts'
import { attribute, type XmlElement } from '../../xml/tree.ts'

/** `metadata.xsd`: violations refuse the request, are told as warnings, or are not looked for. */
export type SchemaMode = 'strict' | 'warn' | 'off'

/** The files of the schema by name: what the validator compiles and `?wsdl` serves. */
export const schemaFiles: Readonly<Record<string, Buffer>> = Object.fromEntries(
  readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.xsd'))
    .map((name) => [name, readFileSync(new URL(name, import.meta.url))]),
)

/** Violations of one request that are told; the first say enough. */
const mostViolations = 50

/** What a body breaks; libxml2 needs a millisecond to compile the schema, so that it is done once. */
export function createSchemaCheck(): (body: XmlElement) => readonly Issue[] {
  const schema = loadSchema(schemaFiles, 'messages.xsd')
  return (body) => {
    const { xml, elementAt } = serialize(body)
    return schema
      .validate(xml)
      .slice(0, mostViolations)
      .map((violation) => {
        const [, line = '', message = violation] = /^line (\d+): (.*)$/s.exec(violation) ?? []
        const element = elementAt(Number(line))
        return {
          code: 'XDSRegistryMetadataError',
          rule: 'XSD',
          location: locationOf(body, element),
          detail: readable(message),
        }
      })
  }
}

/** The object of the request that holds the element, and the element; of the request itself only its name. */
function locationOf(body: XmlElement, element: XmlElement | undefined): string {
  if (element === undefined || element === body) return body.local
  const holds = (from: XmlElement): boolean => from === element || from.children.some(holds)
  const seek = (from: XmlElement): string | undefined => {
    const next = from.children.find(holds)
    return next && (attribute(next, 'id') ?? seek(next))
  }
  const part = body.children.find(holds)
  return `${(seek(body) ?? part?.local ?? body.local).slice(0, 80)}/${element.local}`
}

/**
 * What the door found itself, and of what the schema found that which is about something else: a missing id, say, is
 * told once, in the words that also say what to send.
 */
export function withSchemaIssues(found: readonly Issue[], schemaIssues: readonly Issue[]): readonly Issue[] {
  if (found.length === 0 || schemaIssues.length === 0) return [...found, ...schemaIssues]
  const objectOf = ({ location = '' }: Issue) => (location.split('/')[0] ?? '').replace(/\[\d+\]$/, '')
  const told = new Set(found.map(objectOf))
  return [...found, ...schemaIssues.filter((issue) => issue.location?.includes('/') && !told.has(objectOf(issue)))]
}

/** `Element '{urn:…}Slot': …` without the namespaces, and short: values of the message stay out of the answer. */
function readable(message: string): string {
  return message
    .replace(/\{[^}]*\}/g, '')
    .replace(/(?:[Tt]he value )?'[^']*' (?=is not (?:a valid value|an element of the set)|has a length)/g, 'the value ')
    .replace(/^\[facet '[^']*'\] ?/, '')
    .trim()
    .slice(0, 300)
}
