/** TD2.1 and TD2.1b: a submission is judged whole, completed with what the bytes say, and stored in one commit. */

import { decideWithoutObject } from '../access/decide.ts'
import type { DocumentFacts, Operation } from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Association, Submission } from '../metadata/model.ts'
import { validateSubmission } from '../metadata/rules.ts'
import {
  type Authorised,
  accessRecord,
  accessRequest,
  authorise,
  type OperationParts,
  permittedRecord,
  refuse,
} from './access.ts'
import { complete, maskedByDefault, measure } from './complete.ts'
import type { FeedOptions } from './operations.ts'
import type { DocumentContent, Receipt, RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

const replacing: ReadonlySet<Association['type']> = new Set(['RPLC', 'XFRM_RPLC'])

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

  const patient = patientOf(submission)
  const measured = submission.entries.map((entry) =>
    register ? { entry, issues: [] } : measure(entry, contents.get(entry.entryUuid), parts.dmp.repositoryUniqueId),
  )
  const entries = measured.map(({ entry }) =>
    parts.policy.profile === 'ci-sis' ? complete(entry) : { entry, warnings: [] },
  )
  const completed: Submission = { ...submission, entries: entries.map(({ entry }) => entry) }
  const issues = [
    ...validateSubmission(completed, { profile: parts.policy.profile, register }),
    ...measured.flatMap((each) => each.issues),
  ]
  if (patient === undefined || issues.length > 0) {
    if (issues.length === 0)
      issues.push({ code: 'XDSRegistryMetadataError', detail: 'The submission names no patient.' })
    await parts.trace.record(
      accessRecord(parts, operation, context, { patient, outcome: 'failed', reasonCode: issues[0]?.code }),
    )
    throw new GatewayError(issues)
  }

  const targets = await targetsOf(parts, completed.associations)
  const { facts, permit } = await permission(parts, operation, context, patient, completed, [...targets.values()])
  const stored = maskedByDefault(withCurrentTargets(completed, targets), facts)
  const record = permittedRecord(parts, operation, context, {
    patient,
    documents: stored.submission.entries,
    permit,
  })
  const receipt = await parts.dmp.feed(stored.submission, contents, record, { register })
  return {
    ...receipt,
    warnings: [
      ...entries.flatMap(({ warnings }) => warnings),
      ...permit.warnings,
      ...stored.warnings,
      ...receipt.warnings,
    ],
  }
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
  { entries }: Submission,
  targets: readonly DocumentFacts[],
): Promise<Authorised> {
  // An object of another patient is absent: dmp.feed answers it as an unresolved reference.
  const mine = targets.filter((target) => target.patient === patient)
  await refuseHidden(parts, operation, context, patient, mine)
  const [first, ...others] = mine
  const authorised = await authorise(parts, operation, context, { patient, entries, ...(first && { target: first }) })
  for (const target of others) await authorise(parts, operation, context, { patient, entries, target })
  return authorised
}

/** A document hidden from a person is answered as an absent one, here too; the trace alone knows better. */
async function refuseHidden(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  targets: readonly DocumentFacts[],
): Promise<void> {
  const { kind } = context.caller
  if (targets.length === 0 || kind === 'structure' || kind === 'staff') return
  const facts = await parts.dmp.status(patient, context.caller)
  if (facts === undefined) return
  const visible = viewOf(parts, 'TD2.1b', context, facts)
  const hidden = targets.filter((target) => !visible(target))
  if (hidden.length === 0) return
  await parts.trace.record(
    accessRecord(parts, operation, context, {
      patient,
      documents: hidden,
      outcome: 'refused',
      rule: 'DF',
      reasonCode: 'not-found',
    }),
  )
  throw new GatewayError('UnresolvedReferenceException', {
    detail: 'An association refers to a document that is not known.',
  })
}

function patientOf({ submissionSet, entries }: Submission): PatientKey | undefined {
  const cx = submissionSet.patientId ?? entries[0]?.patientId
  return cx && patientKeyOf(cx)
}

/** The stored documents that relationship associations point to, by the identifier the association used. */
async function targetsOf(
  { dmp }: OperationParts,
  associations: readonly Association[],
): Promise<ReadonlyMap<EntryUuid, DocumentFacts>> {
  const wanted = associations.filter(({ type }) => type !== 'HasMember').map(({ target }) => target)
  const targets = new Map<EntryUuid, DocumentFacts>()
  if (wanted.length === 0) return targets
  for (const id of new Set(wanted)) {
    const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'any', ids: [id] })
    if (documents[0]) targets.set(id, documents[0])
  }
  return targets
}

/** A source may know the document it replaces by its logicalID (a FHIR id); what is stored names the current version. */
function withCurrentTargets(submission: Submission, targets: ReadonlyMap<EntryUuid, DocumentFacts>): Submission {
  return {
    ...submission,
    associations: submission.associations.map((association) => {
      const current = targets.get(association.target)?.entryUuid
      return current === undefined || current === association.target ? association : { ...association, target: current }
    }),
  }
}
