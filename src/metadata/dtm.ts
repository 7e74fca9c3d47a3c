/**
 * HL7 v2 DTM as XDS metadata carries it: UTC, digits only, `YYYY[MM[DD[hh[mm[ss]]]]]` (ITI TF-3 table 4.2.3.1.7-2).
 * The number of digits is the precision, and no conversion here invents a digit except `dtmToIso` where FHIR has no
 * shorter form. A DTM stands for the whole period it names: 202305 is the month from lowerBound to upperBound.
 */
import type { Dtm } from './identifiers.ts'

const DTM = /^(?!0000)\d{4}(?:\d{2}){0,5}$/
const ISO = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/
const LARGEST: Readonly<Record<number, number>> = { 6: 12, 10: 23, 12: 59, 14: 59 }

/** 4, 6, 8, 10, 12 or 14 digits that name a date and time of the calendar: 20230231 is refused. */
export function isDtm(value: string): value is Dtm {
  if (!DTM.test(value)) return false
  for (let end = 6; end <= value.length; end += 2) {
    const part = Number(value.slice(end - 2, end))
    if (end === 8) {
      if (part < 1 || part > daysIn(Number(value.slice(0, 4)), Number(value.slice(4, 6)))) return false
    } else if (part > (LARGEST[end] ?? 0) || (end === 6 && part < 1)) return false
  }
  return true
}

/** Throws RangeError when the value is no DTM. */
export function toDtm(value: string): Dtm {
  if (!isDtm(value)) throw new RangeError(`not a DTM (UTC, YYYY[MM[DD[hh[mm[ss]]]]]): ${value.slice(0, 40)}`)
  return value
}

/**
 * The FHIR date or dateTime of a DTM: `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or `YYYY-MM-DDThh:mm:ssZ`. FHIR has no time
 * without seconds: with 10 or 12 digits the minutes and seconds are written as zeros, and the caller who needs the
 * precision back must mark it.
 */
export function dtmToIso(dtm: Dtm): string {
  const date = [dtm.slice(0, 4), dtm.slice(4, 6), dtm.slice(6, 8)].filter((part) => part !== '').join('-')
  if (dtm.length <= 8) return date
  const time = dtm.slice(8).padEnd(6, '0')
  return `${date}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4, 6)}Z`
}

/**
 * The DTM of a FHIR date, dateTime or instant. A date keeps its digits, whatever the place; a time must carry `Z` or an
 * offset and is moved to UTC, fractions of a second dropped; minutes without seconds (search parameters) give 12 digits.
 * Throws RangeError for anything else, a day or an hour that does not exist included.
 */
export function isoToDtm(iso: string): Dtm {
  const [, year, month = '', day = '', hour, minute = '', second, offset = 'Z'] = ISO.exec(iso) ?? []
  if (year === undefined) throw notIso(iso)
  if (hour === undefined) return checked(`${year}${month}${day}`, iso)
  checked(`${year}${month}${day}${hour}${minute}${second === '60' ? '59' : (second ?? '')}`, iso)
  const utc = instant(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second ?? 0))
  utc.setUTCMinutes(utc.getUTCMinutes() - minutesOf(offset, iso))
  if (utc.getUTCFullYear() < 1 || utc.getUTCFullYear() > 9999) throw notIso(iso)
  const digits = utc.toISOString().replace(/\D/g, '')
  return checked(digits.slice(0, second === undefined ? 12 : 14), iso)
}

/** The first second of the period, 14 digits. */
export function lowerBound(dtm: Dtm): Dtm {
  return (dtm + '00000101000000'.slice(dtm.length)) as Dtm
}

/**
 * The first second after the period, 14 digits: 2023 → 20240101000000, and for 14 digits the next second. Made for
 * half-open ranges. Past the year 9999 there is no such DTM: 99999999999999 then, which sorts after all of them.
 */
export function upperBound(dtm: Dtm): Dtm {
  const parts = [0, 1, 1, 0, 0, 0]
  parts[0] = Number(dtm.slice(0, 4))
  for (let end = 6; end <= dtm.length; end += 2) parts[end / 2 - 2] = Number(dtm.slice(end - 2, end))
  const last = (dtm.length - 4) / 2
  parts[last] = (parts[last] ?? 0) + 1
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
  const next = instant(year, month, day, hour, minute, second)
  if (next.getUTCFullYear() > 9999) return '99999999999999' as Dtm
  return next.toISOString().replace(/\D/g, '').slice(0, 14) as Dtm
}

/** Negative, zero or positive, by the first second of each: 2023 and 20230101 are equal. */
export function compareDtm(a: Dtm, b: Dtm): number {
  const [first, second] = [lowerBound(a), lowerBound(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

/** Numbers out of range carry over, as in `Date.UTC`, which cannot be used: it reads years below 100 as 19xx. */
function instant(year: number, month: number, day: number, hour: number, minute: number, second: number): Date {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  return date
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function checked(digits: string, iso: string): Dtm {
  if (!isDtm(digits)) throw notIso(iso)
  return digits
}

function minutesOf(offset: string, iso: string): number {
  if (offset === 'Z') return 0
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(4, 6))]
  // The widest offset in use is +14:00 (FHIR dateTime).
  if (minutes > 59 || hours > 14 || (hours === 14 && minutes > 0)) throw notIso(iso)
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function notIso(iso: string): RangeError {
  return new RangeError(
    `not a date (YYYY, YYYY-MM, YYYY-MM-DD) nor a time with Z or an offset (YYYY-MM-DDThh:mm:ss+hh:mm): ${iso.slice(0, 40)}`,
  )
}
