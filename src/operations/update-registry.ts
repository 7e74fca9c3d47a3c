/** ITI-57 and ITI-92 on a registry of profile `ihe`: whatever the Technical Framework lets change. */
import { isDeepStrictEqual } from 'node:util'
import type { DocumentFacts } from '../access/types.ts'
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import { accessRecord, authorise, type OperationParts, permittedRecord } from './access.ts'
import type { Found, MetadataUpdate, Receipt, RequestContext } from './ports.ts'
import { filterFound, surroundingsOf, viewOf } from './view.ts'

export async function updateRegistry(
  parts: OperationParts,
  change: MetadataUpdate,
  context: RequestContext,
): Promise<Receipt> {
  const { patient } = change
  const { permit } = await authorise(parts, 'registry', context, { patient })
  const found = await objectsOf(parts, change)
  // A new version may move an object to another patient: the record it leaves is asked too.
  for (const other of patientsOf(found)) {
    if (other !== patient) await authorise(parts, 'registry', context, { patient: other })
    await refuseHidden(parts, context, other, found)
  }
  const issues = change.restricted ? await restrictions(parts, change, found.documents) : []
  if (issues.length > 0) {
    const { documents } = found
    const told = { patient, documents, outcome: 'failed', reasonCode: issues[0]?.code } as const
    await parts.trace.record(accessRecord(parts, 'registry', context, told))
    throw new GatewayError(issues)
  }
  const { documents } = found
  return parts.dmp.update(change, permittedRecord(parts, 'registry', context, { patient, documents, permit }))
}

/** Every stored object that the change names, in its current version. */
async function objectsOf(
  { dmp }: OperationParts,
  { versions, statuses, associations }: MetadataUpdate,
): Promise<Found> {
  const ids = [...versions.map(({ object }) => object.logicalId), ...statuses.map(({ target }) => target)]
  const ends = associations.flatMap(({ source, target }) => [source, target])
  const named = [...new Set([...ids, ...ends])]
  const [{ documents }, { folders }, { associations: linked }] = await Promise.all([
    dmp.find({ kind: 'GetDocuments', by: 'any', ids: named }),
    dmp.find({ kind: 'GetFolders', by: 'any', ids: named }),
    dmp.find({ kind: 'GetAssociations', by: 'entryUuid', ids: named }),
  ])
  return { documents, submissionSets: [], folders, associations: linked }
}

function patientsOf({ documents, folders }: Found): ReadonlySet<PatientKey> {
  const ofFolders = folders.flatMap(({ patientId }) => (patientId && patientKeyOf(patientId)) ?? [])
  return new Set([...documents.map(({ patient }) => patient), ...ofFolders])
}

/** What the caller may not see is answered as what is not there, in profile `ihe` too. */
async function refuseHidden(
  parts: OperationParts,
  context: RequestContext,
  patient: PatientKey,
  found: Found,
): Promise<void> {
  const facts = await parts.dmp.status(patient, context.caller)
  if (facts === undefined) return
  const documents = found.documents.filter((document) => document.patient === patient)
  const mine: Found = { ...found, documents }
  const kept = filterFound(mine, await surroundingsOf(parts.dmp, mine), viewOf(parts, 'registry', context, facts))
  const shown = new Set(idsOf(kept))
  const hidden = idsOf(mine).filter((id) => !shown.has(id))
  if (hidden.length === 0) return
  const told = { patient, documents, outcome: 'refused', rule: 'DF', reasonCode: 'not-found' } as const
  await parts.trace.record(accessRecord(parts, 'registry', context, told))
  throw new GatewayError(
    hidden.map(
      (location): Issue => ({
        code: 'UnresolvedReferenceException',
        location,
        detail: 'Nothing is registered under this id.',
      }),
    ),
  )
}

function idsOf({ documents, submissionSets, folders, associations }: Found): EntryUuid[] {
  return [...documents, ...submissionSets, ...folders, ...associations].map(({ entryUuid }) => entryUuid)
}

/** Attributes that a restricted update leaves alone (ITI TF-2 3.92.4.1.3): they describe the stored document. */
const unmodifiable = ['sourcePatientId', 'repositoryUniqueId', 'documentAvailability'] as const

async function restrictions(
  { dmp }: OperationParts,
  { versions, statuses, associations, submissionSet }: MetadataUpdate,
  documents: readonly DocumentFacts[],
): Promise<readonly Issue[]> {
  const isDocument = (id: EntryUuid) => documents.some(({ entryUuid }) => entryUuid === id)
  const issues: Issue[] = []
  for (const { target } of statuses)
    issues.push({
      code: isDocument(target) ? 'UnmodifiableMetadataError' : 'XDSMetadataUpdateError',
      location: target,
      detail: 'A restricted update changes no status: send an update of the document set (ITI-57).',
    })
  for (const { entryUuid, source } of associations)
    if (source !== submissionSet?.entryUuid)
      issues.push({
        code: 'XDSMetadataUpdateError',
        location: entryUuid,
        detail: 'A restricted update submits no association: send an update of the document set (ITI-57).',
      })
  for (const { object } of versions) {
    const stored = documents.find(({ logicalId }) => logicalId === object.logicalId)
    if (object.kind !== 'DocumentEntry' || stored === undefined) continue
    for await (const before of dmp.read([stored.entryUuid])) issues.push(...changedAttributes(before, object))
  }
  return issues
}

function changedAttributes(before: DocumentEntry, after: DocumentEntry): Issue[] {
  // An entry that says nothing is online.
  const online = { documentAvailability: 'Online' } as const
  const [stored, sent] = [
    { ...online, ...before },
    { ...online, ...after },
  ]
  return unmodifiable
    .filter((key) => !isDeepStrictEqual(stored[key], sent[key]))
    .map((key) => ({
      code: 'UnmodifiableMetadataError',
      location: `${after.entryUuid}/${key}`,
      detail: `${key} does not change by a restricted update: send it as it is stored.`,
    }))
}
