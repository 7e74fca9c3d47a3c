/** ITI-62 and ITI-86: only conformance mode knows them, the DMP never deletes physically (UP7). */
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import { accessRecord, authorise, authoriseWithoutObject, type OperationParts, permittedRecord } from './access.ts'
import type { RemovalRequest } from './operations.ts'
import type { AccessRecord, Found, Removal, RequestContext } from './ports.ts'
import { filterFound, surroundingsOf, viewOf } from './view.ts'

export async function remove(parts: OperationParts, request: RemovalRequest, context: RequestContext): Promise<void> {
  await authoriseWithoutObject(parts, 'registry', context)
  try {
    const removal: Removal =
      'objects' in request
        ? { kind: 'objects', ids: [...new Set(request.objects)] }
        : { kind: 'contents', ids: await entriesOf(parts, request.documents) }
    const found = await objectsOf(parts, removal.ids)
    await parts.dmp.remove(removal, await permission(parts, removal, found, context))
  } catch (error) {
    // A refusal is on record already, with its rule.
    if (error instanceof GatewayError && removalErrors.has(error.code))
      await parts.trace.record(accessRecord(parts, 'registry', context, { outcome: 'failed', reasonCode: error.code }))
    throw error
  }
}

const removalErrors: ReadonlySet<string> = new Set([
  'UnresolvedReferenceException',
  'ReferencesExistException',
  'XDSUnreferencedObjectException',
  'XDSUnknownRepositoryId',
  'XDSDocumentUniqueIdError',
])

async function objectsOf({ dmp }: OperationParts, ids: readonly EntryUuid[]): Promise<Found> {
  const [{ documents }, { submissionSets }, { folders }, { associations }] = await Promise.all([
    dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids }),
    dmp.find({ kind: 'GetSubmissionSets', by: 'entryUuid', ids }),
    dmp.find({ kind: 'GetFolders', by: 'entryUuid', ids }),
    dmp.find({ kind: 'GetAssociations', by: 'entryUuid', ids, allVersions: true }),
  ])
  return { documents, submissionSets, folders, associations }
}

/** The record of the removal, once it is permitted for every patient that it touches. What is hidden is not there. */
async function permission(
  parts: OperationParts,
  { ids }: Removal,
  found: Found,
  context: RequestContext,
): Promise<AccessRecord> {
  const { documents } = found
  const around = await surroundingsOf(parts.dmp, found)
  let record: AccessRecord | undefined
  for (const patient of patientsOf([found, around])) {
    const { facts, permit } = await authorise(parts, 'registry', context, { patient })
    const visible = facts ? viewOf(parts, 'registry', context, facts) : () => true
    const kept = idsOf(filterFound(found, around, (document) => document.patient !== patient || visible(document)))
    const hidden = idsOf(found).filter((id) => !kept.includes(id))
    if (hidden.length > 0) throw unresolved(hidden)
    record ??= permittedRecord(parts, 'registry', context, { patient, documents, permit })
  }
  if (record === undefined) throw unresolved(ids)
  return record
}

function unresolved(ids: readonly EntryUuid[]): GatewayError {
  const detail = 'Nothing is registered under this id: send entryUUIDs of registered objects.'
  if (ids.length === 0) return new GatewayError({ code: 'UnresolvedReferenceException', detail })
  return new GatewayError(ids.map((location): Issue => ({ code: 'UnresolvedReferenceException', location, detail })))
}

function idsOf({ documents, submissionSets, folders, associations }: Found): EntryUuid[] {
  return [...documents, ...submissionSets, ...folders, ...associations].map(({ entryUuid }) => entryUuid)
}

function patientsOf(parts: readonly Found[]): ReadonlySet<PatientKey> {
  const packages = parts.flatMap(({ submissionSets, folders }) => [...submissionSets, ...folders])
  return new Set([
    ...parts.flatMap(({ documents }) => documents.map(({ patient }) => patient)),
    ...packages.flatMap(({ patientId }) => (patientId && patientKeyOf(patientId)) ?? []),
  ])
}

/** The entries of documents named by uniqueId; every one that is not here is an issue of its own. */
async function entriesOf(
  { dmp }: OperationParts,
  documents: readonly { readonly repositoryUniqueId: string; readonly documentUniqueId: string }[],
): Promise<readonly EntryUuid[]> {
  const issues: Issue[] = []
  const ids: EntryUuid[] = []
  for (const { repositoryUniqueId, documentUniqueId } of documents) {
    if (repositoryUniqueId !== dmp.repositoryUniqueId) {
      issues.push({
        code: 'XDSUnknownRepositoryId',
        location: documentUniqueId,
        detail: `This repository is ${dmp.repositoryUniqueId}.`,
      })
      continue
    }
    const found = await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [documentUniqueId] })
    if (found.documents.length === 0)
      issues.push({
        code: 'XDSDocumentUniqueIdError',
        location: documentUniqueId,
        detail: 'No document is known under this uniqueId.',
      })
    ids.push(...found.documents.map(({ entryUuid }) => entryUuid))
  }
  if (issues.length > 0) throw new GatewayError(issues)
  return ids
}
