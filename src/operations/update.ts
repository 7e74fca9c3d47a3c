/**
 * TD3.3a–d, by PATCH or by ITI-57: what a change of metadata amounts to in DMP terms is worked out first, each of those
 * operations is decided on, and the whole is stored in one commit. In profile `ihe` it is one registry operation.
 */

import { decideWithoutObject } from '../access/decide.ts'
import type { DocumentFacts, Obligation, Operation } from '../access/types.ts'
import { statusOperation, unmodifiable, visibilityOperations } from '../access/updates.ts'
import { GatewayError, type Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import { accessRecord, accessRequest, authorise, type OperationParts, permittedRecord, refuse } from './access.ts'
import type { MetadataUpdate, Receipt, RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

/** One DMP operation on one stored document. */
interface Act {
  readonly operation: Operation
  readonly target: DocumentFacts
  /** The label set after the act, where it changes. */
  readonly newConfidentiality?: readonly string[]
}

export async function update(parts: OperationParts, change: MetadataUpdate, context: RequestContext): Promise<Receipt> {
  return parts.policy.profile === 'ihe' ? updateRegistry(parts, change, context) : updateDmp(parts, change, context)
}

async function updateRegistry(
  parts: OperationParts,
  change: MetadataUpdate,
  context: RequestContext,
): Promise<Receipt> {
  const { patient } = change
  const { permit } = await authorise(parts, 'registry', context, { patient })
  const documents = await documentsOf(parts, change)
  return parts.dmp.update(change, permittedRecord(parts, 'registry', context, { patient, documents, permit }))
}

async function updateDmp(parts: OperationParts, change: MetadataUpdate, context: RequestContext): Promise<Receipt> {
  const { patient } = change
  const stored = await documentsOf(parts, change)
  const acts = await actsOf(parts, change, context, stored)
  const [first] = acts
  const operation = first?.operation ?? 'TD3.3a.mask'
  const early = decideWithoutObject(accessRequest(operation, context, { patient }), parts.policy)
  if (early) throw await refuse(parts, operation, context, early, patient)

  const facts = await parts.dmp.status(patient, context.caller)
  const visible = facts && viewOf(parts, operation, context, facts)
  // A document that is hidden from the caller, or another patient's, is answered as an absent one.
  if (acts.some(({ target }) => target.patient !== patient || !visible?.(target)))
    throw await absent(parts, operation, context, change)

  const obligations = new Set<Obligation>()
  let rule = ''
  for (const { operation: act, ...about } of acts) {
    const { permit } = await authorise(parts, act, context, { patient, ...about })
    for (const obligation of permit.obligations) obligations.add(obligation)
    rule = permit.rule
  }
  const record = permittedRecord(parts, operation, context, {
    patient,
    documents: acts.map(({ target }) => target),
    permit: { rule, obligations: [...obligations] },
  })
  return parts.dmp.update(change, record)
}

/** Every document the change names, as stored now. */
async function documentsOf(
  { dmp }: OperationParts,
  { versions, statuses }: MetadataUpdate,
): Promise<readonly DocumentFacts[]> {
  const ids = [...versions.map(({ object }) => object.logicalId), ...statuses.map(({ target }) => target)]
  return (await dmp.find({ kind: 'GetDocuments', by: 'any', ids: [...new Set(ids)] })).documents
}

/** The DMP operations a change amounts to; whatever is none of them is refused, naming each attribute (UP8). */
async function actsOf(
  parts: OperationParts,
  change: MetadataUpdate,
  context: RequestContext,
  documents: readonly DocumentFacts[],
): Promise<readonly Act[]> {
  const issues: Issue[] = []
  const acts: Act[] = []
  const storedUnder = (id: EntryUuid) =>
    documents.find(({ logicalId, entryUuid }) => logicalId === id || entryUuid === id)
  for (const { object } of change.versions) {
    const target = storedUnder(object.logicalId)
    if (target === undefined) throw await absent(parts, 'TD3.3a.mask', context, change)
    const before = await entryOf(parts, target)
    if (object.kind !== 'DocumentEntry' || before === undefined) {
      issues.push(notPossible(object.entryUuid, 'Only DocumentEntries have new versions in the DMP.'))
      continue
    }
    issues.push(...unmodifiable(before, object))
    const newConfidentiality = object.confidentialityCodes.map(({ code }) => code)
    const operations = visibilityOperations(target.confidentiality, newConfidentiality)
    for (const operation of operations.length > 0 ? operations : (['TD3.3b'] as const))
      acts.push({ operation, target, newConfidentiality })
  }
  for (const { target: id, to } of change.statuses) {
    const target = storedUnder(id)
    if (target === undefined) throw await absent(parts, 'TD3.3d', context, change)
    const operation = statusOperation(target.availabilityStatus, to)
    if (operation === undefined)
      issues.push({
        code: 'attribute-not-modifiable',
        rule: 'UP8',
        location: `${id}/availabilityStatus`,
        detail: `${target.availabilityStatus} does not become ${to}: archive (Archived ⇄ Approved), delete (Deleted, final), or replace the document.`,
      })
    else acts.push({ operation, target })
  }
  if (issues.length > 0) {
    await parts.trace.record(
      accessRecord(parts, acts[0]?.operation ?? 'TD3.3a.mask', context, {
        patient: change.patient,
        documents,
        outcome: 'refused',
        rule: 'UP8',
        reasonCode: issues[0]?.code,
      }),
    )
    throw new GatewayError(issues)
  }
  return acts
}

async function entryOf({ dmp }: OperationParts, { entryUuid }: DocumentFacts): Promise<DocumentEntry | undefined> {
  for await (const entry of dmp.read([entryUuid])) return entry
  return undefined
}

function notPossible(location: string, detail: string): Issue {
  return { code: 'attribute-not-modifiable', rule: 'UP8', location, detail }
}

async function absent(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  { patient }: MetadataUpdate,
): Promise<GatewayError> {
  await parts.trace.record(
    accessRecord(parts, operation, context, { patient, outcome: 'refused', rule: 'DF', reasonCode: 'not-found' }),
  )
  return new GatewayError('not-found', { detail: 'No document is known under this id.' })
}
