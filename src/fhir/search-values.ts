/** The grammar of FHIR search values (FHIR R4 search.html): lists, escapes, tokens, dates, strings. */
import { GatewayError } from '../errors.ts'
import { isoToDtm, lowerBound, upperBound } from '../metadata/dtm.ts'
import type { Dtm } from '../metadata/identifiers.ts'

/** One occurrence of a parameter: `name:modifier=value,value`; the values are alternatives, occurrences all hold. */
export interface Parameter {
  readonly name: string
  readonly modifier: string | undefined
  /** As sent, still escaped; for a list of alternatives. */
  readonly raw: string
}

export function parseParameter([key, raw]: readonly [string, string]): Parameter {
  const colon = key.indexOf(':')
  return colon < 0
    ? { name: key, modifier: undefined, raw }
    : { name: key.slice(0, colon), modifier: key.slice(colon + 1), raw }
}

const mostAlternatives = 1000

/** The alternatives of a value, still escaped; an empty one is refused (an empty filter must not become no filter). */
export function alternatives({ name, raw }: Parameter): readonly string[] {
  const values = split(raw, ',')
  if (values.length > mostAlternatives)
    throw invalid(name, `has more than ${mostAlternatives} values: send several searches.`)
  if (values.some((value) => value === '')) throw invalid(name, 'has an empty value: send a value or leave it out.')
  return values
}

export interface Token {
  /** Absent: any system. Empty: `|code`, a code without system. */
  readonly system?: string
  /** Absent: `system|`, any code of the system. */
  readonly code?: string
}

export function parseToken(value: string): Token {
  const parts = split(value, '|').map(unescapeValue)
  const [first = '', second] = parts
  if (second === undefined) return { code: first }
  return { system: first, ...(parts.slice(1).join('|') === '' ? {} : { code: parts.slice(1).join('|') }) }
}

export type DatePrefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb'

/** A date value: the period it names, from the first second to the first second after it. */
export interface DateValue {
  readonly prefix: DatePrefix
  readonly from: Dtm
  readonly to: Dtm
}

/** Throws GatewayError `invalid-parameter`. `ap` is refused: nothing says how near is near. */
export function parseDate(name: string, value: string): DateValue {
  const [, prefix = 'eq', date = ''] = /^([a-z]{2})?(.*)$/s.exec(unescapeValue(value)) ?? []
  if (!isPrefix(prefix))
    throw invalid(name, 'has a prefix that is not supported: send eq, ne, gt, lt, ge, le, sa or eb.')
  try {
    // A plus that was not percent-encoded has become a space
    const dtm = isoToDtm(date.replace(' ', '+'))
    return { prefix, from: lowerBound(dtm), to: upperBound(dtm) }
  } catch {
    throw invalid(name, 'is no date: send YYYY, YYYY-MM, YYYY-MM-DD or a time with its zone, 2026-06-12T10:00:00Z.')
  }
}

function isPrefix(text: string): text is DatePrefix {
  return ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'].includes(text)
}

/** What a resource has: a period of the same kind. */
export interface DateRange {
  readonly from: string
  readonly to: string
}

/** An instant with its zone, as ISO 8601 in UTC; a `+` that a client left unescaped is understood. */
export function parseInstant(name: string, value: string): string {
  const text = value.replace(' ', '+')
  const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(time)) throw invalid(name, 'must be there once, an instant with its zone: 2026-06-12T10:00:00Z.')
  return new Date(time).toISOString()
}

/**
 * FHIR R4 search.html#prefix for a date: `eq` contains, `gt`/`lt` reach beyond, `sa`/`eb` lie beyond.
 * @param overlap MHD's `period` (ITI TF-2 3.67.4.1.2.1): a time of service that the value overlaps, not contains.
 */
export function dateMatches({ prefix, from, to }: DateValue, found: DateRange, overlap = false): boolean {
  const equal = overlap ? found.from < to && found.to > from : from <= found.from && found.to <= to
  switch (prefix) {
    case 'eq':
      return equal
    case 'ne':
      return !equal
    case 'gt':
      return found.to > to
    case 'lt':
      return found.from < from
    case 'ge':
      return found.to > to || equal || (overlap && found.to > from)
    case 'le':
      return found.from < from || equal || (overlap && found.from < to)
    case 'sa':
      return found.from >= to
    case 'eb':
      return found.to <= from
  }
}

const marks = /\p{Mn}/gu

/** FHIR R4 search.html#string: case and combining characters do not count. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(marks, '').toLowerCase()
}

/** A test of strings: starts with, or by modifier exactly or anywhere. */
export function stringTest(parameter: Parameter): (text: string) => boolean {
  const wanted = alternatives(parameter).map(unescapeValue)
  switch (parameter.modifier) {
    case undefined:
      return anyOf(wanted.map(fold), (text, value) => fold(text).startsWith(value))
    case 'contains':
      return anyOf(wanted.map(fold), (text, value) => fold(text).includes(value))
    case 'exact':
      return anyOf(wanted, (text, value) => text === value)
    default:
      throw unknownModifier(parameter)
  }
}

function anyOf(wanted: readonly string[], test: (text: string, value: string) => boolean): (text: string) => boolean {
  return (text) => wanted.some((value) => test(text, value))
}

/** FHIR R4 search.html#modifiers: a server rejects a modifier it does not support. */
export function refuseModifier(parameter: Parameter): void {
  if (parameter.modifier !== undefined) throw unknownModifier(parameter)
}

function unknownModifier({ name }: Parameter): GatewayError {
  return invalid(name, 'has a modifier that is not supported: send it without.')
}

export function invalid(name: string, what: string): GatewayError {
  return new GatewayError('invalid-parameter', { detail: `${shown(name)} ${what}` })
}

/** A parameter name sent by the caller, safe to show back. */
export function shown(name: string): string {
  return /^[\w.:-]{1,60}$/.test(name) ? name : 'A parameter'
}

/** Splits at a separator that no backslash escapes; the escapes stay. */
function split(text: string, separator: string): string[] {
  const parts: string[] = []
  let part = ''
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\' && at + 1 < text.length) part += character + text.charAt(++at)
    else if (character === separator) {
      parts.push(part)
      part = ''
    } else part += character
  }
  return [...parts, part]
}

/** FHIR R4 search.html#escaping: `\,`, `\|`, `\$`, `\\`. */
export function unescapeValue(text: string): string {
  return text.replace(/\\([,|$\\])/g, '$1')
}
