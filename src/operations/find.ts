/** TD3.1a and TD3.1b: search, and look-up of references. */
import { decide } from '../access/decide.ts'
import type { Decision, DocumentFacts, Operation } from '../access/types.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { Association } from '../metadata/model.ts'
import {
  accessRecord,
  accessRequest,
  authorise,
  authoriseWithoutObject,
  type OperationParts,
  permittedRecord,
} from './access.ts'
import type { Findings, FindOptions } from './operations.ts'
import type { Found, RequestContext, StoredQuery } from './ports.ts'
import { filterFound, viewOf } from './view.ts'

const nothing: Found = { documents: [], submissionSets: [], folders: [], associations: [] }

export async function find(
  parts: OperationParts,
  query: StoredQuery,
  context: RequestContext,
  options: FindOptions = {},
): Promise<Findings> {
  const operation = operationOf(query, context)
  const relate = options.relations === false ? (found: Found) => found : (found: Found) => withRelations(parts, found)
  if (query.kind === 'FindDocuments') {
    const { facts, permit } = await authorise(parts, operation, context, { patient: query.patient })
    if (facts === undefined) return findings(parts, nothing)
    const found = await relate(await parts.dmp.find(query))
    const kept = await filterFound(parts, found, viewOf(parts, operation, context, facts, isByReference(query)))
    const { documents } = kept
    await parts.trace.record(permittedRecord(parts, operation, context, { patient: query.patient, documents, permit }))
    return findings(parts, kept)
  }
  await authoriseWithoutObject(parts, operation, context)
  return findings(parts, await findByReference(parts, operation, query, context, relate))
}

/**
 * A structure or its staff may only look up the references of what they fed (TD3.1b); everyone else consults (TD3.1a),
 * by reference too, so that a declaration is never escaped by asking with an identifier.
 */
function operationOf(query: StoredQuery, { caller }: RequestContext): Operation {
  if (caller.kind !== 'structure' && caller.kind !== 'staff') return 'TD3.1a'
  return isByReference(query) ? 'TD3.1b' : 'TD3.1a'
}

function isByReference(query: StoredQuery): boolean {
  if (query.kind !== 'FindDocuments') return true
  const { uniqueIds, entryUuids } = query.criteria
  return uniqueIds !== undefined || entryUuids !== undefined
}

/**
 * A query that names no patient: each record found is judged on its own, and a refusal makes its objects absent; only
 * the trace knows why (ACCESS-RULES, A request that names no patient).
 */
async function findByReference(
  parts: OperationParts,
  operation: Operation,
  query: StoredQuery,
  context: RequestContext,
  relate: (found: Found) => Found | Promise<Found>,
): Promise<Found> {
  const bound = context.caller.patient
  const early = bound && (await authorise(parts, operation, context, { patient: bound }))
  const found = await relate(await parts.dmp.find(query))
  const kept: Found[] = []
  for (const [patient, mine] of byPatient(found)) {
    if (bound !== undefined && patient !== bound) continue
    const result = await judge(parts, operation, context, patient, mine)
    if (result) kept.push(result)
  }
  if (kept.length === 0)
    await parts.trace.record(
      accessRecord(parts, operation, context, { patient: bound, outcome: 'permitted', rule: early?.permit.rule }),
    )
  return {
    documents: kept.flatMap(({ documents }) => documents),
    submissionSets: kept.flatMap(({ submissionSets }) => submissionSets),
    folders: kept.flatMap(({ folders }) => folders),
    associations: kept.flatMap(({ associations }) => associations),
  }
}

async function judge(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  found: Found,
): Promise<Found | undefined> {
  const facts = await parts.dmp.status(patient, context.caller)
  const decision: Decision = decide(accessRequest(operation, context, { patient }), facts, parts.policy)
  if (decision.verdict === 'deny' || facts === undefined) {
    const deny = decision.verdict === 'deny' ? { rule: decision.rule, reasonCode: decision.issues[0].code } : {}
    await parts.trace.record(accessRecord(parts, operation, context, { patient, outcome: 'refused', ...deny }))
    return undefined
  }
  const kept = await filterFound(parts, found, viewOf(parts, operation, context, facts, true))
  await parts.trace.record(
    permittedRecord(parts, operation, context, { patient, documents: kept.documents, permit: decision }),
  )
  return kept
}

/** Documents by patient, with the associations that touch them. */
function byPatient(found: Found): ReadonlyMap<PatientKey, Found> {
  const groups = new Map<PatientKey, DocumentFacts[]>()
  for (const document of found.documents) {
    const group = groups.get(document.patient)
    if (group) group.push(document)
    else groups.set(document.patient, [document])
  }
  const result = new Map<PatientKey, Found>()
  for (const [patient, documents] of groups) {
    const ids = new Set(documents.map(({ entryUuid }) => entryUuid))
    const touches = ({ source, target }: Association) => ids.has(source) || ids.has(target)
    result.set(patient, { ...nothing, documents, associations: found.associations.filter(touches) })
  }
  return result
}

/** Relationships (replaces, appends, …) of the documents found, for DocumentReference.relatesTo. */
async function withRelations({ dmp }: OperationParts, found: Found): Promise<Found> {
  if (found.documents.length === 0 || found.associations.length > 0) return found
  const ids = found.documents.map(({ entryUuid }) => entryUuid)
  const { associations } = await dmp.find({ kind: 'GetAssociations', ids })
  return { ...found, associations: associations.filter(({ type }) => type !== 'HasMember') }
}

function findings({ dmp }: OperationParts, found: Found): Findings {
  return { ...found, entries: (documents) => dmp.read(documents.map(({ entryUuid }) => entryUuid)) }
}
