/**
 * Search criteria over DocumentEntries, SubmissionSets and Folders: the union of what ITI-18, ITI-66 and ITI-67 can ask.
 * Absent means "any"; an empty list offers no alternative and matches nothing.
 */
import { lowerBound, upperBound } from './dtm.ts'
import { type Cx, formatXcn, parseCx, type Xcn } from './hl7.ts'
import type { Dtm } from './identifiers.ts'
import type { Author, Code, DocumentEntry, Folder, RegistryObject, SubmissionSet } from './model.ts'

/** A code to match; without `system` the code matches in any. */
export interface CodeMatch {
  readonly code?: string
  readonly system?: string
}

/** ITI-18 ranges: `from` inclusive, `to` exclusive (ITI TF-2 3.18.4.1.2.3.3). A missing attribute never matches. */
export interface TimeRange {
  readonly from?: Dtm
  readonly to?: Dtm
}

/** FindSubmissionSets (ITI TF-2 3.18.4.1.2.3.7.2). */
export interface SubmissionSetCriteria {
  readonly sourceIds?: readonly string[]
  readonly submissionTime?: readonly TimeRange[]
  /** SQL LIKE patterns over the formatted XCN of authors, OR. */
  readonly authorPersons?: readonly string[]
  readonly contentTypeCodes?: readonly CodeMatch[]
  /** entryUUID or logicalID, any version. */
  readonly entryUuids?: readonly string[]
  readonly uniqueIds?: readonly string[]
}

/** FindFolders (ITI TF-2 3.18.4.1.2.3.7.3). */
export interface FolderCriteria {
  readonly lastUpdateTime?: readonly TimeRange[]
  readonly codes?: readonly (readonly CodeMatch[])[]
  readonly entryUuids?: readonly string[]
  readonly uniqueIds?: readonly string[]
}

/** Inside a list: OR. Lists of lists: AND of ORs. */
export interface DocumentCriteria {
  readonly classCodes?: readonly CodeMatch[]
  readonly typeCodes?: readonly CodeMatch[]
  readonly formatCodes?: readonly CodeMatch[]
  readonly practiceSettingCodes?: readonly CodeMatch[]
  readonly healthcareFacilityTypeCodes?: readonly CodeMatch[]
  readonly eventCodes?: readonly (readonly CodeMatch[])[]
  readonly confidentialityCodes?: readonly (readonly CodeMatch[])[]
  readonly creationTime?: readonly TimeRange[]
  readonly serviceStartTime?: readonly TimeRange[]
  readonly serviceStopTime?: readonly TimeRange[]
  /** The service interval [start, stop] overlaps the range; an absent stop is the start. */
  readonly servicePeriod?: readonly TimeRange[]
  /** SQL LIKE patterns over the formatted XCN (`%` and `_`), OR. */
  readonly authorPersons?: readonly string[]
  readonly referenceIds?: readonly (readonly string[])[]
  readonly uniqueIds?: readonly string[]
  /** entryUUID or logicalID, any version. */
  readonly entryUuids?: readonly string[]
  readonly stability?: readonly ('stable' | 'on-demand')[]
  /** An entry that says nothing is online: its bytes are here. */
  readonly documentAvailability?: readonly ('Online' | 'Offline')[]
}

type Test<T> = (object: T) => boolean
type Packaged = Exclude<RegistryObject, { kind: 'Association' }>

/** Whether one entry answers the criteria. For many entries compile once. */
export function matches(entry: DocumentEntry, criteria: DocumentCriteria): boolean {
  return compileCriteria(criteria)(entry)
}

/**
 * The criteria as one test.
 * - Times: both sides are completed to 14 digits with the first second of what they name, then from ≤ value < to.
 * - authorPersons: LIKE over the formatted XCN, without regard to case or accents. ITI TF-2 3.18.4.1.2.3.7.1 does not
 *   say how case counts, FHIR string search disregards both (3.1.1.4.8), and French directories write names in
 *   unaccented capitals.
 * - referenceIds: CXi; components that the query leaves out may be anything.
 */
