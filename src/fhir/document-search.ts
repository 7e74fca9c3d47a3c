/** ITI-67: from query parameters to documents. */
import type { DocumentFacts } from '../access/types.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Association, AvailabilityStatus, DocumentEntry } from '../metadata/model.ts'
import type { Findings, Operations, StoredQuery } from '../operations/operations.ts'
import type { RequestContext } from '../operations/ports.ts'
import { type Draft, documentParameters, newDraft } from './document-parameters.ts'
import { compare, type Position, type Query } from './paging.ts'
import { availabilityStatuses } from './parameter-tests.ts'
import type { Exchange } from './parts.ts'
import { patientOf } from './search-patient.ts'
import { type Ordering, readSearch } from './search-query.ts'

export interface DocumentSearch {
  readonly patient: PatientKey
  readonly draft: Draft
  readonly statuses: readonly AvailabilityStatus[]
  readonly order: Ordering
  readonly count: number
  /** Only the total is wanted. */
  readonly countOnly: boolean
  readonly after: Position | undefined
  /** The parameters that count, for the links. */
  readonly used: Query
}

const sortable: Readonly<Record<string, string>> = { date: 'creation', creation: 'creation', _lastUpdated: 'updated' }

export function readDocumentSearch(query: Query, exchange: Exchange): DocumentSearch {
  const search = readSearch(query, exchange, {
    known: documentParameters,
    sortable,
    defaultOrder: { by: 'creation', descending: true },
  })
  const draft = newDraft()
  for (const parameter of search.parameters) documentParameters[parameter.name]?.apply(draft, parameter)
  return {
    ...search,
    patient: patientOf(search.patientParameters, exchange),
    draft,
    statuses: availabilityStatuses(draft),
  }
}

export interface FoundDocuments {
  /** All that match, in order: their number is the total. */
  readonly documents: readonly DocumentFacts[]
  /** Between the caller's documents. */
  readonly associations: readonly Association[]
  /** Of every document that these lead to. */
  readonly logicalIds: ReadonlyMap<EntryUuid, EntryUuid>
  entries(documents: readonly DocumentFacts[]): AsyncIterable<DocumentEntry>
}

export function positionOf(order: Ordering): (facts: DocumentFacts) => Position {
  return order.by === 'updated'
    ? ({ updatedAt, entryUuid }) => ({ key: updatedAt, id: entryUuid })
    : ({ creationTime = '', entryUuid }) => ({ key: creationTime, id: entryUuid })
}

export async function findDocuments(
  operations: Operations,
  search: DocumentSearch,
  context: RequestContext,
): Promise<FoundDocuments> {
  const found: Findings[] = []
  for (const query of queriesOf(search))
    found.push(await operations.find(query, context, { relations: !search.countOnly }))
  const [first] = found
  if (first === undefined) throw new RangeError('a search has at least one query')
  const matching = distinct(found.flatMap(({ documents }) => documents)).filter((facts) =>
    search.draft.factTests.every((test) => test(facts)),
  )
  const documents = await testEntries(search.draft, matching, first)
  const position = positionOf(search.order)
  return {
    documents: documents.toSorted((a, b) => compare(position(a), position(b), search.order.descending)),
    associations: distinct(found.flatMap(({ associations }) => associations)),
    logicalIds: new Map(
      found.flatMap(({ documents, logicalIds = [] }) => [
        ...documents.map(({ entryUuid, logicalId }) => [entryUuid, logicalId] as const),
        ...logicalIds,
      ]),
    ),
    entries: (wanted) => first.entries(wanted),
  }
}

function queriesOf({ patient, statuses, draft }: DocumentSearch): readonly StoredQuery[] {
  const { criteria, uuids = [] } = draft
  // No status can match: asked all the same, so that the guard and the trace see the search
  if (statuses.length === 0) draft.factTests.push(() => false)
  const asked: readonly AvailabilityStatus[] = statuses.length > 0 ? statuses : ['Approved']
  const query = { kind: 'FindDocuments', patient, statuses: asked } as const
  if (uuids.length === 0) return [{ ...query, criteria }]
  const { uniqueIds: _, entryUuids, ...rest } = criteria
  if (entryUuids) {
    const ids = new Set<string>(entryUuids)
    draft.factTests.push((facts) => ids.has(facts.logicalId) || ids.has(facts.entryUuid))
  }
  // A urn:uuid may be a uniqueId or an entryUUID
  return [
    { ...query, criteria },
    { ...query, criteria: { ...rest, entryUuids: uuids } },
  ]
}

/** Those of the documents whose entries pass the tests that need them. */
export async function testEntries(
  { entryTests, authorTests }: Draft,
  documents: readonly DocumentFacts[],
  findings: Findings,
): Promise<readonly DocumentFacts[]> {
  if ((entryTests.length === 0 && authorTests.length === 0) || documents.length === 0) return documents
  const kept = new Set<string>()
  for await (const entry of findings.entries(documents)) {
    const written =
      authorTests.length === 0 || entry.authors.some((author) => authorTests.every((test) => test(author)))
    if (written && entryTests.every((test) => test(entry))) kept.add(entry.entryUuid)
  }
  return documents.filter(({ entryUuid }) => kept.has(entryUuid))
}

function distinct<T extends { readonly entryUuid: string }>(objects: readonly T[]): readonly T[] {
  return [...new Map(objects.map((object) => [object.entryUuid, object])).values()]
}
