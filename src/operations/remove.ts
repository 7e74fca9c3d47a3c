/** ITI-62 and ITI-86: only conformance mode knows them, the DMP never deletes physically (UP7). */
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import { accessRecord, authorise, authoriseWithoutObject, type OperationParts, permittedRecord } from './access.ts'
import type { RemovalRequest } from './operations.ts'
import type { AccessRecord, Found, RequestContext } from './ports.ts'
import { filterFound, surroundingsOf, type Visible, viewOf } from './view.ts'

export async function remove(parts: OperationParts, request: RemovalRequest, context: RequestContext): Promise<void> {
  await authoriseWithoutObject(parts, 'registry', context)
  try {
    const named = await namedIn(parts, request)
    const ids = [...new Set(named.map(({ id }) => id))]
    const found = await objectsOf(parts, ids)
    const { record, shown } = await permission(parts, found, context)
    // What is hidden is not there.
    const missing = named.filter(({ id }) => !shown.has(id))
    const issues = missing.map(({ absent }) => absent)
    if (record === undefined || issues.length > 0)
      throw new GatewayError(issues.length > 0 ? issues : 'UnresolvedReferenceException')
    await parts.dmp.remove({ kind: 'objects' in request ? 'objects' : 'contents', ids }, record)
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

/** The record of the removal, once it is permitted for every patient that it touches, and what of it the caller sees. */
async function permission(
  parts: OperationParts,
  found: Found,
  context: RequestContext,
): Promise<{ readonly record: AccessRecord | undefined; readonly shown: ReadonlySet<EntryUuid> }> {
  const { documents } = found
  const around = await surroundingsOf(parts.dmp, found)
  const views = new Map<PatientKey, Visible>()
  let record: AccessRecord | undefined
  for (const patient of patientsOf([found, around])) {
    const { facts, permit } = await authorise(parts, 'registry', context, { patient })
    if (facts) views.set(patient, viewOf(parts, 'registry', context, facts))
    record ??= permittedRecord(parts, 'registry', context, { patient, documents, permit })
  }
  const kept = filterFound(found, around, (document) => views.get(document.patient)?.(document) === true)
  return { record, shown: new Set(idsOf(kept)) }
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

/** An object to remove, and the answer where it is not there. */
interface Named {
  readonly id: EntryUuid
  readonly absent: Issue
}

async function namedIn(parts: OperationParts, request: RemovalRequest): Promise<readonly Named[]> {
  if ('documents' in request) return entriesOf(parts, request.documents)
  if (request.objects.length === 0)
    throw new GatewayError('UnresolvedReferenceException', { detail: 'Nothing is named: send entryUUIDs.' })
  const detail = 'Nothing is registered under this id: send entryUUIDs of registered objects.'
  return request.objects.map((id) => ({ id, absent: { code: 'UnresolvedReferenceException', location: id, detail } }))
}

/** The entries of documents named by uniqueId; every one that is not here is an issue of its own. */
async function entriesOf(
  { dmp }: OperationParts,
  documents: readonly { readonly repositoryUniqueId: string; readonly documentUniqueId: string }[],
): Promise<readonly Named[]> {
  const issues: Issue[] = []
  const named: Named[] = []
  for (const { repositoryUniqueId, documentUniqueId: location } of documents) {
    if (repositoryUniqueId !== dmp.repositoryUniqueId) {
      issues.push({
        code: 'XDSUnknownRepositoryId',
        location,
        detail: `This repository is ${dmp.repositoryUniqueId}.`,
      })
      continue
    }
    const absent: Issue = {
      code: 'XDSDocumentUniqueIdError',
      location,
      detail: 'No document is known under this uniqueId.',
    }
    const found = await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [location] })
    if (found.documents.length === 0) issues.push(absent)
    named.push(...found.documents.map(({ entryUuid }) => ({ id: entryUuid, absent })))
  }
  if (issues.length > 0) throw new GatewayError(issues)
  return named
}
