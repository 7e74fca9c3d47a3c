/** TD2.1 and TD2.1b: a submission is judged whole, completed with what the bytes say, and stored in one commit. */

import { HIDDEN_FROM_PATIENT, isLotSignature } from '../access/confidentiality.ts'
import { decideWithoutObject } from '../access/decide.ts'
import type { DocumentFacts, Operation } from '../access/types.ts'
import { GatewayError, type Issue } from '../errors.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Association, Submission } from '../metadata/model.ts'
import {
  type Authorised,
  accessRecord,
  accessRequest,
  authorise,
  type OperationParts,
  permittedRecord,
  refuse,
} from './access.ts'
import { maskedByDefault } from './complete.ts'
import { judge } from './judge.ts'
import type { FeedOptions } from './operations.ts'
import type { AccessRecord, DocumentContent, Receipt, RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

const replacing: ReadonlySet<Association['type']> = new Set(['RPLC', 'XFRM_RPLC'])
/** Associations from a new document to one that stands already, and memberships, which may name such a one too. */
const relating: ReadonlySet<Association['type']> = new Set(['RPLC', 'XFRM_RPLC', 'APND', 'XFRM', 'IsSnapshotOf'])
const referring: ReadonlySet<Association['type']> = new Set([...relating, 'HasMember'])

export async function feed(
  parts: OperationParts,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
  context: RequestContext,
  { register = false }: FeedOptions = {},
): Promise<Receipt> {
  const operation = operationOf(submission, register)
  const early = decideWithoutObject(accessRequest(operation, context), parts.policy)
  if (early) throw await refuse(parts, operation, context, early, context.caller.patient)

  const { completed, patient, issues, warnings } = await judge(parts, submission, contents, { register })
  if (patient === undefined || issues.length > 0) {
    await parts.trace.record(
      accessRecord(parts, operation, context, { patient, outcome: 'failed', reasonCode: issues[0]?.code }),
    )
    throw new GatewayError(issues)
  }

  const targets = await targetsOf(parts, completed, patient, context)
  const { facts, permit } = await permission(parts, operation, context, patient, completed, targets)
  await refuseUnresolved(parts, operation, context, patient, targets)
  const stored = maskedByDefault(withCurrentTargets(completed, targets.known), facts)
  const record = permittedRecord(parts, operation, context, {
    patient,
    documents: stored.submission.entries.filter((entry) => !isLotSignature(entry)),
    submissionSet: submissionSetOf(stored.submission),
    permit,
    hidden: hiddenFromPatient(stored.submission.entries),
  })
  const receipt = await parts.dmp.feed(stored.submission, contents, record, { register })
  return {
    ...receipt,
    warnings: [...warnings, ...permit.warnings, ...stored.warnings, ...receipt.warnings],
  }
}

function hiddenFromPatient(entries: Submission['entries']): ReadonlySet<EntryUuid> {
  const hides = ({ confidentialityCodes }: Submission['entries'][number]) =>
    confidentialityCodes.some(({ code }) => code === HIDDEN_FROM_PATIENT)
  return new Set(entries.filter(hides).map(({ logicalId }) => logicalId))
}

/** A registration without documents (ITI-42) is no DMP operation: only profile `ihe` knows it. */
function operationOf({ associations }: Submission, register: boolean): Operation {
  if (register) return 'registry'
  return associations.some(({ type }) => replacing.has(type)) ? 'TD2.1b' : 'TD2.1'
}

/** A replacement is permitted only if each replaced document is one the caller may replace (UP9). */
async function permission(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  { entries, associations, submissionSet }: Submission,
  { known }: Targets,
): Promise<Authorised> {
  const related = associations.filter(({ type }) => relating.has(type)).flatMap(({ target }) => known.get(target) ?? [])
  const [first, ...others] = new Set(related)
  const about = { patient, entries, submissionSet }
  const authorised = await authorise(parts, operation, context, { ...about, ...(first && { target: first }) })
  for (const target of others) await authorise(parts, operation, context, { ...about, target })
  return authorised
}

interface Targets {
  /** Of this patient, and the caller may know of them; by the identifier the association used. */
  readonly known: ReadonlyMap<EntryUuid, DocumentFacts>
  /** Of this patient, and hidden from the caller. */
  readonly hidden: readonly DocumentFacts[]
  /** Associations of a person that lead to what is not there, for this caller. */
  readonly unresolved: readonly Association[]
}

/** The stored documents that associations point to, as this caller may know them. */
async function targetsOf(
  parts: OperationParts,
  { entries, submissionSet, folders, associations }: Submission,
  patient: PatientKey,
  context: RequestContext,
): Promise<Targets> {
  const inMessage = new Set([submissionSet, ...entries, ...folders, ...associations].map(({ entryUuid }) => entryUuid))
  const outside = associations.filter(({ type, target }) => referring.has(type) && !inMessage.has(target))
  const known = new Map<EntryUuid, DocumentFacts>()
  const hidden: DocumentFacts[] = []
  if (outside.length === 0) return { known, hidden, unresolved: [] }
  const facts = await parts.dmp.status(patient, context.caller)
  // What a structure or its staff may replace is for UP9, which says so; the tester of profile `ihe` sees everything
  const person = !['structure', 'staff', 'tester'].includes(context.caller.kind)
  const visible = person && facts ? viewOf(parts, 'TD2.1b', context, facts) : () => true
  for (const id of new Set(outside.map(({ target }) => target))) {
    const [found] = (await parts.dmp.find({ kind: 'GetDocuments', by: 'any', ids: [id] })).documents
    if (found === undefined || found.patient !== patient) continue
    if (visible(found)) known.set(id, found)
    else hidden.push(found)
  }
  const unresolved = person ? outside.filter(({ target }) => !known.has(target)) : []
  return { known, hidden, unresolved }
}

/**
 * A document hidden from a person is answered as an absent one or one of another patient, here too and at the same point;
 * the trace alone knows better.
 */
async function refuseUnresolved(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  { hidden, unresolved }: Targets,
): Promise<void> {
  const issues = unresolved.map(
    ({ entryUuid, type, target }): Issue => ({
      code: 'UnresolvedReferenceException',
      location: entryUuid,
      detail: `${type} refers to ${target}: send the entryUUID of an object that is registered here.`,
    }),
  )
  if (issues.length === 0) return
  const outcome = hidden.length > 0 ? ({ outcome: 'refused', rule: 'DF' } as const) : ({ outcome: 'failed' } as const)
  await parts.trace.record(
    accessRecord(parts, operation, context, { patient, documents: hidden, ...outcome, reasonCode: 'not-found' }),
  )
  throw new GatewayError(issues)
}

/** A source may know the document it replaces by its logicalID (a FHIR id); what is stored names the current version. */
function withCurrentTargets(submission: Submission, targets: ReadonlyMap<EntryUuid, DocumentFacts>): Submission {
  return {
    ...submission,
    associations: submission.associations.map((association) => {
      const current = relating.has(association.type) ? targets.get(association.target)?.entryUuid : undefined
      return current === undefined || current === association.target ? association : { ...association, target: current }
    }),
  }
}

function submissionSetOf({ submissionSet: { entryUuid, uniqueId } }: Submission): AccessRecord['submissionSet'] {
  return { entryUuid, uniqueId }
}
