/** The choke point every operation passes: facts → decide → on a refusal, the trace and then the refusal itself. */
import { randomUUID } from 'node:crypto'
import { decide, decideWithoutObject } from '../access/decide.ts'
import type {
  AccessRequest,
  Deny,
  DocumentFacts,
  Obligation,
  Operation,
  Permit,
  Policy,
  RecordChange,
  RecordFacts,
} from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import type { AffinityDomain } from '../metadata/affinity-domain.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import { effectsOf } from './effects.ts'
import type { AccessRecord, Choices, Clock, Dmp, DocumentCheck, Effects, RequestContext, Trace } from './ports.ts'

/** What the operations are made of; wired in main.ts. */
export interface OperationParts {
  readonly dmp: Dmp
  readonly trace: Trace
  readonly choices: Choices
  readonly clock: Clock
  readonly policy: Policy
  /** Absent: any code may be fed, as far as the access rules know it (`metadata.codes`). */
  readonly affinityDomain?: AffinityDomain
  /** Absent: documents are not compared with their metadata (`metadata.checkCda: off`). */
  readonly checkDocument?: DocumentCheck
}

/** What a request is about, beside who asks and how. */
type About = Omit<AccessRequest, 'operation' | 'caller' | 'purpose' | 'declaration' | 'patient'> & {
  readonly patient: PatientKey
}

/** A permission with the facts it rests on. */
export interface Authorised {
  readonly facts: RecordFacts | undefined
  readonly permit: Permit
}

const noEffects: Effects = { notifications: [] }

/** The request as the guard wants it. */
export function accessRequest(
  operation: Operation,
  context: RequestContext,
  about: Partial<About> = {},
): AccessRequest {
  return {
    operation,
    caller: context.caller,
    purpose: context.purpose,
    ...(context.reason === undefined ? {} : { reason: context.reason }),
    declaration: context.declaration,
    ...about,
  }
}

/** The trace row of this request; documents, decision and effects are the operation's to say. */
export function accessRecord(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  told: {
    readonly patient?: PatientKey | undefined
    readonly documents?: readonly DocumentFacts[] | AccessRecord['documents']
    readonly submissionSet?: AccessRecord['submissionSet']
    readonly outcome: AccessRecord['outcome']
    readonly rule?: string | undefined
    readonly reasonCode?: string | undefined
    readonly change?: RecordChange | undefined
    readonly answeredAbsent?: boolean
    readonly effects?: Effects
  },
): AccessRecord {
  return {
    id: randomUUID(),
    at: parts.clock.now().toISOString(),
    operation,
    door: context.door,
    transaction: context.transaction,
    requestId: context.requestId,
    caller: context.caller,
    purpose: context.purpose,
    ...(context.reason === undefined ? {} : { reason: context.reason }),
    declaration: context.declaration,
    ...(told.patient === undefined ? {} : { patient: told.patient }),
    documents: (told.documents ?? []).map(({ logicalId, uniqueId }) => ({ logicalId, uniqueId })),
    ...(told.submissionSet === undefined ? {} : { submissionSet: told.submissionSet }),
    ...(context.origin === undefined ? {} : { origin: context.origin }),
    ...(told.change === undefined ? {} : { change: told.change }),
    outcome: told.outcome,
    ...(told.rule === undefined ? {} : { rule: told.rule }),
    ...(told.reasonCode === undefined ? {} : { reasonCode: told.reasonCode }),
    ...(told.answeredAbsent && { answeredAbsent: true }),
    effects: told.effects ?? noEffects,
  }
}

/** Records a refusal durably and gives the error that answers the caller. */
export async function refuse(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  deny: Deny,
  patient?: PatientKey,
  change?: RecordChange,
): Promise<GatewayError> {
  await parts.trace.record(
    accessRecord(parts, operation, context, {
      patient,
      outcome: 'refused',
      rule: deny.rule,
      reasonCode: deny.issues[0].code,
      change,
    }),
  )
  return new GatewayError(deny.issues)
}

/** Decides on a known patient. A refusal is on record before it is thrown. */
export async function authorise(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  about: About,
): Promise<Authorised> {
  const facts = await parts.dmp.status(about.patient, context.caller)
  const decision = decide(accessRequest(operation, context, about), facts, parts.policy)
  if (decision.verdict === 'deny') throw await refuse(parts, operation, context, decision, about.patient, about.change)
  await declareAuthorisation(parts, operation, context, about.patient, decision)
  return { facts, permit: decision }
}

