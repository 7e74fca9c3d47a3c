/**
 * `DocumentReference/$changes`: what a software that keeps copies must know since it last asked (DMP-FACTS §3.4). A
 * searchset: each document that changed, once, tagged with what happened to it; the documents that a new one replaces
 * follow it as `include`; an OperationOutcome says the limits; the link `monitor` is the next question.
 *
 * Without `since` it is the first search of the DMP: documents in force of the last two years of care. The guard and the
 * filter are those of ITI-67: what is hidden from the caller has not changed.
 */
import type { DocumentReference, OperationOutcome } from '@medplum/fhirtypes'
import { HIDDEN_FROM_PATIENT } from '../access/confidentiality.ts'
import { liftsAt } from '../access/filter.ts'
import type { DocumentFacts } from '../access/types.ts'
import { toDtm } from '../metadata/dtm.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { AvailabilityStatus } from '../metadata/model.ts'
import type { Findings, StoredQuery } from '../operations/operations.ts'
import { type Draft, documentParameters, newDraft } from './document-parameters.ts'
import { resourceWriter } from './document-resource.ts'
import { testEntries } from './document-search.ts'
import { compare, linksOf, pageOf, type Query } from './paging.ts'
import type { Exchange } from './parts.ts'
import { patientOf } from './search-patient.ts'
import { readSearch } from './search-query.ts'
import { alternatives, invalid, type Parameter, parseInstant, refuseModifier } from './search-values.ts'
import { type Match, sendSearchset } from './searchset.ts'

export const changesDefinition = 'https://dmp-gateway.example.org/fhir/OperationDefinition/DocumentReference-changes'
const changeSystem = 'https://dmp-gateway.example.org/fhir/CodeSystem/change'

const kinds = {
  new: 'Nouveau document',
  replacement: 'Remplace un document antérieur',
  visibility: 'La visibilité a changé',
  status: 'Le statut a changé',
} as const
type Kind = keyof typeof kinds

/** Years of care that the first search goes back (DMP-FACTS §3.4). */
const firstYears = 2
/** The next question goes back by this much: what was being written while this answer was made is in it, once more. */
const overlapMilliseconds = 60_000
const everyStatus: readonly AvailabilityStatus[] = ['Approved', 'Deprecated', 'Archived', 'Deleted']

export const changesParameters = {
  since: { type: 'date', documentation: 'Instant of the last question; the link monitor of its answer has it.' },
  'period-start': { type: 'date', documentation: 'serviceStartTime; without since, instead of the last two years.' },
} as const

export async function findChanges(exchange: Exchange): Promise<void> {
  const { parts, context, baseUrl, response, format, query } = exchange
  const asked = new Date()
  const search = readSearch(query, exchange, {
    known: changesParameters,
    sortable: {},
    defaultOrder: { by: 'updated', descending: false },
  })
  const since = sinceOf(search.parameters)
  const patient = patientOf(search.patientParameters, exchange)
  const draft = newDraft()
  for (const parameter of search.parameters) documentParameters[parameter.name]?.apply(draft, parameter)
  const limit = since === undefined && !search.parameters.some(({ name }) => name === 'period-start')
  const from = limit ? yearsBefore(asked) : undefined
  const found = await parts.operations.find(queryOf(patient, since, from), context)
  const changes = await changesOf(found, draft, exchange, since, asked)
  const position = ({ updatedAt, entryUuid }: DocumentFacts) => ({ key: updatedAt, id: entryUuid })
  const sorted = [...changes.keys()].toSorted((a, b) => compare(position(a), position(b), false))
  const page = { position, descending: false, after: search.after, count: search.count }
  const { items, next } = pageOf(search.countOnly ? [] : sorted, page)
  const url = `${baseUrl}/DocumentReference/$changes`
  const [again] = linksOf(url, monitor(search.used, asked), undefined)
  const links = [...linksOf(url, search.used, next), ...(again ? [{ ...again, relation: 'monitor' }] : [])]
  const told = outcome(since, from)
  async function* entries(): AsyncGenerator<Match> {
    yield { resource: told, mode: 'outcome' }
    yield* written(items, changes, found, exchange)
  }
  await sendSearchset(response, format, { total: sorted.length, links }, entries())
}

function sinceOf(parameters: readonly Parameter[]): string | undefined {
  const [parameter, ...others] = parameters.filter(({ name }) => name === 'since')
  if (parameter === undefined) return undefined
  refuseModifier(parameter)
  const [value = '', ...more] = alternatives(parameter)
  if (others.length > 0 || more.length > 0)
    throw invalid('since', 'must be there once, an instant with its zone: 2026-06-12T10:00:00Z.')
  return parseInstant('since', value)
}

function yearsBefore(instant: Date): string {
  const date = new Date(instant)
  date.setUTCFullYear(date.getUTCFullYear() - firstYears)
  return date.toISOString().slice(0, 10)
}

/** Chains of replacement are followed among all documents: only the first search is narrowed in the registry. */
function queryOf(patient: PatientKey, since: string | undefined, from: string | undefined): StoredQuery {
  const statuses: readonly AvailabilityStatus[] = since === undefined ? ['Approved'] : everyStatus
  const criteria = from === undefined ? {} : { serviceStartTime: [{ from: toDtm(from.replaceAll('-', '')) }] }
  return { kind: 'FindDocuments', patient, statuses, criteria }
}

