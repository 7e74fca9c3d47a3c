/**
 * TD0.4: the records that the caller is authorised to consult, by the date of authorisation or of the last document. Only
 * the caller's own list, or that of the structure behind its certificate. A record is in it as long as the caller, with
 * the patient's consent declared, could search it; its dates are those of documents that the caller may see.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Caller } from '../access/caller.ts'
import { decide, decideWithoutObject } from '../access/decide.ts'
import type { DocumentFacts, Operation } from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { AvailabilityStatus } from '../metadata/model.ts'
import { accessRecord, accessRequest, type OperationParts, refuse } from './access.ts'
import { accesses } from './accesses.ts'
import type { AuthorisedQuery, AuthorisedRecord, RequestContext, Trace } from './ports.ts'
import type { AuthorisedAnswer, AuthorisedQuestion } from './record-operations.ts'
import { viewOf } from './view.ts'

/** Records in one answer. */
export const mostAuthorised = 5_000
const everyStatus: readonly AvailabilityStatus[] = ['Approved', 'Deprecated', 'Archived', 'Deleted']

export async function authorised(
  parts: OperationParts,
  { by, since }: AuthorisedQuestion,
  context: RequestContext,
): Promise<AuthorisedAnswer> {
  const { trace, policy } = parts
  const decision = decide(accessRequest('TD0.4', context, { by }), undefined, policy)
  if (decision.verdict === 'deny') throw await refuse(parts, 'TD0.4', context, decision)
  const { rule } = decision
  const given = await listOf(parts, { by, since }, context).catch(async (error: unknown) => {
    const reasonCode = error instanceof GatewayError ? error.code : 'internal'
    await trace.record(accessRecord(parts, 'TD0.4', context, { outcome: 'failed', rule, reasonCode }))
    throw error
  })
  const records: AuthorisedRecord[] = []
  for (const record of given.records) {
    const kept = given.judged ? allowed(parts, context, record) : await judged(parts, context, record)
    if (kept !== undefined && (given.judged || by === 'authorisation' || (kept.lastAdd ?? '') >= since))
      records.push(kept)
    // A long list leaves room for others
    if (!given.judged) await turn()
  }
  await trace.record(accessRecord(parts, 'TD0.4', context, { outcome: 'permitted', rule }))
  return { records, unidentified: given.unidentified }
}

async function listOf({ dmp }: OperationParts, question: AuthorisedQuestion, { caller }: RequestContext) {
  if (dmp.authorised === undefined)
    throw new GatewayError('not-a-dmp-operation', { detail: 'This DMP gives no list of authorised records.' })
  const holder = holderOf(caller)
  if (holder === undefined) return { records: [], judged: true, unidentified: 0 }
  const given = await dmp.authorised({ holder, ...question }, caller)
  if (given.records.length > mostAuthorised)
    throw new GatewayError('over-limit', {
      detail: `More than ${mostAuthorised} records: send a later since, or by=authorisation.`,
    })
  return given
}

/** A person has a list of their own; behind a certificate, and for staff, it is the structure's (PDT-INF-526 notes 1 to 3). */
function holderOf({ kind, authentication, person, structure }: Caller): AuthorisedQuery['holder'] | undefined {
  if (kind === 'professional' && authentication !== 'indirect') return person && { person: person.id }
  return structure && { structure: structure.id }
}

/** What the DMP has judged, as far as the rules that need nothing but the patient go (ID4). */
function allowed(
  { policy }: OperationParts,
  context: RequestContext,
  record: AuthorisedRecord,
): AuthorisedRecord | undefined {
  const { patient } = record
  return decideWithoutObject(accessRequest('TD0.2', context, { patient }), policy) ? undefined : record
}

/** The record with its dates, if the caller could search it: undefined when it is closed, blocked or opposed. */
async function judged(
  parts: OperationParts,
  context: RequestContext,
  record: AuthorisedRecord,
): Promise<AuthorisedRecord | undefined> {
  const { dmp, trace, policy } = parts
  const { patient } = record
  const holder = holderOf(context.caller)
  const operation: Operation = holder !== undefined && 'person' in holder ? 'TD3.1a' : 'TD3.1b'
  const facts = await dmp.status(patient, context.caller)
  const asked = { ...context, declaration: { basis: 'explicit', means: 'oral' } } as const
  if (facts === undefined || decide(accessRequest(operation, asked, { patient }), facts, policy).verdict === 'deny')
    return undefined
  const { documents } = await dmp.find({ kind: 'FindDocuments', patient, statuses: everyStatus, criteria: {} })
  const seen = documents.filter(viewOf(parts, operation, context, facts, operation === 'TD3.1b'))
  const lastUpdate = latest(seen, ({ updatedAt }) => updatedAt)
  const lastAdd = latest(seen, ({ depositedAt }) => depositedAt)
  const lastAccess =
    holder !== undefined && 'person' in holder ? await lastAccessOf(trace, patient, holder.person) : undefined
  return {
    ...record,
    treatingPhysician: facts.treatingPhysician,
    ...(lastAccess !== undefined && { lastAccess }),
    ...(lastUpdate !== undefined && { lastUpdate }),
    ...(lastAdd !== undefined && { lastAdd }),
  }
}

async function lastAccessOf(trace: Trace, patient: PatientKey, person: string): Promise<string | undefined> {
  for await (const { record } of accesses(trace, { patient, person })) {
    const { outcome, answeredAbsent, operation, at } = record
    if (outcome === 'permitted' && answeredAbsent !== true && /^TD[23]\./.test(operation)) return at
  }
  return undefined
}

function latest(documents: readonly DocumentFacts[], of: (document: DocumentFacts) => string): string | undefined {
  return documents
    .map(of)
    .reduce<string | undefined>((last, at) => (last === undefined || at > last ? at : last), undefined)
}