/**
 * Decides on the record of something that was found without a patient being named. A refusal is on record, and makes what
 * was found absent: undefined (ACCESS-RULES, A request that names no patient).
 * @param early what was already decided on the patient that the identity names
 */
export async function authoriseFound(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  early: Authorised | undefined,
): Promise<{ readonly facts: RecordFacts; readonly permit: Permit } | undefined> {
  if (early !== undefined && context.caller.patient === patient) {
    const { facts, permit } = early
    if (facts !== undefined) return { facts, permit }
  }
  const facts = await parts.dmp.status(patient, context.caller)
  const decision = decide(accessRequest(operation, context, { patient }), facts, parts.policy)
  if (decision.verdict === 'deny' || facts === undefined) {
    const deny = decision.verdict === 'deny' ? { rule: decision.rule, reasonCode: decision.issues[0].code } : {}
    await parts.trace.record(
      accessRecord(parts, operation, context, { patient, outcome: 'refused', answeredAbsent: true, ...deny }),
    )
    return undefined
  }
  await declareAuthorisation(parts, operation, context, patient, decision)
  return { facts, permit: decision }
}

/**
 * TD0.3 before the act: a remote DMP opens its documents only to whom it knows as authorised. Never without a consent that
 * was declared with this request, and never outside the normal mode: the obligation says so.
 */
export async function declareAuthorisation(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  { obligations, rule }: Permit,
): Promise<void> {
  if (parts.dmp.authorise === undefined || !obligations.includes('record-authorisation')) return
  try {
    await parts.dmp.authorise(patient, 'add')
  } catch (error) {
    const reasonCode = error instanceof GatewayError ? error.code : 'internal'
    await parts.trace.record(accessRecord(parts, operation, context, { patient, outcome: 'failed', rule, reasonCode }))
    throw error
  }
}

/**
 * For a request that names no patient: a remote DMP finds nothing for whom it does not know as authorised, so what this
 * request declares is settled before anything is looked up. A refusal is for the judgement of what is found.
 */
export async function declareBefore(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  ids: readonly string[],
): Promise<void> {
  const { dmp, policy } = parts
  for (const patient of new Set(ids.flatMap((id) => dmp.patientOf?.(id) ?? []))) {
    if (context.caller.patient !== undefined && context.caller.patient !== patient) continue
    const facts = await dmp.status(patient, context.caller)
    const decision = decide(accessRequest(operation, context, { patient }), facts, policy)
    if (decision.verdict === 'permit') await declareAuthorisation(parts, operation, context, patient, decision)
  }
}

/** Decides what does not depend on the object, so that the answer is the same whether or not it exists. */
export async function authoriseWithoutObject(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
): Promise<void> {
  const deny = decideWithoutObject(accessRequest(operation, context), parts.policy)
  if (deny) throw await refuse(parts, operation, context, deny, context.caller.patient)
}

/** The record of something permitted, with the effects its obligations ask for. */
export function permittedRecord(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  told: {
    readonly patient: PatientKey
    readonly documents: readonly DocumentFacts[] | AccessRecord['documents']
    readonly submissionSet?: AccessRecord['submissionSet']
    readonly permit: { readonly rule: string; readonly obligations: readonly Obligation[] }
    readonly change?: RecordChange
    /** logicalIds of documents fed as INVISIBLE_PATIENT. */
    readonly hidden?: ReadonlySet<EntryUuid>
    /** End of an authorisation given now; default: as the policy says. */
    readonly until?: string
  },
): AccessRecord {
  const until = told.until ?? authorisedUntil(parts)
  return accessRecord(parts, operation, context, {
    patient: told.patient,
    documents: told.documents,
    submissionSet: told.submissionSet,
    outcome: 'permitted',
    rule: told.permit.rule,
    change: told.change,
    effects: effectsOf(operation, told.permit.obligations, context, {
      documents: told.documents.map((document) => document.logicalId),
      ...(told.hidden !== undefined && { hidden: told.hidden }),
      ...(until !== undefined && { until }),
    }),
  })
}

function authorisedUntil({ policy: { authorisationDays }, clock }: OperationParts): string | undefined {
  if (authorisationDays === undefined) return undefined
  return new Date(clock.now().getTime() + authorisationDays * 86_400_000).toISOString()
}
