/** TD2.1 and TD2.1b: a submission is judged whole, completed with what the bytes say, and stored in one commit. */

import { HIDDEN_FROM_PATIENT, isLotSignature } from '../access/confidentiality.ts'
import { decideWithoutObject } from '../access/decide.ts'
import type { Operation } from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { DocumentEntry, Submission } from '../metadata/model.ts'
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
import { refuseUnresolved, relating, replacing, type Targets, targetsOf, withCurrentTargets } from './targets.ts'

export async function feed(
  parts: OperationParts,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
  context: RequestContext,
  options: FeedOptions = {},
): Promise<Receipt> {
  const { register = false } = options
  const before = options.resumed ? await receiptOf(parts, submission) : undefined
  if (before) return before
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

  const targets = await targetsOf(parts, completed, patient, context, options)
  const { facts, permit } = await permission(parts, operation, context, patient, completed, targets)
  await refuseUnresolved(parts, operation, context, patient, targets)
  const stored = maskedByDefault(withCurrentTargets(completed, targets, options), facts)
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
    targets: new Map([...targets.known].map(([id, { logicalId }]) => [id, logicalId])),
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

function submissionSetOf({ submissionSet: { entryUuid, uniqueId } }: Submission): AccessRecord['submissionSet'] {
  return { entryUuid, uniqueId }
}

/** The receipt of a submission that is stored: its SubmissionSet and entries are there under the UUIDs that it gave them. */
async function receiptOf(
  { dmp }: OperationParts,
  { submissionSet, entries }: Submission,
): Promise<Receipt | undefined> {
  const ids = entries.map(({ entryUuid }) => entryUuid)
  const [{ submissionSets }, { documents }] = await Promise.all([
    dmp.find({ kind: 'GetSubmissionSets', by: 'entryUuid', ids: [submissionSet.entryUuid] }),
    dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids }),
  ])
  const [stored] = submissionSets
  const [first] = documents
  if (stored === undefined || first === undefined || documents.length < ids.length) return undefined
  const stands: DocumentEntry[] = []
  for await (const entry of dmp.read(ids)) stands.push(entry)
  return { submissionSet: stored, entries: stands, at: first.depositedAt, warnings: [] }
}
