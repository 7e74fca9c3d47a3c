/** What the parameters of DocumentReference and of List have in common: values compared with metadata, as FHIR says. */
import type { CodeMatch } from '../metadata/criteria.ts'
import { isDtm, lowerBound, upperBound } from '../metadata/dtm.ts'
import type { Author, Code } from '../metadata/model.ts'
import { fromFhirSystem } from '../nomenclature/index.ts'
import { systemOf } from './mapping/identifier.ts'
import {
  alternatives,
  type DateRange,
  type DateValue,
  dateMatches,
  type Parameter,
  parseDate,
  parseToken,
  refuseModifier,
  stringTest,
  type Token,
} from './search-values.ts'

export function codeMatch({ code, system }: Token): CodeMatch {
  return {
    ...(code === undefined ? {} : { code }),
    // `|code` asks for a code without a system, which XDS does not have: the empty scheme matches nothing
    ...(system === undefined ? {} : { system: system === '' ? '' : fromFhirSystem(system) }),
  }
}

export function isCode(match: CodeMatch, code: Code | undefined): boolean {
  return (
    code !== undefined &&
    (match.code === undefined || match.code === code.code) &&
    (match.system === undefined || match.system === code.system)
  )
}

export function datesOf(parameter: Parameter): readonly DateValue[] {
  refuseModifier(parameter)
  return alternatives(parameter).map((value) => parseDate(parameter.name, value))
}

export function rangeOf(from: string | undefined, to: string | undefined = from): DateRange | undefined {
  if (from === undefined || to === undefined || !isDtm(from) || !isDtm(to)) return undefined
  return { from: lowerBound(from), to: upperBound(to) }
}

export function anyDate(dates: readonly DateValue[], found: DateRange | undefined, overlap = false): boolean {
  return found !== undefined && dates.some((date) => dateMatches(date, found, overlap))
}

export function isToken(token: Token, system: string | undefined, value: string | undefined): boolean {
  return (
    (token.code === undefined || token.code === value) &&
    (token.system === undefined || (token.system === '' ? system === undefined : token.system === system))
  )
}

export function intersection<T>(before: ReadonlySet<T> | undefined, now: ReadonlySet<T>): ReadonlySet<T> {
  return before === undefined ? now : new Set([...before].filter((value) => now.has(value)))
}

export type NamesOf = (author: Author) => readonly (string | undefined)[]

export const familyName: NamesOf = ({ person }) => [person?.family]
export const givenNames: NamesOf = ({ person }) => [person?.given, person?.furtherGiven]

export function authorNameTest(parameter: Parameter, of: NamesOf): (author: Author) => boolean {
  const test = stringTest(parameter)
  return (author) => of(author).some((name) => name !== undefined && test(name))
}

/** PS_IdNat of a person, Struct_IdNat of an institution. */
export function authorIdentifierTest(parameter: Parameter): (author: Author) => boolean {
  refuseModifier(parameter)
  const wanted = alternatives(parameter).map(parseToken)
  return ({ person, institutions }) =>
    [...(person ? [person] : []), ...institutions].some((each) =>
      wanted.some((token) => each.id !== undefined && isToken(token, systemOf(each.assigningAuthority), each.id)),
    )
}