export function compileCriteria(criteria: DocumentCriteria): Test<DocumentEntry> {
  const { tests, add } = collector<DocumentEntry>()
  add(criteria.entryUuids, withEntryUuid)
  add(criteria.uniqueIds, withUniqueId)
  add(criteria.stability, (kinds) => (entry) => kinds.includes(entry.stability))
  add(criteria.classCodes, (codes) => oneCode(codes, (entry) => entry.classCode))
  add(criteria.typeCodes, (codes) => oneCode(codes, (entry) => entry.typeCode))
  add(criteria.formatCodes, (codes) => oneCode(codes, (entry) => entry.formatCode))
  add(criteria.practiceSettingCodes, (codes) => oneCode(codes, (entry) => entry.practiceSettingCode))
  add(criteria.healthcareFacilityTypeCodes, (codes) => oneCode(codes, (entry) => entry.healthcareFacilityTypeCode))
  add(criteria.eventCodes, (groups) => someCodes(groups, (entry) => entry.eventCodes))
  add(criteria.confidentialityCodes, (groups) => someCodes(groups, (entry) => entry.confidentialityCodes))
  add(criteria.creationTime, (ranges) => during(ranges, (entry) => entry.creationTime))
  add(criteria.serviceStartTime, (ranges) => during(ranges, (entry) => entry.serviceStartTime))
  add(criteria.serviceStopTime, (ranges) => during(ranges, (entry) => entry.serviceStopTime))
  add(criteria.servicePeriod, overlapping)
  add(criteria.authorPersons, writtenBy)
  add(criteria.documentAvailability, (asked) => (entry) => asked.includes(entry.documentAvailability ?? 'Online'))
  add(criteria.referenceIds, referring)
  return (entry) => tests.every((test) => test(entry))
}

/** As compileCriteria. */
export function compileSubmissionSetCriteria(criteria: SubmissionSetCriteria): Test<SubmissionSet> {
  const { tests, add } = collector<SubmissionSet>()
  add(criteria.entryUuids, withEntryUuid)
  add(criteria.uniqueIds, withUniqueId)
  add(criteria.sourceIds, (ids) => (set) => ids.includes(set.sourceId))
  add(criteria.contentTypeCodes, (codes) => oneCode(codes, (set) => set.contentTypeCode))
  add(criteria.submissionTime, (ranges) => during(ranges, (set) => set.submissionTime))
  add(criteria.authorPersons, writtenBy)
  return (set) => tests.every((test) => test(set))
}

/** As compileCriteria. */
export function compileFolderCriteria(criteria: FolderCriteria): Test<Folder> {
  const { tests, add } = collector<Folder>()
  add(criteria.entryUuids, withEntryUuid)
  add(criteria.uniqueIds, withUniqueId)
  add(criteria.codes, (groups) => someCodes(groups, (folder) => folder.codes))
  add(criteria.lastUpdateTime, (ranges) => during(ranges, (folder) => folder.lastUpdateTime))
  return (folder) => tests.every((test) => test(folder))
}

function collector<T>() {
  const tests: Test<T>[] = []
  const add = <A>(asked: A | undefined, compile: (asked: A) => Test<T>): void => {
    if (asked !== undefined) tests.push(compile(asked))
  }
  return { tests, add }
}

/** entryUUID or logicalID. */
function withEntryUuid(ids: readonly string[]): Test<RegistryObject> {
  const wanted = new Set<string>(ids)
  return ({ entryUuid, logicalId }) => wanted.has(entryUuid) || wanted.has(logicalId)
}

function withUniqueId(ids: readonly string[]): Test<Packaged> {
  const wanted = new Set<string>(ids)
  return ({ uniqueId }) => wanted.has(uniqueId)
}

function codeTest(wanted: readonly CodeMatch[]): (code: Code) => boolean {
  return ({ code, system }) =>
    wanted.some(
      (match) =>
        (match.code === undefined || match.code === code) && (match.system === undefined || match.system === system),
    )
}

function oneCode<T>(wanted: readonly CodeMatch[], of: (object: T) => Code | undefined): Test<T> {
  const test = codeTest(wanted)
  return (object) => {
    const code = of(object)
    return code !== undefined && test(code)
  }
}

