/** What the caller accepts: the Accept header (RFC 9110 §12.5.1) and FHIR's `_format`, which overrides it. */
import { GatewayError } from '../errors.ts'

export interface MediaRange {
  /** `type/subtype`, lower case, without parameters. */
  readonly type: string
  readonly q: number
}

/** The ranges of an Accept header; absent or empty means any. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  const ranges = (header ?? '').split(',').flatMap((part): MediaRange[] => {
    const [type = '', ...parameters] = part.toLowerCase().split(';')
    const q = parameters.map((parameter) => /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/.exec(parameter)?.[1]).find(Boolean)
    return type.trim() === '' ? [] : [{ type: type.trim(), q: q === undefined ? 1 : Number(q) }]
  })
  return ranges.length > 0 ? ranges : [{ type: '*/*', q: 1 }]
}

/** The quality of one type: the most specific range that covers it decides; 0 when none does. */
export function quality(ranges: readonly MediaRange[], type: string): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`
  for (const wanted of [type, group, '*/*']) {
    const range = ranges.find((candidate) => candidate.type === wanted)
    if (range) return range.q
  }
  return 0
}

/** The two forms of a resource. */
export type Format = 'json' | 'xml'

export const mediaTypes: Readonly<Record<Format, string>> = {
  json: 'application/fhir+json',
  xml: 'application/fhir+xml',
}

const names: Readonly<Record<Format, readonly string[]>> = {
  json: [mediaTypes.json, 'application/json', 'text/json'],
  xml: [mediaTypes.xml, 'application/xml', 'text/xml'],
}

/** A table for people, where it is asked for more than FHIR is: a browser asks for text/html. */
export function tableFormat(accept: string | undefined, format: string | undefined): 'csv' | 'html' | undefined {
  if (format !== undefined) {
    const [name = ''] = format.toLowerCase().split(';')
    if (name === 'csv' || name === 'text/csv') return 'csv'
    return name === 'html' || name === 'text/html' ? 'html' : undefined
  }
  // Named, not merely covered by a wildcard
  const ranges = parseAccept(accept)
  const named = (type: string): number => ranges.find((range) => range.type === type)?.q ?? 0
  const [csv, html] = [named('text/csv'), named('text/html')]
  const fhir = Math.max(...[...names.json, ...names.xml].map((type) => named(type)))
  if (Math.max(csv, html) <= fhir) return undefined
  return csv >= html ? 'csv' : 'html'
}

/** The form to answer in, JSON when both are as welcome. Throws GatewayError `not-acceptable` when neither is. */
export function responseFormat(accept: string | undefined, format: string | undefined): Format {
  if (format !== undefined) {
    // A plus in a query that was not encoded has become a space
    const [name = ''] = format.toLowerCase().replace(' ', '+').split(';')
    if (name === 'json' || names.json.includes(name)) return 'json'
    if (name === 'xml' || names.xml.includes(name)) return 'xml'
  } else {
    const ranges = parseAccept(accept)
    const best = (form: Format) => Math.max(...names[form].map((type) => quality(ranges, type)))
    const [json, xml] = [best('json'), best('xml')]
    if (json > 0 || xml > 0) return xml > json ? 'xml' : 'json'
  }
  throw new GatewayError('not-acceptable', { detail: `Send Accept: ${mediaTypes.json} or ${mediaTypes.xml}.` })
}
