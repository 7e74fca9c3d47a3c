/** ITI-66: from query parameters to SubmissionSets and Folders with the members the caller may see. */
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { AvailabilityStatus } from '../metadata/model.ts'
import type { Findings, StoredQuery } from '../operations/operations.ts'
import { dateOf, type ListDraft, type ListKind, listParameters, newListDraft, type Package } from './list-parameters.ts'
import { compare, type Position, type Query } from './paging.ts'
import { availabilityStatuses } from './parameter-tests.ts'
import type { Exchange } from './parts.ts'
import { patientOf } from './search-patient.ts'
import { type Ordering, readSearch } from './search-query.ts'

export interface ListSearch {
  readonly patient: PatientKey
  readonly draft: ListDraft
  readonly statuses: readonly AvailabilityStatus[]
  readonly order: Ordering
  readonly count: number
  /** Only the total is wanted. */
  readonly countOnly: boolean
  readonly after: Position | undefined
  /** The parameters that count, for the links. */
  readonly used: Query
}

const sortable: Readonly<Record<string, string>> = { date: 'date', _lastUpdated: 'updated' }

export function readListSearch(query: Query, exchange: Exchange): ListSearch {
  const search = readSearch(query, exchange, {
    known: listParameters,
    sortable,
    defaultOrder: { by: 'date', descending: true },
  })
  const draft = newListDraft()
  for (const parameter of search.parameters) listParameters[parameter.name]?.apply(draft, parameter)
  return {
    ...search,
    patient: patientOf(search.patientParameters, exchange),
    draft,
    statuses: availabilityStatuses(draft),
  }
}

export interface FoundLists {
  /** All that match, in order: their number is the total. */
  readonly lists: readonly Package[]
  /** What they hold, as far as the caller may see it. */
  readonly findings: readonly Findings[]
}

/** When a list last changed, where the DMP tells it. */
export function updateOf(list: Package, findings: readonly Findings[]): string | undefined {
  for (const { updates } of findings) {
    const at = updates?.get(list.entryUuid)
    if (at !== undefined) return at
  }
  return undefined
}

export function positionOf(order: Ordering, findings: readonly Findings[]): (list: Package) => Position {
  return (list) => ({
    key: (order.by === 'updated' ? updateOf(list, findings) : dateOf(list)) ?? '',
    id: list.entryUuid,
  })
}

export async function findLists(
  { operations }: Pick<Exchange['parts'], 'operations'>,
  search: ListSearch,
  context: Exchange['context'],
): Promise<FoundLists> {
  const findings: Findings[] = []
  for (const query of queriesOf(search))
    findings.push(await operations.find(query, context, search.countOnly ? {} : { members: true }))
  const { tests, setTests, authorTests } = search.draft
  const found = new Map<EntryUuid, Package>()
  const asked = { kinds: kindsOf(search.draft), statuses: new Set(search.statuses) }
  // Folders also come as members of SubmissionSets
  for (const { submissionSets, folders } of findings)
    for (const list of [...submissionSets, ...folders])
      if (asked.kinds.has(kindOf(list)) && asked.statuses.has(list.availabilityStatus)) found.set(list.entryUuid, list)
  const lists = [...found.values()].filter((list) => {
    if (!tests.every((test) => test(list, updateOf(list, findings)))) return false
    if (list.kind === 'Folder') return true
    return (
      setTests.every((test) => test(list)) &&
      (authorTests.length === 0 || list.authors.some((author) => authorTests.every((test) => test(author))))
    )
  })
  const position = positionOf(search.order, findings)
  return {
    lists: lists.toSorted((a, b) => compare(position(a), position(b), search.order.descending)),
    findings,
  }
}

function kindOf({ kind }: Package): ListKind {
  return kind === 'Folder' ? 'folder' : 'submissionset'
}

function kindsOf({ kinds }: ListDraft): ReadonlySet<ListKind> {
  return kinds ?? new Set(['submissionset', 'folder'])
}

function queriesOf({ patient, statuses, draft }: ListSearch): readonly StoredQuery[] {
  const kinds = kindsOf(draft)
  // Nothing can match: asked all the same, so that the guard and the trace see the search
  const asked: readonly AvailabilityStatus[] = statuses.length > 0 ? statuses : ['Approved']
  const { uniqueIds, entryUuids, uuids = [] } = draft
  const criteria = { ...(uniqueIds && { uniqueIds }), ...(entryUuids && { entryUuids }) }
  // A urn:uuid may be a uniqueId or an entryUUID
  const alternatives = uuids.length === 0 ? [criteria] : [criteria, { entryUuids: uuids }]
  return alternatives.flatMap((each): StoredQuery[] => {
    const query = { patient, statuses: asked, criteria: each }
    return [
      ...(kinds.has('submissionset') || kinds.size === 0 ? [{ kind: 'FindSubmissionSets', ...query } as const] : []),
      ...(kinds.has('folder') ? [{ kind: 'FindFolders', ...query } as const] : []),
    ]
  })
}
