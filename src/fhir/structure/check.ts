/**
 * The base structure of a FHIR R4 resource: known elements, single or repeating as defined, of the right JSON type and
 * lexical form, required ones present. After it a resource can be read as its type says; the profiles' own rules come later.
 */
import type { Issue } from '../../errors.ts'
import { isoToDtm } from '../../metadata/dtm.ts'
import { type Element, elementsOf, isResourceType } from './elements.ts'

/** More are not reported: the message is hopeless. */
const most = 100

/** Every structural violation, each with its FHIRPath location; empty when the structure is sound. */
export function checkStructure(resource: unknown): Issue[] {
  const issues: Issue[] = []
  checkResource(resource, undefined, (location, detail, code = 'malformed') => {
    if (issues.length < most) issues.push({ code, location, detail })
  })
  return issues
}

type Report = (location: string, detail: string, code?: Issue['code']) => void

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkResource(value: unknown, at: string | undefined, report: Report): void {
  const type = isObject(value) ? value.resourceType : undefined
  if (!isObject(value) || typeof type !== 'string')
    report(at ?? 'Resource', 'must be a resource: an object with its resourceType.')
  else if (!isResourceType(type))
    report(at ?? 'Resource', 'is of a type that is not read here: send what GET /fhir/metadata lists.', 'media-type')
  // A FHIR document inside a transaction is answered as such (FHIRDocumentNotSupported), not taken to pieces.
  else if (type !== 'Bundle' || at === undefined) checkObject(value, type, at ?? type, report)
}

function checkObject(value: Record<string, unknown>, type: string, at: string, report: Report): void {
  const elements = elementsOf(type)
  if (elements === undefined) return
  for (const [key, child] of Object.entries(value)) {
    if (key === 'resourceType' && elements.has('implicitRules')) continue
    const sibling = key.startsWith('_')
    const element = elements.get(sibling ? key.slice(1) : key)
    if (element === undefined || (sibling && !element.primitive)) report(at, `has no element ${shown(key)}.`)
    else if (sibling) checkSibling(child, element, `${at}.${element.name}`, report)
    else checkElement(child, element, `${at}.${element.name}`, report)
  }
  for (const element of elements.values())
    if (element.min > 0 && value[element.name] === undefined && value[`_${element.name}`] === undefined)
      if (!element.name.startsWith('value')) report(`${at}.${element.name}`, 'is required.', 'profile-violation')
}

function checkElement(value: unknown, element: Element, at: string, report: Report): void {
  if (!element.repeats) checkOne(value, element, at, report)
  else if (!Array.isArray(value) || value.length === 0) report(at, 'repeats: send an array with at least one item.')
  else
    for (const [index, item] of value.entries()) {
      // FHIR R4 json.html: null keeps the place of an item that has only an id or extensions
      if (item !== null || !element.primitive) checkOne(item, element, `${at}[${index}]`, report)
    }
}

function checkOne(value: unknown, element: Element, at: string, report: Report): void {
  if (element.primitive) {
    const wanted = primitives[element.type]
    if (wanted !== undefined && !wanted.test(value)) report(at, wanted.wanted)
  } else if (element.type === 'Resource') checkResource(value, at, report)
  else if (!isObject(value) || Object.keys(value).length === 0) report(at, 'must be an object that is not empty.')
  else checkObject(value, element.type, at, report)
}

/** `_birthDate`: the id and extensions of a primitive value. */
function checkSibling(value: unknown, element: Element, at: string, report: Report): void {
  const items = element.repeats && Array.isArray(value) ? value : [value]
  for (const item of items) {
    if (item === null && element.repeats) continue
    if (isObject(item)) checkObject(item, 'Element', at, report)
    else report(at, 'must be an object with id or extension.')
  }
}

interface Primitive {
  readonly wanted: string
  test(value: unknown): boolean
}

/** FHIR R4 datatypes.html#string: no control characters; and nothing that XML could not carry. */
const characters = /^[\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]+$/u

function text(pattern: RegExp, wanted: string): Primitive {
  return { wanted, test: (value) => typeof value === 'string' && pattern.test(value) && characters.test(value) }
}

function number(test: (value: number) => boolean, wanted: string): Primitive {
  return { wanted, test: (value) => typeof value === 'number' && test(value) }
}

function time(pattern: RegExp, wanted: string): Primitive {
  return {
    wanted,
    test(value) {
      if (typeof value !== 'string' || !pattern.test(value)) return false
      try {
        isoToDtm(value)
        return true
      } catch {
        return false
      }
    },
  }
}

const string = text(/\S/, 'must be a string that is not empty, without control characters.')
const uri = text(/^\S+$/, 'must be a URI without spaces.')
const int = (from: number) =>
  number((value) => Number.isInteger(value) && value >= from && value < 2 ** 31, `must be a whole number from ${from}.`)

/** FHIR R4 datatypes.html#primitive. */
const primitives: Readonly<Record<string, Primitive>> = {
  string,
  markdown: string,
  xhtml: string,
  uri,
  url: uri,
  canonical: uri,
  oid: uri,
  uuid: uri,
  code: text(/^\S+( \S+)*$/, 'must be a code: no spaces around, no double spaces.'),
  id: text(/^[A-Za-z0-9.-]{1,64}$/, 'must be an id: 1 to 64 letters, digits, - and dots.'),
  // The decoder that moved a document to the spool was stricter; this is for hashes and the like.
  base64Binary: text(/^[A-Za-z0-9+/=\s]+$/, 'must be base64.'),
  boolean: { wanted: 'must be true or false, without quotes.', test: (value) => typeof value === 'boolean' },
  decimal: number(Number.isFinite, 'must be a number.'),
  integer: int(-(2 ** 31)),
  unsignedInt: int(0),
  positiveInt: int(1),
  instant: time(/T\d{2}:\d{2}:\d{2}/, 'must be an instant that exists: 2026-06-12T10:00:00+02:00.'),
  dateTime: time(
    /^[\d-]+(T\d{2}:\d{2}:\d{2}.*)?$/,
    'must be a date or time that exists, with a time zone after a time.',
  ),
  date: time(/^[\d-]+$/, 'must be a date that exists: YYYY, YYYY-MM or YYYY-MM-DD.'),
  time: text(/^\d{2}:\d{2}:\d{2}(\.\d+)?$/, 'must be a time: hh:mm:ss.'),
}

/** A name sent by the caller, safe to show back. */
function shown(name: string): string {
  return /^\w{1,40}$/.test(name) ? name : 'with this name'
}
