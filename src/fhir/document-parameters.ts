/**
 * The search parameters of DocumentReference (ITI TF-2 3.67.4.1.2.1, FHIR R4, PDSm): each says what it adds to a search.
 * What the registry can be asked goes into its criteria; the rest is a test on what it finds, so that every parameter
 * means exactly what FHIR says, whatever the registry can do.
 */
import type { DocumentFacts } from '../access/types.ts'
import type { DocumentCriteria } from '../metadata/criteria.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Author, Code, DocumentEntry } from '../metadata/model.ts'
import { writeIdentifier } from './mapping/identifier.ts'
import {
  anyDate,
  archivedOf,
  authorIdentifierTest,
  authorNameTest,
  codeMatch,
  datesOf,
  familyName,
  givenNames,
  identifiersOf,
  intersection,
  isCode,
  isToken,
  logicalIdsOf,
  type NamesOf,
  rangeOf,
  updatedTest,
} from './parameter-tests.ts'
import { alternatives, type DateRange, invalid, type Parameter, parseToken, refuseModifier } from './search-values.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
export type FhirStatus = 'current' | 'superseded' | 'entered-in-error'

/** A search in the making. */
export interface Draft {
  readonly criteria: Mutable<DocumentCriteria>
  /** On what the guard knows of a document; costs nothing more. */
  readonly factTests: ((facts: DocumentFacts) => boolean)[]
  /** On the whole entry, which must be read for it. */
  readonly entryTests: ((entry: DocumentEntry) => boolean)[]
  /** All of them on one and the same author (chained parameters name one author). */
  readonly authorTests: ((author: Author) => boolean)[]
  /** Absent: not asked. */
  statuses?: ReadonlySet<FhirStatus>
  archived?: ReadonlySet<boolean>
  /** Identifiers that may be entryUUIDs as well as uniqueIds: found by another query. */
  uuids?: readonly EntryUuid[]
}

export function newDraft(): Draft {
  return { criteria: {}, factTests: [], entryTests: [], authorTests: [] }
}

export interface ParameterDefinition {
  readonly type: 'token' | 'date' | 'string' | 'reference'
  readonly documentation: string
  apply(draft: Draft, parameter: Parameter): void
}

/** Criteria that take one list of codes, and where the entry has them. */
type SingleCode = 'classCodes' | 'typeCodes' | 'formatCodes' | 'practiceSettingCodes' | 'healthcareFacilityTypeCodes'

function codeParameter(
  documentation: string,
  criterion: SingleCode,
  of: (entry: DocumentEntry) => Code | undefined,
): ParameterDefinition {
  return {
    type: 'token',
    documentation,
    apply(draft, parameter) {
      refuseModifier(parameter)
      const wanted = alternatives(parameter).map(parseToken).map(codeMatch)
      // The registry takes one list; a repetition, which must hold as well, is tested here
      if (draft.criteria[criterion] === undefined) draft.criteria[criterion] = wanted
      else draft.entryTests.push((entry) => wanted.some((match) => isCode(match, of(entry))))
    },
  }
}

function codesParameter(documentation: string, criterion: 'eventCodes' | 'confidentialityCodes'): ParameterDefinition {
  return {
    type: 'token',
    documentation,
    apply({ criteria }, parameter) {
      refuseModifier(parameter)
      criteria[criterion] = [...(criteria[criterion] ?? []), alternatives(parameter).map(parseToken).map(codeMatch)]
    },
  }
}

/** MHD maps creationTime to attachment.creation, the DMP drafts to date as well: both search it. */
const creation: ParameterDefinition = {
  type: 'date',
  documentation: 'creationTime.',
  apply(draft, parameter) {
    const dates = datesOf(parameter)
    draft.factTests.push(({ creationTime }) => anyDate(dates, rangeOf(creationTime)))
  },
}

function service(
  documentation: string,
  of: (entry: DocumentEntry) => DateRange | undefined,
  overlap: boolean,
): ParameterDefinition {
  return {
    type: 'date',
    documentation,
    apply(draft, parameter) {
      const dates = datesOf(parameter)
      draft.entryTests.push((entry) => anyDate(dates, of(entry), overlap))
    },
  }
}

function authorName(documentation: string, of: NamesOf): ParameterDefinition {
  return {
    type: 'string',
    documentation,
    apply(draft, parameter) {
      draft.authorTests.push(authorNameTest(parameter, of))
    },
  }
}

