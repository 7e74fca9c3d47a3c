/**
 * The XML form of FHIR resources (FHIR R4 xml.html), from objects in the JSON form: elements in the order of the
 * definition, primitive values in `value` attributes. A narrative is written as it is: only this gateway's own, well-formed
 * ones come here, since metadata keep none of a source's.
 */
import { escapeAttribute } from '../../xml/writer.ts'
import { isObject } from './check.ts'
import { type Element, elementsOf } from './elements.ts'

const namespace = 'http://hl7.org/fhir'

/** One resource as an XML document without its declaration; `namespaced: false` for a resource inside another. */
export function resourceToXml(resource: { readonly resourceType: string }, namespaced = true): string {
  const body = content({ ...resource }, resource.resourceType)
  return `<${resource.resourceType}${namespaced ? ` xmlns="${namespace}"` : ''}>${body}</${resource.resourceType}>`
}

/** One element of a resource, with the type its definition gives it. */
export function elementToXml(name: string, value: object, type: string): string {
  return one({ name, type, min: 0, repeats: false, primitive: false }, value, undefined)
}

/** The children of an object of this type, in order. */
function content(value: Record<string, unknown>, type: string): string {
  let text = ''
  for (const element of (elementsOf(type) ?? new Map<string, Element>()).values()) {
    if (isAttribute(element, type)) continue
    const child = value[element.name]
    const sibling = value[`_${element.name}`]
    if (child === undefined && sibling === undefined) continue
    if (!element.repeats) text += one(element, child, sibling)
    else
      for (let index = 0; index < Math.max(lengthOf(child), lengthOf(sibling)); index++)
        text += one(element, itemOf(child, index), itemOf(sibling, index))
  }
  return text
}

function one(element: Element, value: unknown, sibling: unknown): string {
  const { name, type } = element
  if (type === 'xhtml') return typeof value === 'string' ? value : ''
  if (element.primitive) {
    const given = value === undefined || value === null ? '' : ` value="${escapeAttribute(String(value))}"`
    const inner = isObject(sibling) ? content(sibling, 'Element') : ''
    const id = isObject(sibling) ? attributes(sibling, 'Element') : ''
    return inner === '' ? `<${name}${id}${given}/>` : `<${name}${id}${given}>${inner}</${name}>`
  }
  if (!isObject(value)) return ''
  if (type === 'Resource') {
    const { resourceType } = value
    return typeof resourceType === 'string'
      ? `<${name}>${resourceToXml({ ...value, resourceType }, false)}</${name}>`
      : ''
  }
  return `<${name}${attributes(value, type)}>${content(value, type)}</${name}>`
}

/** `id` of everything but resources, and `url` of extensions, are attributes (FHIR R4 xml.html). */
export function isAttribute({ name }: Element, type: string): boolean {
  return (name === 'id' && !elementsOf(type)?.has('implicitRules')) || (name === 'url' && type === 'Extension')
}

function attributes(value: Record<string, unknown>, type: string): string {
  let text = ''
  if (typeof value.id === 'string') text += ` id="${escapeAttribute(value.id)}"`
  if (type === 'Extension' && typeof value.url === 'string') text += ` url="${escapeAttribute(value.url)}"`
  return text
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0
}

function itemOf(value: unknown, index: number): unknown {
  return Array.isArray(value) ? value[index] : undefined
}
