/** What the parameters of DocumentReference and of List have in common: values compared with metadata, as FHIR says. */
import type { CodeMatch } from '../metadata/criteria.ts'
import { isDtm, lowerBound, upperBound } from '../metadata/dtm.ts'
import { type EntryUuid, isEntryUuid, type UniqueId } from '../metadata/identifiers.ts'
import type { Author, AvailabilityStatus, Code } from '../metadata/model.ts'
import { fromFhirSystem } from '../nomenclature/index.ts'
import { systemOf, uniqueIdOf } from './mapping/identifier.ts'
import {
  alternatives,
  type DateRange,
  type DateValue,
  dateMatches,
  invalid,
  type Parameter,
  parseDate,
  parseToken,
  refuseModifier,
  stringTest,
  type Token,
  unescapeValue,
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

/** What an object of the registry is known by. */
interface Named {
  readonly uniqueId: string
  readonly entryUuid: string
  readonly logicalId: string
}

/** `identifier`: uniqueIds, entryUUIDs or logicalIDs. `uuids` are those that may be either. */
export function identifiersOf(parameter: Parameter): {
  readonly values: readonly UniqueId[]
  readonly uuids: readonly EntryUuid[]
  readonly test: (object: Named) => boolean
} {
  refuseModifier(parameter)
  const values = alternatives(parameter)
    .map(parseToken)
    .flatMap(({ system, code }) => uniqueIdOf({ ...(system && { system }), ...(code && { value: code }) }) ?? [])
  const ids = new Set<string>(values)
  return {
    values,
    uuids: values.filter((value: UniqueId | EntryUuid): value is UniqueId & EntryUuid => isEntryUuid(value)),
    test: ({ uniqueId, entryUuid, logicalId }) => ids.has(uniqueId) || ids.has(entryUuid) || ids.has(logicalId),
  }
}

/** `_id`: any version's entryUUID is an id, and only the registry knows them all. */
export function logicalIdsOf(parameter: Parameter): {
  readonly ids: readonly EntryUuid[]
  readonly test: (object: Omit<Named, 'uniqueId'>) => boolean
} {
  refuseModifier(parameter)
  const ids = alternatives(parameter)
    .map((value) => `urn:uuid:${unescapeValue(value).toLowerCase()}`)
    .filter(isEntryUuid)
  const wanted = new Set<string>(ids)
  return { ids, test: ({ entryUuid, logicalId }) => wanted.has(logicalId) || wanted.has(entryUuid) }
}

/** `isArchived` of PDSm. */
export function archivedOf(parameter: Parameter): ReadonlySet<boolean> {
  refuseModifier(parameter)
  const asked = alternatives(parameter).map((value) => parseToken(value).code)
  if (!asked.every((value) => value === 'true' || value === 'false'))
    throw invalid('isArchived', 'must be true or false.')
  return new Set(asked.map((value) => value === 'true'))
}

/** `_lastUpdated`. @returns a test on an ISO 8601 instant */
export function updatedTest(parameter: Parameter): (updatedAt: string) => boolean {
  const dates = datesOf(parameter)
  return (updatedAt) => anyDate(dates, rangeOf(updatedAt.replace(/\D/g, '').slice(0, 14)))
}

/**
 * DF5: Approved unless something else is asked for; what is archived is current to FHIR, with isArchived.
 * @param asked statuses in FHIR's words: a deprecated document is superseded, a deprecated list retired
 */
export function availabilityStatuses(asked: {
  readonly statuses?: ReadonlySet<string>
  readonly archived?: ReadonlySet<boolean>
}): readonly AvailabilityStatus[] {
  const { statuses = new Set(['current']), archived } = asked
  const wants = (flag: boolean): boolean => archived === undefined || archived.has(flag)
  const result: AvailabilityStatus[] = []
  if (statuses.has('current')) {
    if (wants(false)) result.push('Approved')
    if (archived?.has(true)) result.push('Archived')
  }
  if ((statuses.has('superseded') || statuses.has('retired')) && wants(false)) result.push('Deprecated')
  if (statuses.has('entered-in-error') && wants(false)) result.push('Deleted')
  return result
}
