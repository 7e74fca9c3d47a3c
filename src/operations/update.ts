/**
 * TD3.3a–d, by PATCH or by ITI-57: what a change of metadata amounts to in DMP terms is worked out first, each of those
 * operations is decided on, and the whole is stored in one commit. In profile `ihe` it is one registry operation.
 */
import { decideWithoutObject } from '../access/decide.ts'
import type { DocumentFacts, Obligation, Operation, RecordFacts } from '../access/types.ts'
import { statusOperation, unmodifiable, visibilityOperations } from '../access/updates.ts'
import { GatewayError, type Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import { accessRecord, accessRequest, authorise, type OperationParts, permittedRecord, refuse } from './access.ts'
import type { MetadataUpdate, Receipt, RequestContext } from './ports.ts'
import { updateRegistry } from './update-registry.ts'
import { viewOf } from './view.ts'

/** One DMP operation on one stored document. */
interface Act {
  readonly operation: Operation
  readonly target: DocumentFacts
  /** The label set after the act, where it changes. */
  readonly newConfidentiality?: readonly string[]
}

/** A part of a change, and the stored document it is about. */
type Part =
  | { readonly to: DocumentEntry; readonly target: DocumentFacts; readonly before: DocumentEntry }
  | { readonly to: MetadataUpdate['statuses'][number]['to']; readonly target: DocumentFacts; readonly before?: never }

export async function update(parts: OperationParts, change: MetadataUpdate, context: RequestContext): Promise<Receipt> {
  // ITI-92 is an operation of a registry whatever it changes: the guard refuses it in the DMP (UP7)
  const ofTheRegistry = parts.policy.profile === 'ihe' || change.restricted === true
  return ofTheRegistry ? updateRegistry(parts, change, context) : updateDmp(parts, change, context)
}

async function updateDmp(parts: OperationParts, change: MetadataUpdate, context: RequestContext): Promise<Receipt> {
  const { patient } = change
  const operation = await operationOf(parts, change, context)
  await refuseIssues(parts, operation, change, context, notOfTheDmp(change))

  const facts = await parts.dmp.status(patient, context.caller)
  if (facts === undefined) {
    await authorise(parts, operation, context, { patient })
    throw new GatewayError({ code: 'dmp-unknown', rule: 'ID2' })
  }
  const changes = await changesOf(parts, change, context, operation, facts)
  const { acts, issues } = actsOf(changes)
  await refuseIssues(parts, operation, change, context, issues, changes)

  const obligations = new Set<Obligation>()
  let rule = ''
  for (const { operation: act, ...about } of acts) {
    const { permit } = await authorise(parts, act, context, { patient, ...about })
    for (const obligation of permit.obligations) obligations.add(obligation)
    rule ||= permit.rule
  }
  const record = permittedRecord(parts, acts[0]?.operation ?? operation, context, {
    patient,
    documents: [...new Set(changes.map(({ target }) => target))],
    permit: { rule, obligations: [...obligations] },
  })
  const versions = change.versions.map((version, index) => ({
    ...version,
    object: carriedOver(changes[index], version.object),
  }))
  // What UP8 leaves to be changed is less than ITI-92 does, and a document may be masked whatever its status.
  return parts.dmp.update({ ...change, versions, restricted: true }, record)
}

/** Visibility operations that a new version may turn out to be. */
const visibility = ['TD3.3a.mask', 'TD3.3a.unmask', 'TD3.3b'] as const

/**
 * The operation that the change asks for, as far as it can be told before any object is looked up. What refuses every
 * operation it may turn out to be refuses it now, with the same answer whether or not the object exists.
 */
async function operationOf(
  parts: OperationParts,
  { patient, versions, statuses }: MetadataUpdate,
  context: RequestContext,
): Promise<Operation> {
  const asked: (readonly [Operation, ...Operation[]])[] = [
    ...(versions.length > 0 ? [visibility] : []),
    ...statuses.map(({ to }) => [to === 'Deleted' ? 'TD3.3c' : 'TD3.3d'] as const),
  ]
  for (const [first, ...others] of asked) {
    const deny = decideWithoutObject(accessRequest(first, context, { patient }), parts.policy)
    if (deny === undefined) continue
    const open = others.some((each) => !decideWithoutObject(accessRequest(each, context, { patient }), parts.policy))
    if (!open) throw await refuse(parts, first, context, deny, patient)
  }
  return asked[0]?.[0] ?? 'TD3.3a.mask'
}

/** What no document of the DMP can be asked, whatever is stored. */
function notOfTheDmp({ submissionSet, versions, statuses, associations }: MetadataUpdate): Issue[] {
  const issues: Issue[] = []
  const report = (location: string, detail: string) =>
    issues.push({ code: 'not-a-dmp-operation', rule: 'UP8', location, detail })
  const members = new Set(versions.map(({ object }) => object.entryUuid))
  for (const { object } of versions)
    if (object.kind !== 'DocumentEntry') report(object.entryUuid, 'The DMP has no folders: update documents.')
  for (const { entryUuid, type, source, target } of associations)
    if (type !== 'HasMember' || source !== submissionSet?.entryUuid || !members.has(target))
      report(
        entryUuid,
        `${type}: an update brings the HasMember of its new versions only; relate documents by feeding.`,
      )
  if (versions.length + statuses.length === 0)
    report(submissionSet?.entryUuid ?? '', 'The update changes nothing: send a new version, or a new status.')
  return issues
}

/** The stored documents that the change is about. One that the caller may not see is answered as an absent one. */
async function changesOf(
  parts: OperationParts,
  change: MetadataUpdate,
  context: RequestContext,
  operation: Operation,
  facts: RecordFacts,
): Promise<readonly Part[]> {
  const visible = viewOf(parts, operation, context, facts)
  const find = async (id: EntryUuid): Promise<DocumentFacts> => {
    const { documents } = await parts.dmp.find({ kind: 'GetDocuments', by: 'any', ids: [id] })
    const [target] = documents.filter((document) => document.patient === change.patient)
    if (target === undefined || !visible(target)) throw await absent(parts, operation, context, change, target)
    return target
  }
  const changes: Part[] = []
  for (const { object } of change.versions) {
    if (object.kind !== 'DocumentEntry') continue
    const target = await find(object.logicalId)
    for await (const before of parts.dmp.read([target.entryUuid])) changes.push({ to: object, target, before })
  }
  for (const { target: id, to } of change.statuses) {
    const updated = change.versions.find(({ object }) => object.entryUuid === id)
    changes.push({ to, target: await find(updated?.object.logicalId ?? id) })
  }
  return changes
}

/** The DMP operations a change amounts to; whatever is none of them is an issue, naming each attribute (UP8). */
function actsOf(changes: readonly Part[]): { readonly acts: readonly Act[]; readonly issues: readonly Issue[] } {
  const acts: Act[] = []
  const issues: Issue[] = []
  for (const { to, target, before } of changes) {
    const { availabilityStatus: status, confidentiality } = target
    if (before !== undefined) {
      issues.push(...(status === 'Deleted' ? [fixed(target, status, 'a new version')] : unmodifiable(before, to)))
      const newConfidentiality = to.confidentialityCodes.map(({ code }) => code)
      const operations = visibilityOperations(confidentiality, newConfidentiality)
      // The same labels again are decided on as what they say.
      const again = newConfidentiality.includes('MASQUE_PS') ? 'TD3.3a.mask' : 'TD3.3b'
      for (const operation of operations.length > 0 ? operations : ([again] as const))
        acts.push({ operation, target, newConfidentiality })
    } else {
      const operation = statusOperation(status, to)
      if (operation === undefined) issues.push(fixed(target, status, to))
      else acts.push({ operation, target })
    }
  }
  return { acts, issues }
}

function fixed({ entryUuid }: DocumentFacts, status: string, to: string): Issue {
  return {
    code: 'attribute-not-modifiable',
    rule: 'UP8',
    location: `${entryUuid}/availabilityStatus`,
    detail: `${status} does not become ${to}: archive (Archived ⇄ Approved), delete (Deleted, final), or replace the document.`,
  }
}

/** What the repository set stays where the new version does not repeat it. */
function carriedOver<T>(part: Part | undefined, object: T): T | DocumentEntry {
  if (part?.before === undefined) return object
  const { repositoryUniqueId, hash, size, uri, homeCommunityId, documentAvailability } = part.before
  const stored = { repositoryUniqueId, hash, size, uri, homeCommunityId, documentAvailability }
  const known = Object.entries(stored).filter(([, value]) => value !== undefined)
  return { ...(Object.fromEntries(known) as Partial<DocumentEntry>), ...part.to }
}

async function refuseIssues(
  parts: OperationParts,
  operation: Operation,
  { patient }: MetadataUpdate,
  context: RequestContext,
  issues: readonly Issue[],
  changes: readonly Part[] = [],
): Promise<void> {
  const [first] = issues
  if (first === undefined) return
  await parts.trace.record(
    accessRecord(parts, operation, context, {
      patient,
      documents: changes.map(({ target }) => target),
      outcome: 'refused',
      rule: 'UP8',
      reasonCode: first.code,
    }),
  )
  throw new GatewayError(issues)
}

/** @param hidden the document, where there is one that the caller may not see: the trace alone knows */
async function absent(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  { patient }: MetadataUpdate,
  hidden: DocumentFacts | undefined,
): Promise<GatewayError> {
  await parts.trace.record(
    accessRecord(parts, operation, context, {
      patient,
      ...(hidden && { documents: [hidden], rule: 'DF' }),
      outcome: hidden ? 'refused' : 'failed',
      reasonCode: 'not-found',
    }),
  )
  return new GatewayError('not-found', { detail: 'No document is known under this id.' })
}
