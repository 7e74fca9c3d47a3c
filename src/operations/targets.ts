/** What the associations of a submission point to outside it, as the caller may know it. */
import type { DocumentFacts, Operation } from '../access/types.ts'
import { GatewayError, type Issue } from '../errors.ts'
import { type EntryUuid, isEntryUuid, type PatientKey } from '../metadata/identifiers.ts'
import type { Association, Submission } from '../metadata/model.ts'
import { accessRecord, type OperationParts } from './access.ts'
import type { FeedOptions } from './operations.ts'
import type { RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

export const replacing: ReadonlySet<Association['type']> = new Set(['RPLC', 'XFRM_RPLC'])
/** Associations from a new document to one that stands already, and memberships, which may name such a one too. */
export const relating: ReadonlySet<Association['type']> = new Set(['RPLC', 'XFRM_RPLC', 'APND', 'XFRM', 'IsSnapshotOf'])
const referring: ReadonlySet<Association['type']> = new Set([...relating, 'HasMember'])

export interface Targets {
  /** Of this patient, and the caller may know of them; by the identifier the association used. */
  readonly known: ReadonlyMap<EntryUuid, DocumentFacts>
  /** Of this patient, and hidden from the caller. */
  readonly hidden: readonly DocumentFacts[]
  /** One issue for each name that leads to what is not there, for this caller. */
  readonly unresolved: readonly Issue[]
}

/** The stored documents that associations point to, as this caller may know them. */
export async function targetsOf(
  parts: OperationParts,
  submission: Submission,
  patient: PatientKey,
  context: RequestContext,
  { targets: standIns = new Map(), superseded = [] }: FeedOptions,
): Promise<Targets> {
  const { entries, submissionSet, folders, associations } = submission
  const inMessage = new Set([submissionSet, ...entries, ...folders, ...associations].map(({ entryUuid }) => entryUuid))
  const outside = associations.filter(
    ({ type, target }) => (referring.has(type) && !inMessage.has(target)) || standIns.has(target),
  )
  const known = new Map<EntryUuid, DocumentFacts>()
  const hidden = new Map<EntryUuid, DocumentFacts>()
  if (outside.length === 0 && superseded.length === 0) return { known, hidden: [], unresolved: [] }
  const facts = await parts.dmp.status(patient, context.caller)
  // The tester of profile `ihe` sees everything
  const { kind } = context.caller
  const visible = kind !== 'tester' && facts ? viewOf(parts, 'TD2.1b', context, facts) : () => true
  for (const id of new Set([...outside.map(({ target }) => target), ...superseded.map((each) => each.id)])) {
    const found = await lookUp(parts, id, standIns, patient)
    if (found === undefined) continue
    if (visible(found)) known.set(id, found)
    else hidden.set(id, found)
  }
  // A remote DMP may know what it does not let a certificate look up: what was not found is for the DMP to say, alike
  const looksUp = !['structure', 'staff', 'tester'].includes(kind)
  const lost = outside.filter(
    ({ target }) => !known.has(target) && (looksUp || hidden.has(target) || standIns.has(target)),
  )
  return {
    known,
    hidden: [...hidden.values()],
    unresolved: [
      ...lost.map((association) => unresolved(association, standIns)),
      ...notReplaced(submission, known, superseded),
    ],
  }
}

/** The document of this patient under an entryUUID of any version, or under the uniqueId that a stand-in is for. */
async function lookUp(
  { dmp }: OperationParts,
  id: EntryUuid,
  standIns: NonNullable<FeedOptions['targets']>,
  patient: PatientKey,
): Promise<DocumentFacts | undefined> {
  const ofPatient = (documents: readonly DocumentFacts[]) =>
    documents.filter((document) => document.patient === patient)
  const uniqueId = standIns.get(id)
  if (uniqueId !== undefined) {
    const found = ofPatient((await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [uniqueId] })).documents)
    const first = found.find(({ availabilityStatus }) => availabilityStatus === 'Approved') ?? found[0]
    // `urn:uuid:…` under urn:ietf:rfc:3986 may be a uniqueId or an entryUUID
    if (first !== undefined || !isEntryUuid(uniqueId)) return first
  }
  return ofPatient((await dmp.find({ kind: 'GetDocuments', by: 'any', ids: [uniqueId ?? id] })).documents)[0]
}

function unresolved({ entryUuid, type, target }: Association, standIns: NonNullable<FeedOptions['targets']>): Issue {
  return {
    code: 'UnresolvedReferenceException',
    location: entryUuid,
    detail: standIns.has(target)
      ? `${type} refers to a document that is not registered here under this identifier: send one that is.`
      : `${type} refers to ${target}: send the entryUUID of an object that is registered here.`,
  }
}

function notReplaced(
  { associations }: Submission,
  known: ReadonlyMap<EntryUuid, DocumentFacts>,
  superseded: NonNullable<FeedOptions['superseded']>,
): readonly Issue[] {
  const replaced = new Set(
    associations.filter(({ type }) => replacing.has(type)).map(({ target }) => known.get(target)?.logicalId),
  )
  return superseded
    .filter(({ id }) => !known.has(id) || !replaced.has(known.get(id)?.logicalId))
    .map(({ location }) => ({
      code: 'profile-violation',
      rule: 'UpdateDocumentRefs',
      location,
      detail: 'Patch only a document that a relatesTo of this Bundle replaces.',
    }))
}

/**
 * A document hidden from a person is answered as an absent one or one of another patient, here too and at the same point;
 * the trace alone knows better.
 */
export async function refuseUnresolved(
  parts: OperationParts,
  operation: Operation,
  context: RequestContext,
  patient: PatientKey,
  { hidden, unresolved: issues }: Targets,
): Promise<void> {
  if (issues.length === 0) return
  const outcome = hidden.length > 0 ? ({ outcome: 'refused', rule: 'DF' } as const) : ({ outcome: 'failed' } as const)
  await parts.trace.record(
    accessRecord(parts, operation, context, { patient, documents: hidden, ...outcome, reasonCode: 'not-found' }),
  )
  throw new GatewayError(issues)
}

/** A source may know a document by its logicalID (a FHIR id) or uniqueId; what is stored names the current version. */
export function withCurrentTargets(
  submission: Submission,
  { known }: Targets,
  { targets: standIns }: FeedOptions,
): Submission {
  return {
    ...submission,
    associations: submission.associations.map((association) => {
      const { type, target } = association
      const named = relating.has(type) || standIns?.has(target) === true
      const current = named ? known.get(target)?.entryUuid : undefined
      return current === undefined || current === target ? association : { ...association, target: current }
    }),
  }
}
