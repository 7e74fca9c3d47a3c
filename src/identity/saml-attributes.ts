/** Attributes of an assertion, read from the verified tree only: strings and coded values, and their cardinalities. */
import type { Code } from '../metadata/model.ts'
import { attribute, children, type XmlElement } from '../xml/tree.ts'
import { invalid } from './refusal.ts'

export const samlNamespace = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const hl7Namespace = 'urn:hl7-org:v3'

export interface Attributes {
  /** The one string value, trimmed; undefined when the attribute is absent or empty. */
  text(name: string, max?: number): string | undefined
  /** String values, trimmed, without the empty ones. */
  texts(name: string, max?: number): readonly string[]
  required(name: string): string
  /** Coded values, [] when the attribute is absent. */
  coded(name: string, element: string | undefined, max: number): readonly Code[]
}

/**
 * @param known names that may be given once only; others are not read
 * @throws GatewayError identity-invalid, naming the attribute, here and when a value is read
 */
export function attributesOf(assertion: XmlElement, known: ReadonlySet<string>): Attributes {
  const byName = new Map<string, XmlElement>()
  for (const statement of children(assertion, samlNamespace, 'AttributeStatement'))
    for (const element of children(statement, samlNamespace, 'Attribute')) {
      const name = attribute(element, 'Name') ?? ''
      if (byName.has(name) && known.has(name)) throw invalid(`${name} is given twice.`)
      byName.set(name, element)
    }
  const values = (name: string): readonly XmlElement[] => {
    const element = byName.get(name)
    return element === undefined ? [] : children(element, samlNamespace, 'AttributeValue')
  }
  const texts = (name: string, max = 256): readonly string[] => {
    const found = values(name)
    if (found.length > 100) throw invalid(`${name}: at most 100 values are expected.`)
    return found.map((value) => textOf(value, name, max)).filter((text) => text !== '')
  }
  const text = (name: string, max?: number): string | undefined => {
    if (values(name).length > 1) throw invalid(`${name}: one string value is expected.`)
    return texts(name, max)[0]
  }
  return {
    text,
    texts,
    required(name) {
      const value = text(name)
      if (value === undefined) throw invalid(`${name} is missing.`)
      return value
    },
    coded(name, element, max) {
      const found = values(name)
      if (found.length > max) throw invalid(`${name}: at most ${max} value${max === 1 ? '' : 's'} expected.`)
      return found.map((value) => codeOf(value, name, element))
    },
  }
}

function textOf(value: XmlElement, name: string, max: number): string {
  const read = value.text.trim().replace(/[ \t\r\n]+/g, ' ')
  if (value.children.length > 0) throw invalid(`${name}: one string value is expected.`)
  if (read.length > max) throw invalid(`${name} is longer than ${max} characters.`)
  if (/\p{Cc}/u.test(read)) throw invalid(`${name} holds control characters.`)
  return read
}

/** `<Role xmlns="urn:hl7-org:v3" xsi:type="CE" code codeSystem displayName/>`. */
function codeOf(value: XmlElement, name: string, local: string | undefined): Code {
  const [element, ...more] = value.children
  if (
    element === undefined ||
    more.length > 0 ||
    element.ns !== hl7Namespace ||
    (local !== undefined && element.local !== local)
  )
    throw invalid(`${name}: one ${local ?? 'coded'} element of ${hl7Namespace} is expected in each value.`)
  const code = attribute(element, 'code')?.trim() ?? ''
  const system = attribute(element, 'codeSystem')?.trim() ?? ''
  if (code === '' || system === '' || code.length > 64 || system.length > 128)
    throw invalid(`${name}: code and codeSystem are expected.`)
  const display = attribute(element, 'displayName')?.slice(0, 256)
  return { code, system, ...(display === undefined ? {} : { display }) }
}