/** The documents that changed, each with what happened; one of several under the same uniqueId, the last changed. */
async function changesOf(
  found: Findings,
  draft: Draft,
  { context }: Exchange,
  since: string | undefined,
  now: Date,
): Promise<ReadonlyMap<DocumentFacts, Kind>> {
  const replacing = new Set<EntryUuid>()
  const replaced = new Set<EntryUuid>()
  for (const { type, source, target } of found.associations)
    if (type === 'RPLC' || type === 'XFRM_RPLC') {
      replacing.add(source)
      replaced.add(target)
    }
  const reads = context.caller.kind === 'patient' || context.caller.kind === 'representative'
  const changed = found.documents.flatMap((facts): [DocumentFacts, Kind][] => {
    // A replaced document is told with its replacement
    if (replaced.has(facts.entryUuid)) return []
    if (since === undefined) return [[facts, 'new']]
    if (facts.depositedAt >= since) return [[facts, replacing.has(facts.entryUuid) ? 'replacement' : 'new']]
    if (reads && liftedSince(facts, since, now)) return [[facts, 'visibility']]
    if (facts.updatedAt < since) return []
    return [[facts, facts.availabilityStatus === 'Approved' && facts.version > 1 ? 'visibility' : 'status']]
  })
  const byUniqueId = new Map<string, [DocumentFacts, Kind]>()
  for (const change of changed) {
    const before = byUniqueId.get(change[0].uniqueId)?.[0]
    if (before === undefined || before.updatedAt < change[0].updatedAt) byUniqueId.set(change[0].uniqueId, change)
  }
  const distinct = new Map(byUniqueId.values())
  const wanted = new Set(await testEntries(draft, [...distinct.keys()], found))
  return new Map([...distinct].filter(([facts]) => wanted.has(facts)))
}

/** R.1111-53: after a month a document shows itself to the patient, without anything being written. */
function liftedSince(facts: DocumentFacts, since: string, now: Date): boolean {
  if (!facts.confidentiality.includes(HIDDEN_FROM_PATIENT)) return false
  const lifts = liftsAt(facts)
  return lifts >= Date.parse(since) && lifts <= now.getTime()
}

/** Each document of the page with its tag, and the documents that it replaces, the nearest first. */
async function* written(
  items: readonly DocumentFacts[],
  changes: ReadonlyMap<DocumentFacts, Kind>,
  found: Findings,
  exchange: Exchange,
): AsyncGenerator<Match> {
  const write = resourceWriter(found, exchange)
  const chain = chainsOf(found)
  const ofFacts = new Map(found.documents.map((facts) => [facts.entryUuid, facts]))
  const replaced = new Map(items.map((facts) => [facts.entryUuid, chain(facts.entryUuid)]))
  const wanted = items.flatMap((facts) => [
    facts,
    ...(replaced.get(facts.entryUuid) ?? []).flatMap((id) => ofFacts.get(id) ?? []),
  ])
  const kindOf = new Map([...changes].map(([{ entryUuid }, kind]) => [entryUuid, kind]))
  const sent = new Set<EntryUuid>()
  for await (const entry of found.entries(wanted)) {
    if (sent.size === sent.add(entry.entryUuid).size) continue
    const kind = kindOf.get(entry.entryUuid)
    const resource = write(entry)
    const fullUrl = `${exchange.baseUrl}/DocumentReference/${resource.id}`
    if (kind === undefined) yield { fullUrl, resource, mode: 'include' }
    else yield { fullUrl, resource: tagged(resource, kind) }
  }
}

/** What a document replaces, and what that replaced, as far as the caller may see it. */
function chainsOf({ associations }: Findings): (entryUuid: EntryUuid) => readonly EntryUuid[] {
  const replaces = new Map<EntryUuid, EntryUuid[]>()
  for (const { type, source, target } of associations)
    if (type === 'RPLC' || type === 'XFRM_RPLC') replaces.set(source, [...(replaces.get(source) ?? []), target])
  return (start) => {
    const chain = new Set<EntryUuid>([start])
    for (const id of chain) for (const target of replaces.get(id) ?? []) chain.add(target)
    chain.delete(start)
    return [...chain]
  }
}

function tagged(resource: DocumentReference, code: Kind): DocumentReference {
  return { ...resource, meta: { ...resource.meta, tag: [{ system: changeSystem, code, display: kinds[code] }] } }
}

/** The same question, from now on. */
function monitor(used: Query, asked: Date): Query {
  const since = new Date(asked.getTime() - overlapMilliseconds).toISOString()
  return [...used.filter(([name]) => name !== 'since' && name !== '_cursor'), ['since', since]]
}

function outcome(since: string | undefined, from: string | undefined): OperationOutcome {
  const text =
    since !== undefined
      ? `Documents ajoutés, remplacés ou modifiés depuis ${since}, tous statuts.`
      : `Première recherche : documents à jour${from === undefined ? '' : `, actes depuis le ${from}`}. Les actes plus anciens se cherchent avec period-start.`
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', details: { text } }],
  }
}
