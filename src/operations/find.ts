/** TD3.1a and TD3.1b: search, and look-up of references. */
import type { Operation } from '../access/types.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import {
  type Authorised,
  accessRecord,
  authorise,
  authoriseFound,
  authoriseWithoutObject,
  declareBefore,
  type OperationParts,
  permittedRecord,
} from './access.ts'
import { withMembers } from './members.ts'
import type { Findings, FindOptions, StoredQuery } from './operations.ts'
import type { Found, RequestContext } from './ports.ts'
import { type Collected, collect, nothing } from './stored-query.ts'
import { filterFound, surroundingsOf, viewOf } from './view.ts'

export async function find(
  parts: OperationParts,
  query: StoredQuery,
  context: RequestContext,
  options: FindOptions = {},
): Promise<Findings> {
  const operation = operationOf(query, context)
  const found =
    'patient' in query
      ? await findOfPatient(parts, operation, query, context, options)
      : await findByReference(parts, operation, query, context, options)
  return { ...found, entries: (documents) => parts.dmp.read(documents.map(({ entryUuid }) => entryUuid)) }
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
  if (query.kind === 'GetAll') return false
  if (!('patient' in query)) return true
  const { uniqueIds, entryUuids } = query.criteria
  return uniqueIds !== undefined || entryUuids !== undefined
}

async function findOfPatient(
  parts: OperationParts,
  operation: Operation,
  query: Extract<StoredQuery, { patient: PatientKey }>,
  context: RequestContext,
  options: FindOptions,
): Promise<Found> {
  const { patient } = query
  const { facts, permit } = await authorise(parts, operation, context, { patient })
  if (facts === undefined && context.caller.kind !== 'tester') return nothing
  const { found, answer } = await gather(parts, query, options)
  const visible = facts ? viewOf(parts, operation, context, facts, isByReference(query)) : () => true
  const kept = answer(filterFound(found, await surroundingsOf(parts.dmp, found), visible))
  await parts.trace.record(permittedRecord(parts, operation, context, { patient, documents: kept.documents, permit }))
  return kept
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
  options: FindOptions,
): Promise<Found> {
  await authoriseWithoutObject(parts, operation, context)
  const bound = context.caller.patient
  const early = bound === undefined ? undefined : await authorise(parts, operation, context, { patient: bound })
  await declareBefore(parts, operation, context, 'ids' in query ? query.ids : 'id' in query ? [query.id] : [])
  const { found, answer } = await gather(parts, query, options)
  const around = await surroundingsOf(parts.dmp, found)
  const kept: Found[] = []
  for (const [patient, mine] of byPatient(found, around)) {
    if (bound !== undefined && patient !== bound) continue
    const result = await judge(parts, operation, context, patient, { early, found: mine, around, answer })
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
    updates: new Map(kept.flatMap(({ updates = [] }) => [...updates])),
    logicalIds: new Map(kept.flatMap(({ logicalIds = [] }) => [...logicalIds])),
  }
}

async function judge(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  { early, found, around, answer }: Collected & { readonly early: Authorised | undefined; readonly around: Found },
): Promise<Found | undefined> {
  const authorised = await authoriseFound(parts, operation, context, patient, early)
  if (authorised === undefined) return undefined
  const { facts, permit } = authorised
  const kept = answer(filterFound(found, around, viewOf(parts, operation, context, facts, true)))
  const { documents, submissionSets, folders, associations } = kept
  const isNothing = documents.length + submissionSets.length + folders.length + associations.length === 0
  // Nothing was shown: nothing follows from it that would say afterwards whose the object was.
  await parts.trace.record(
    isNothing
      ? accessRecord(parts, operation, context, {
          patient,
          outcome: 'permitted',
          answeredAbsent: true,
          rule: permit.rule,
        })
      : permittedRecord(parts, operation, context, { patient, documents, permit }),
  )
  return kept
}

/** What was found, by the patient it is about; an association goes with the object at either of its ends. */
function byPatient(found: Found, around: Found): ReadonlyMap<PatientKey, Found> {
  const patients = new Map<EntryUuid, PatientKey>()
  for (const { documents, submissionSets, folders } of [around, found]) {
    for (const { entryUuid, patient } of documents) patients.set(entryUuid, patient)
    for (const { entryUuid, patientId } of [...submissionSets, ...folders]) {
      const patient = patientId && patientKeyOf(patientId)
      if (patient !== undefined) patients.set(entryUuid, patient)
    }
  }
  for (const { entryUuid, source, target } of [...around.associations, ...found.associations]) {
    // The end of a membership may be an association: its patient is that of the SubmissionSet at the other end.
    const patient = patients.get(source) ?? patients.get(target)
    if (patient !== undefined) patients.set(entryUuid, patient)
  }
  const { documents, submissionSets, folders, associations } = found
  const all = [...documents, ...submissionSets, ...folders, ...associations]
  const concerned = new Set(all.flatMap(({ entryUuid }) => patients.get(entryUuid) ?? []))
  return new Map(
    [...concerned].map((patient) => {
      const isMine = ({ entryUuid }: { readonly entryUuid: EntryUuid }) => patients.get(entryUuid) === patient
      return [
        patient,
        {
          ...found,
          documents: documents.filter(isMine),
          submissionSets: submissionSets.filter(isMine),
          folders: folders.filter(isMine),
          associations: associations.filter(isMine),
        },
      ]
    }),
  )
}

/** What the query finds; with the relationships of its documents (replaces, appends, …) where the answer shows them. */
async function gather({ dmp }: OperationParts, query: StoredQuery, options: FindOptions): Promise<Collected> {
  const collected = await collect(dmp, query, options.metadataLevel)
  const { found } = collected
  if (options.members && isOfPackages(query)) {
    const packages = [...found.submissionSets, ...found.folders].map(({ entryUuid }) => entryUuid)
    const { associations } = await dmp.find({ kind: 'GetAssociations', ids: packages, allVersions: true })
    return { found: await withMembers(dmp, { ...found, associations }), answer: (kept) => kept }
  }
  const relate = query.kind === 'FindDocuments' || query.kind === 'GetDocuments'
  if (!relate || options.relations === false || found.documents.length === 0) return collected
  const ids = found.documents.map(({ entryUuid }) => entryUuid)
  const { associations } = await dmp.find({ kind: 'GetAssociations', ids, end: 'source' })
  return { ...collected, found: { ...found, associations: associations.filter(({ type }) => type !== 'HasMember') } }
}

function isOfPackages({ kind }: StoredQuery): boolean {
  return /^(Find|Get)(SubmissionSets|Folders)$/.test(kind)
}
