/**
 * DTM ↔ FHIR dateTime and instant. A DTM may be less precise than FHIR allows: FHIR has no hour without seconds, and an
 * instant has no date alone. Such a value is written at the first second of what it names, with its precision beside it
 * in an extension on the value, so that no digit is invented for a reader who asks.
 * Fractions of a second and the sender's time zone are not kept: a DTM has seconds, in UTC (ITI TF-3 4.2.3.1.7).
 */
import type { Extension } from '@medplum/fhirtypes'
import { dtmToIso, isoToDtm, lowerBound } from '../../metadata/dtm.ts'
import type { Dtm } from '../../metadata/identifiers.ts'
import { extensionOf, type Problems } from './reading.ts'
import { ext } from './terms.ts'

/** The `_name` sibling of a primitive value in FHIR JSON. */
export interface Sibling {
  extension?: Extension[]
}

const lengths: Readonly<Record<string, number>> = { year: 4, month: 6, day: 8, hour: 10, minute: 12 }
const names: Readonly<Record<number, string>> = { 4: 'year', 6: 'month', 8: 'day', 10: 'hour', 12: 'minute' }

/** `{ name: value }`, with `_name` where the precision needs saying. Empty for no time. */
export function writeDateTime<N extends string>(name: N, dtm: Dtm | undefined): Written<N> {
  if (dtm === undefined) return {} as Written<N>
  return written(name, dtmToIso(dtm), dtm.length > 8 && dtm.length < 14 ? names[dtm.length] : undefined)
}

/** The same for an element that only takes an instant. */
export function writeInstant<N extends string>(name: N, dtm: Dtm | undefined): Written<N> {
  if (dtm === undefined) return {} as Written<N>
  return written(name, dtmToIso(lowerBound(dtm)), names[dtm.length])
}

type Written<N extends string> = { [K in N]?: string } & { [K in `_${N}`]?: Sibling }

function written<N extends string>(name: N, value: string, precision: string | undefined): Written<N> {
  const sibling = precision && { [`_${name}`]: { extension: [{ url: ext.precision, valueCode: precision }] } }
  return { [name]: value, ...sibling } as Written<N>
}

/** A FHIR date, dateTime or instant with its sibling, as a DTM. */
export function readTime(
  value: string | undefined,
  sibling: Sibling | undefined,
  location: string,
  problems: Problems,
): Dtm | undefined {
  if (value === undefined) return undefined
  try {
    const dtm = isoToDtm(value)
    const length = lengths[extensionOf(sibling, ext.precision)?.valueCode ?? '']
    return length === undefined ? dtm : (dtm.slice(0, length) as Dtm)
  } catch {
    return problems.error(location, 'This is no time that exists: send YYYY-MM-DDThh:mm:ss+hh:mm, or a date.')
  }
}