const related: ParameterDefinition = {
  type: 'reference',
  documentation: 'referenceIdList: related.identifier or related:identifier with system|value.',
  apply(draft, parameter) {
    if (parameter.name === 'related' && parameter.modifier !== 'identifier')
      throw invalid(parameter.name, 'finds identifiers only: send related.identifier=system|value.')
    const wanted = alternatives(parameter).map(parseToken)
    draft.entryTests.push(({ referenceIds }) =>
      referenceIds.some((reference) => {
        const { system, value } = writeIdentifier(reference)
        return wanted.some((token) => isToken(token, system, value))
      }),
    )
  },
}

const identifier: ParameterDefinition = {
  type: 'token',
  documentation: 'masterIdentifier (uniqueId) or identifier (entryUUID, logicalID).',
  apply(draft, parameter) {
    const { values, uuids, test } = identifiersOf(parameter)
    draft.factTests.push(test)
    if (draft.criteria.uniqueIds !== undefined) return
    draft.criteria.uniqueIds = values
    draft.uuids = uuids
  },
}

const id: ParameterDefinition = {
  type: 'token',
  documentation: 'Logical id of the resource.',
  apply(draft, parameter) {
    const { ids, test } = logicalIdsOf(parameter)
    if (draft.criteria.entryUuids === undefined) draft.criteria.entryUuids = ids
    else draft.factTests.push(test)
  },
}

const lastUpdated: ParameterDefinition = {
  type: 'date',
  documentation: 'When the metadata last changed.',
  apply(draft, parameter) {
    const test = updatedTest(parameter)
    draft.factTests.push(({ updatedAt }) => test(updatedAt))
  },
}

const statuses: readonly string[] = ['current', 'superseded', 'entered-in-error'] satisfies FhirStatus[]

const status: ParameterDefinition = {
  type: 'token',
  documentation: 'current (the default), superseded, entered-in-error.',
  apply(draft, parameter) {
    refuseModifier(parameter)
    const asked = alternatives(parameter).map((value) => parseToken(value).code ?? '')
    if (!asked.every((value) => statuses.includes(value)))
      throw invalid('status', `must be one of ${statuses.join(', ')}.`)
    draft.statuses = intersection(draft.statuses, new Set(asked as FhirStatus[]))
  },
}

const isArchived: ParameterDefinition = {
  type: 'token',
  documentation: 'PDSm: true for archived documents only, false for those that are not.',
  apply(draft, parameter) {
    draft.archived = intersection(draft.archived, archivedOf(parameter))
  },
}

export const documentParameters: Readonly<Record<string, ParameterDefinition>> = {
  status,
  identifier,
  type: codeParameter('typeCode.', 'typeCodes', (entry) => entry.typeCode),
  category: codeParameter('classCode.', 'classCodes', (entry) => entry.classCode),
  date: creation,
  creation,
  period: service(
    'Time of service that the value overlaps.',
    ({ serviceStartTime: start, serviceStopTime: stop }) => rangeOf(start ?? stop, stop ?? start),
    true,
  ),
  'period-start': service('PDSm: serviceStartTime.', (entry) => rangeOf(entry.serviceStartTime), false),
  'period-end': service('PDSm: serviceStopTime.', (entry) => rangeOf(entry.serviceStopTime), false),
  event: codesParameter('eventCodeList; repetitions must all be there.', 'eventCodes'),
  facility: codeParameter(
    'healthcareFacilityTypeCode.',
    'healthcareFacilityTypeCodes',
    (entry) => entry.healthcareFacilityTypeCode,
  ),
  format: codeParameter('formatCode.', 'formatCodes', (entry) => entry.formatCode),
  setting: codeParameter('practiceSettingCode.', 'practiceSettingCodes', (entry) => entry.practiceSettingCode),
  'security-label': codesParameter('confidentialityCode; repetitions must all be there.', 'confidentialityCodes'),
  'author.family': authorName('Family name of an author.', familyName),
  'author.given': authorName('Given name of an author.', givenNames),
  'author.identifier': {
    type: 'token',
    documentation: 'Identifier of an author: PS_IdNat of a person, Struct_IdNat of an institution.',
    apply(draft, parameter) {
      draft.authorTests.push(authorIdentifierTest(parameter))
    },
  },
  related,
  'related.identifier': related,
  isArchived,
  _id: id,
  _lastUpdated: lastUpdated,
}
