/**
 * The search parameters of List (ITI TF-2 3.66.4.1.2.1, PDSm): each says what it adds to a search. A record has few
 * SubmissionSets and Folders, and they come whole: all but identifiers is tested here, exactly as FHIR means it.
 */
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Author, Folder, SubmissionSet } from '../metadata/model.ts'
import { systems, uniqueIdOf } from './mapping/index.ts'
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
  logicalIdsOf,
  type NamesOf,
  rangeOf,
  updatedTest,
} from './parameter-tests.ts'
import { alternatives, invalid, type Parameter, parseToken, refuseModifier, stringTest } from './search-values.ts'

export type Package = SubmissionSet | Folder
export type ListKind = 'submissionset' | 'folder'
export type ListStatus = 'current' | 'retired' | 'entered-in-error'

/** A search in the making. */
export interface ListDraft {
  /** Absent: both. */
  kinds?: ReadonlySet<ListKind>
  /** Absent: not asked. */
  statuses?: ReadonlySet<ListStatus>
  archived?: ReadonlySet<boolean>
  uniqueIds?: readonly string[]
  entryUuids?: readonly string[]
  /** Identifiers that may be entryUUIDs as well as uniqueIds: found by another query. */
  uuids?: readonly EntryUuid[]
  /** With the instant of the last change, where the DMP tells it. */
  readonly tests: ((list: Package, updatedAt: string | undefined) => boolean)[]
  /** Of SubmissionSets only: ignored for Folders (ITI TF-2 table 3.66.4.1.3.1-2, note 3). */
  readonly setTests: ((set: SubmissionSet) => boolean)[]
  /** All of them on one and the same author. */
  readonly authorTests: ((author: Author) => boolean)[]
}

export function newListDraft(): ListDraft {
  return { tests: [], setTests: [], authorTests: [] }
}

export interface ListParameter {
  readonly type: 'token' | 'date' | 'string'
  readonly documentation: string
  apply(draft: ListDraft, parameter: Parameter): void
}

export function dateOf(list: Package): string | undefined {
  return list.kind === 'SubmissionSet' ? list.submissionTime : list.lastUpdateTime
}

const code: ListParameter = {
  type: 'token',
  documentation: 'submissionset or folder (MHDlistTypes).',
  apply(draft, parameter) {
    refuseModifier(parameter)
    const wanted = alternatives(parameter).map(parseToken)
    const kinds = (['submissionset', 'folder'] as const).filter((kind) =>
      wanted.some(
        (token) =>
          (token.code === undefined || token.code === kind) &&
          (token.system === undefined || token.system.replace(/^http:/, 'https:') === systems.listTypes),
      ),
    )
    draft.kinds = intersection(draft.kinds, new Set(kinds))
  },
}

/** FHIR's words for the status of a List; `superseded` is asked for by analogy with DocumentReference. */
const statuses: Readonly<Record<string, ListStatus>> = {
  current: 'current',
  retired: 'retired',
  superseded: 'retired',
  'entered-in-error': 'entered-in-error',
}

const status: ListParameter = {
  type: 'token',
  documentation: 'current (the default), retired, entered-in-error.',
  apply(draft, parameter) {
    refuseModifier(parameter)
    const asked = alternatives(parameter).map((value) => {
      const name = parseToken(value).code ?? ''
      const found = Object.hasOwn(statuses, name) ? statuses[name] : undefined
      if (found === undefined) throw invalid('status', `must be one of ${Object.keys(statuses).join(', ')}.`)
      return found
    })
    draft.statuses = intersection(draft.statuses, new Set(asked))
  },
}

const isArchived: ListParameter = {
  type: 'token',
  documentation: 'PDSm: true for archived lists only, false for those that are not.',
  apply(draft, parameter) {
    draft.archived = intersection(draft.archived, archivedOf(parameter))
  },
}

const identifier: ListParameter = {
  type: 'token',
  documentation: 'uniqueId, entryUUID or logicalID.',
  apply(draft, parameter) {
    const { values, uuids, test } = identifiersOf(parameter)
    draft.tests.push(test)
    if (draft.uniqueIds !== undefined) return
    draft.uniqueIds = values
    draft.uuids = uuids
  },
}

const id: ListParameter = {
  type: 'token',
  documentation: 'Logical id of the resource.',
  apply(draft, parameter) {
    const { ids, test } = logicalIdsOf(parameter)
    if (draft.entryUuids === undefined) draft.entryUuids = ids
    else draft.tests.push(test)
  },
}

const date: ListParameter = {
  type: 'date',
  documentation: 'submissionTime of a SubmissionSet, lastUpdateTime of a Folder.',
  apply(draft, parameter) {
    const dates = datesOf(parameter)
    draft.tests.push((list) => anyDate(dates, rangeOf(dateOf(list))))
  },
}

const lastUpdated: ListParameter = {
  type: 'date',
  documentation: 'When the list last changed here.',
  apply(draft, parameter) {
    const test = updatedTest(parameter)
    draft.tests.push((_list, updatedAt = '') => test(updatedAt))
  },
}

const designationType: ListParameter = {
  type: 'token',
  documentation: 'contentTypeCode of a SubmissionSet, one of the codeList of a Folder.',
  apply(draft, parameter) {
    refuseModifier(parameter)
    const wanted = alternatives(parameter).map(parseToken).map(codeMatch)
    draft.tests.push((list) => {
      const codes = list.kind === 'Folder' ? list.codes : [list.contentTypeCode]
      return codes.some((each) => wanted.some((match) => isCode(match, each)))
    })
  },
}

const title: ListParameter = {
  type: 'string',
  documentation: 'PDSm: title.',
  apply(draft, parameter) {
    const test = stringTest(parameter)
    draft.tests.push((list) => list.title !== undefined && test(list.title))
  },
}

const sourceId: ListParameter = {
  type: 'token',
  documentation: 'sourceId of a SubmissionSet.',
  apply(draft, parameter) {
    refuseModifier(parameter)
    const ids = alternatives(parameter)
      .map(parseToken)
      .map(({ system, code: value }) => uniqueIdOf({ ...(system && { system }), ...(value && { value }) }))
    draft.setTests.push((set) => ids.some((each) => each === set.sourceId))
  },
}

function sourceName(documentation: string, of: NamesOf): ListParameter {
  return {
    type: 'string',
    documentation,
    apply(draft, parameter) {
      draft.authorTests.push(authorNameTest(parameter, of))
    },
  }
}

export const listParameters: Readonly<Record<string, ListParameter>> = {
  code,
  status,
  identifier,
  date,
  designationType,
  sourceId,
  'source.family': sourceName('Family name of an author of a SubmissionSet.', familyName),
  'source.given': sourceName('Given name of an author of a SubmissionSet.', givenNames),
  'source.identifier': {
    type: 'token',
    documentation: 'Identifier of an author of a SubmissionSet: PS_IdNat or Struct_IdNat.',
    apply(draft, parameter) {
      draft.authorTests.push(authorIdentifierTest(parameter))
    },
  },
  title,
  isArchived,
  _id: id,
  _lastUpdated: lastUpdated,
}
