/**
 * The XML Schema of the requests, in our own words: the structure of ebRIM 3.0, ebRS 3.0 and ITI TF-2 as XDS.b uses it.
 * A request that breaks it is answered like one that breaks a rule, object by object, never by a fault.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Issue } from '../../errors.ts'
import { loadSchema, type XmlSchema } from '../../xml/schema.ts'
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

/** Elements validated in one pass. What libxml2 spends on a violation grows with what stands before it. */
const passSize = 1000

/** Elements of one object, or of a request that is no list of objects: far more than the standards can fill. */
const mostElements = 5000

/** What a body breaks; libxml2 needs a while to compile the schema, so that it is done once. */
export function createSchemaCheck(): (body: XmlElement) => readonly Issue[] {
  const schema = loadSchema(schemaFiles, 'messages.xsd')
  return (body) => {
    const issues: Issue[] = []
    for (const pass of passesOf(body)) {
      if (issues.length >= mostViolations) break
      if (sizeOf(pass) > mostElements + 1) issues.push(tooLarge(body, pass))
      else issues.push(...violationsIn(schema, body, pass))
    }
    return issues.slice(0, mostViolations)
  }
}

function violationsIn(schema: XmlSchema, body: XmlElement, pass: XmlElement): readonly Issue[] {
  const { xml, elementAt } = serialize(pass)
  return schema
    .validate(xml)
    .slice(0, mostViolations)
    .map((violation) => {
      const [, line = '', message = violation] = /^line (\d+): (.*)$/s.exec(violation) ?? []
      const location = locationOf(body, elementAt(Number(line)))
      return { code: 'XDSRegistryMetadataError', rule: 'XSD', location, detail: readable(message) }
    })
}

/** The body itself, or without the objects of its list, and then these, some at a time. */
function* passesOf(body: XmlElement): Generator<XmlElement> {
  const list = sizeOf(body) > passSize ? listIn(body) : undefined
  if (list === undefined) {
    yield body
    return
  }
  yield without(body, list)
  let children: XmlElement[] = []
  let size = 0
  for (const object of list.children) {
    const more = sizeOf(object)
    if (children.length > 0 && size + more > passSize) {
      yield { ...list, children }
      children = []
      size = 0
    }
    children.push(object)
    size += more
  }
  yield { ...list, children }
}

const lists = new Set(['RegistryObjectList', 'ObjectRefList'])

function listIn(element: XmlElement): XmlElement | undefined {
  const own = element.children.find(({ local }) => lists.has(local))
  return own ?? element.children.map(listIn).find((found) => found !== undefined)
}

function without(element: XmlElement, list: XmlElement): XmlElement {
  if (element === list) return { ...list, children: [] }
  return { ...element, children: element.children.map((each) => without(each, list)) }
}

function sizeOf({ children }: XmlElement): number {
  return children.reduce((size, each) => size + sizeOf(each), 1)
}

function tooLarge(body: XmlElement, pass: XmlElement): Issue {
  const [object] = pass.children
  const detail = `There are more than ${mostElements} elements in one object: send what the standards provide for.`
  return { code: 'over-limit', rule: 'XSD', location: locationOf(body, object), detail }
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
