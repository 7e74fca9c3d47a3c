/** ITI-62 and ITI-86: only conformance mode knows them, the DMP never deletes physically (UP7). */
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import { authorise, authoriseWithoutObject, type OperationParts, permittedRecord } from './access.ts'
import type { RemovalRequest } from './operations.ts'
import type { AccessRecord, Removal, RequestContext } from './ports.ts'

export async function remove(parts: OperationParts, request: RemovalRequest, context: RequestContext): Promise<void> {
  await authoriseWithoutObject(parts, 'registry', context)
  const removal: Removal =
    'objects' in request
      ? { kind: 'objects', ids: request.objects }
      : { kind: 'contents', ids: await entriesOf(parts, request.documents) }
  const { documents } = await parts.dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids: removal.ids })
  const patients = await patientsOf(parts, removal.ids, documents)
  let record: AccessRecord | undefined
  for (const patient of patients) {
    const { permit } = await authorise(parts, 'registry', context, { patient })
    record ??= permittedRecord(parts, 'registry', context, { patient, documents, permit })
  }
  if (record === undefined)
    throw new GatewayError({
      code: 'UnresolvedReferenceException',
      ...(removal.ids[0] !== undefined && { location: removal.ids[0] }),
      detail: 'Nothing is registered under these ids.',
    })
  await parts.dmp.remove(removal, record)
}

async function patientsOf(
  { dmp }: OperationParts,
  ids: readonly EntryUuid[],
  documents: readonly { readonly patient: PatientKey }[],
): Promise<ReadonlySet<PatientKey>> {
  const [{ submissionSets }, { folders }, { associations }] = await Promise.all([
    dmp.find({ kind: 'GetSubmissionSets', by: 'entryUuid', ids }),
    dmp.find({ kind: 'GetFolders', by: 'entryUuid', ids }),
    dmp.find({ kind: 'GetAssociations', ids }),
  ])
  const packages = [...submissionSets, ...folders].flatMap(({ patientId }) =>
    patientId ? [patientKeyOf(patientId)] : [],
  )
  const found = new Set([...documents.map(({ patient }) => patient), ...packages].filter((key) => key !== undefined))
  if (found.size > 0 || associations.length === 0) return found
  // Only associations are named: they are judged by what they link.
  const ends = associations.flatMap(({ source, target }) => [source, target])
  const linked = await dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids: ends })
  return new Set(linked.documents.map(({ patient }) => patient))
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
