/** TD2.1 and TD2.1b: a submission is judged whole, completed with what the bytes say, and stored in one commit. */

import { decideWithoutObject } from '../access/decide.ts'
import type { DocumentFacts, Operation, RecordFacts } from '../access/types.ts'
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Association, Code, DocumentEntry, Submission } from '../metadata/model.ts'
import { validateSubmission } from '../metadata/rules.ts'
import { codeOf } from '../nomenclature/index.ts'
import {
  type Authorised,
  accessRecord,
  accessRequest,
  authorise,
  type OperationParts,
  permittedRecord,
  refuse,
} from './access.ts'
import type { DocumentContent, Receipt, RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

const replacing: ReadonlySet<Association['type']> = new Set(['RPLC', 'XFRM_RPLC'])

export async function feed(
  parts: OperationParts,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
  context: RequestContext,
): Promise<Receipt> {
  const operation: Operation = submission.associations.some(({ type }) => replacing.has(type)) ? 'TD2.1b' : 'TD2.1'
  const early = decideWithoutObject(accessRequest(operation, context), parts.policy)
  if (early) throw await refuse(parts, operation, context, early, context.caller.patient)

  const patient = patientOf(submission)
  const measured = submission.entries.map((entry) => measure(entry, contents.get(entry.entryUuid), parts))
  const completed: Submission = { ...submission, entries: measured.map(({ entry }) => entry) }
  const issues = [
    ...validateSubmission(completed, { profile: parts.policy.profile }),
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
  const receipt = await parts.dmp.feed(stored.submission, contents, record)
  return { ...receipt, warnings: [...permit.warnings, ...stored.warnings, ...receipt.warnings] }
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

/** Hash, size and repository are what the bytes and the house say; a claim that differs is a violation. */
function measure(
  entry: DocumentEntry,
  content: DocumentContent | undefined,
  { dmp }: OperationParts,
): { entry: DocumentEntry; issues: Issue[] } {
  const issues: Issue[] = []
  const report = (attribute: string, detail: string) =>
    issues.push({ code: 'XDSRepositoryMetadataError', rule: 'D5', location: `${entry.entryUuid}/${attribute}`, detail })
  if (content === undefined) {
    issues.push({
      code: 'XDSMissingDocument',
      location: entry.entryUuid,
      detail: 'The DocumentEntry has no document: send its bytes with it.',
    })
    return { entry, issues }
  }
  if (entry.hash !== undefined && entry.hash.toLowerCase() !== content.sha1)
    report('hash', `The SHA-1 of the ${content.size} bytes received is ${content.sha1}: send that, or no hash.`)
  if (entry.size !== undefined && entry.size !== content.size)
    report('size', `${content.size} bytes were received, the metadata say ${entry.size}: send the right size, or none.`)
  return {
    entry: { ...entry, hash: content.sha1, size: content.size, repositoryUniqueId: dmp.repositoryUniqueId },
    issues,
  }
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

const masked: Code | undefined = codeOf('confidentialityCode', 'MASQUE_PS')

/** DF7: what is fed as plain N is stored masked when the patient chose so, and the receipt says it. */
function maskedByDefault(
  submission: Submission,
  facts: RecordFacts | undefined,
): { submission: Submission; warnings: Issue[] } {
  if (!facts?.choices.maskByDefault || masked === undefined) return { submission, warnings: [] }
  const warnings: Issue[] = []
  const entries = submission.entries.map((entry) => {
    if (entry.confidentialityCodes.some(({ code }) => code !== 'N')) return entry
    warnings.push({
      code: 'XDSExtraMetadataNotSaved',
      severity: 'warning',
      rule: 'DF7',
      location: `${entry.entryUuid}/confidentialityCode`,
      detail: 'The patient masks new documents by default: this one is stored with MASQUE_PS.',
    })
    return { ...entry, confidentialityCodes: [...entry.confidentialityCodes, masked] }
  })
  return { submission: { ...submission, entries }, warnings }
}
