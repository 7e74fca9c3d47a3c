/**
 * FHIR XML (FHIR R4 xml.html) as the same resource in its JSON form. Only what has no place in the JSON form is judged
 * here; the result goes through checkStructure like JSON, with the same words.
 */
import type { Issue } from '../../errors.ts'
import type { XmlElement } from '../../xml/tree.ts'
import { type Element, elementsOf, isResourceType } from './elements.ts'
import { isAttribute } from './xml-writer.ts'

const fhir = 'http://hl7.org/fhir'
const xhtml = 'http://www.w3.org/1999/xhtml'

/** More are not reported: the message is hopeless. */
const most = 100

export interface XmlReading {
  /** Absent when the root is no resource that is read here. */
  readonly resource: unknown
  readonly issues: readonly Issue[]
}

/** @param cut what stands behind a placeholder of the base64 cutter */
export function resourceFromXml(root: XmlElement, cut: (text: string) => string | undefined): XmlReading {
  const reader = new Reader(cut)
  const resource = reader.resource(root, root.local)
  return { resource, issues: reader.issues }
}

class Reader {
  readonly issues: Issue[] = []
  readonly #cut: (text: string) => string | undefined

  constructor(cut: (text: string) => string | undefined) {
    this.#cut = cut
  }

  resource(element: XmlElement, at: string): unknown {
    if (element.ns !== fhir || !isResourceType(element.local)) {
      this.#report(at, `is no resource that is read here: send one in the namespace ${fhir}.`, 'media-type')
      return undefined
    }
    // As in JSON: a FHIR document inside a transaction is not taken to pieces
    if (element.local === 'Bundle' && at !== 'Bundle') return { resourceType: 'Bundle' }
    this.#attributes(element, [], at)
    return { resourceType: element.local, ...this.#content(element, element.local, at) }
  }

  #content(parent: XmlElement, type: string, at: string): Record<string, unknown> {
    const elements = elementsOf(type) ?? new Map<string, Element>()
    const result: Record<string, unknown> = {}
    if (parent.text.trim() !== '') this.#report(at, 'holds text outside a value attribute.')
    for (const child of parent.children) {
      const element = elements.get(child.local)
      const sound = element?.type === 'xhtml' ? child.ns === xhtml : child.ns === fhir
      if (element === undefined || !sound || isAttribute(element, type))
        this.#report(at, `has no element ${/^\w{1,40}$/.test(child.local) ? child.local : 'with this name'}.`)
      else this.#add(result, element, child, `${at}.${element.name}`)
    }
    return result
  }

  #add(result: Record<string, unknown>, element: Element, child: XmlElement, at: string): void {
    const { name, primitive, type } = element
    if (!primitive) {
      append(result, name, element, this.#complex(child, type, at))
      return
    }
    const { value, sibling } = this.#primitive(child, type, at)
    if (!element.repeats) {
      append(result, name, element, value)
      append(result, `_${name}`, element, sibling)
      return
    }
    // Both lists keep their places with null (FHIR R4 json.html#primitive)
    const values = listOf(result, name)
    const siblings = listOf(result, `_${name}`)
    while (sibling !== undefined && siblings.length < values.length) siblings.push(null)
    values.push(value ?? null)
    if (sibling !== undefined) siblings.push(sibling)
    if (siblings.length === 0) delete result[`_${name}`]
  }

  #complex(child: XmlElement, type: string, at: string): unknown {
    if (type === 'Resource') {
      const [only, ...others] = child.children
      if (only === undefined || others.length > 0) this.#report(at, 'must hold exactly one resource.')
      return only && this.resource(only, at)
    }
    this.#attributes(child, type === 'Extension' ? ['id', 'url'] : ['id'], at)
    return { ...attributesOf(child), ...this.#content(child, type, at) }
  }

  #primitive(child: XmlElement, type: string, at: string): { value?: unknown; sibling?: unknown } {
    // Narratives are not kept: what a source wrote in them is neither read nor served
    if (type === 'xhtml') return { value: `<div xmlns="${xhtml}"/>` }
    this.#attributes(child, ['id', 'value'], at)
    const inner = { ...attributesOf(child, 'id'), ...this.#content(child, 'Element', at) }
    const text = child.attributes.find(({ local, ns }) => local === 'value' && ns === '')?.value
    return {
      ...(text === undefined ? {} : { value: type === 'base64Binary' ? (this.#cut(text) ?? text) : typed(text, type) }),
      ...(Object.keys(inner).length === 0 ? {} : { sibling: inner }),
    }
  }

  /** Namespace declarations are not among the attributes of the tree; xsi:schemaLocation is harmless. */
  #attributes({ attributes }: XmlElement, known: readonly string[], at: string): void {
    for (const { local, ns } of attributes)
      if (ns === '' && !known.includes(local)) this.#report(at, 'has an attribute that FHIR does not know.')
  }

  #report(location: string, detail: string, code: Issue['code'] = 'malformed'): void {
    if (this.issues.length < most) this.issues.push({ code, location, detail })
  }
}

function attributesOf({ attributes }: XmlElement, ...only: string[]): Record<string, string> {
  const result: Record<string, string> = {}
  for (const { local, ns, value } of attributes)
    if (ns === '' && (only.length === 0 || only.includes(local))) result[local] = value
  return result
}

/** A second single element makes a list, which the check of the structure refuses. */
function append(result: Record<string, unknown>, name: string, { repeats }: Element, value: unknown): void {
  if (value === undefined) return
  if (repeats) listOf(result, name).push(value)
  else if (name in result) result[name] = [result[name], value]
  else result[name] = value
}

function listOf(result: Record<string, unknown>, name: string): unknown[] {
  const list = result[name]
  if (Array.isArray(list)) return list
  const made: unknown[] = []
  result[name] = made
  return made
}

/** A lexical value as JSON has it; what does not fit stays text, for the check of the structure to refuse. */
function typed(text: string, type: string): unknown {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (/^(decimal|integer|unsignedInt|positiveInt)$/.test(type))
    return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : text
  return text
}