function someCodes<T>(groups: readonly (readonly CodeMatch[])[], of: (object: T) => readonly Code[]): Test<T> {
  const tests = groups.map(codeTest)
  return (object) => tests.every((test) => of(object).some(test))
}

interface Bounds {
  readonly from: string
  readonly to: string
}

function bounds(range: TimeRange): Bounds {
  return {
    from: range.from === undefined ? '' : lowerBound(range.from),
    to: range.to === undefined ? '~' : lowerBound(range.to),
  }
}

function during<T>(ranges: readonly TimeRange[], of: (object: T) => Dtm | undefined): Test<T> {
  const wanted = ranges.map(bounds)
  return (object) => {
    const value = of(object)
    if (value === undefined) return false
    const first = lowerBound(value)
    return wanted.some(({ from, to }) => first >= from && first < to)
  }
}

function overlapping(ranges: readonly TimeRange[]): Test<DocumentEntry> {
  const wanted = ranges.map(bounds)
  return ({ serviceStartTime, serviceStopTime }) => {
    const start = serviceStartTime ?? serviceStopTime
    const stop = serviceStopTime ?? serviceStartTime
    if (start === undefined || stop === undefined) return false
    const [first, end] = [lowerBound(start), upperBound(stop)]
    return wanted.some(({ from, to }) => end > from && first < to)
  }
}

function writtenBy(patterns: readonly string[]): Test<{ readonly authors: readonly Author[] }> {
  const tests = patterns.map(likeXcn)
  return ({ authors }) => authors.some(({ person }) => person !== undefined && tests.some((test) => test(person)))
}

/**
 * A pattern may count the empty components at the end that formatXcn leaves out: `^NOM^Prénom^^^` and `%NOM^Prénom^^^%`
 * are met by a value that ends after the last component the pattern names.
 */
function likeXcn(pattern: string): (person: Xcn) => boolean {
  const whole = Array.from(fold(pattern))
  const open = whole.slice(0, whole.findLastIndex((character) => character !== '%') + 1)
  const named = open.slice(0, open.findLastIndex((character) => character !== '^') + 1)
  const wanted = named.length === open.length ? [whole] : [whole, named]
  return (person) => {
    const text = Array.from(fold(formatXcn(person)))
    return wanted.some((each) => like(text, each))
  }
}

const MARKS = /\p{Mn}/gu

function fold(text: string): string {
  return text.normalize('NFD').replace(MARKS, '').toLowerCase()
}

/**
 * SQL LIKE without an escape character: `%` any characters, `_` one. Walks both once and goes back only to the last
 * `%`, so that no pattern takes more than text × pattern steps, as a regular expression of several `.*` could.
 */
function like(text: readonly string[], pattern: readonly string[]): boolean {
  let at = 0
  let wanted = 0
  let anchor = -1
  let resume = 0
  while (at < text.length) {
    if (pattern[wanted] === '%') {
      anchor = wanted++
      resume = at
    } else if (wanted < pattern.length && (pattern[wanted] === '_' || pattern[wanted] === text[at])) {
      at++
      wanted++
    } else if (anchor >= 0) {
      wanted = anchor + 1
      at = ++resume
    } else return false
  }
  while (pattern[wanted] === '%') wanted++
  return wanted === pattern.length
}

function referring(groups: readonly (readonly string[])[]): Test<DocumentEntry> {
  const wanted = groups.map((group) => group.map(parseCx))
  return (entry) => wanted.every((group) => group.some((asked) => entry.referenceIds.some((id) => agrees(id, asked))))
}

function agrees(id: Cx, asked: Cx): boolean {
  const [has, wants] = [id.assigningAuthority, asked.assigningAuthority]
  return (
    id.id === asked.id &&
    (asked.typeCode === undefined || asked.typeCode === id.typeCode) &&
    (wants?.universalId === undefined || wants.universalId === has?.universalId) &&
    (wants?.universalIdType === undefined || wants.universalIdType === has?.universalIdType) &&
    (wants?.namespaceId === undefined || wants.namespaceId === has?.namespaceId) &&
    Object.entries(asked.rest ?? {}).every(([number, component]) => id.rest?.[Number(number)] === component)
  )
}
