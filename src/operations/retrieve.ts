/** TD3.2: the bytes of documents. Several may be asked at once; each gives its document or one issue. */
import type { DocumentFacts } from '../access/types.ts'
import type { Issue } from '../errors.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import {
  type Authorised,
  accessRecord,
  authorise,
  authoriseFound,
  authoriseWithoutObject,
  declareBefore,
  type OperationParts,
  permittedRecord,
} from './access.ts'
import { inForce } from './named.ts'
import type { DocumentRequest, Retrieval, RetrievedDocument } from './operations.ts'
import type { RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

const operation = 'TD3.2'

export async function retrieve(
  parts: OperationParts,
  requests: readonly DocumentRequest[],
  context: RequestContext,
): Promise<Retrieval> {
  await authoriseWithoutObject(parts, operation, context)
  const bound = context.caller.patient
  const early = bound === undefined ? undefined : await authorise(parts, operation, context, { patient: bound })

  const ids = requests.map((request) => ('logicalId' in request ? request.logicalId : request.documentUniqueId))
  await declareBefore(parts, operation, context, ids)
  const issues: Issue[] = []
  const wanted: { readonly request: DocumentRequest; readonly facts: DocumentFacts }[] = []
  for (const request of requests) {
    const facts = isOurs(parts, request) ? await locate(parts, request) : undefined
    if (facts) wanted.push({ request, facts })
    else issues.push(absent(parts, request))
  }
  const permitted = await permittedAmong(
    parts,
    context,
    wanted.map(({ facts }) => facts),
    early,
  )
  // Of another patient is as absent in the history too
  if (!wanted.some(({ facts }) => bound === undefined || facts.patient === bound))
    await parts.trace.record(
      accessRecord(parts, operation, context, {
        patient: bound,
        outcome: 'failed',
        reasonCode: 'not-found',
      }),
    )

  const documents: RetrievedDocument[] = []
  for (const { request, facts } of wanted) {
    const document = permitted.has(facts) ? await load(parts, request, facts) : undefined
    if (document) documents.push(document)
    else issues.push(absent(parts, request))
  }
  return { documents, issues }
}

function isOurs({ dmp }: OperationParts, request: DocumentRequest): boolean {
  return (
    'logicalId' in request ||
    request.repositoryUniqueId === undefined ||
    request.repositoryUniqueId === dmp.repositoryUniqueId
  )
}

/** The entry a request means. A uniqueId is never taken for an id, nor an id for a uniqueId. */
async function locate({ dmp }: OperationParts, request: DocumentRequest): Promise<DocumentFacts | undefined> {
  const { documents } = await dmp.find(
    'logicalId' in request
      ? { kind: 'GetDocuments', by: 'any', ids: [request.logicalId] }
      : { kind: 'GetDocuments', by: 'uniqueId', ids: [request.documentUniqueId] },
  )
  return inForce(documents)
}

/** Judges per patient, records per patient before any byte is read, and gives the documents that may leave. */
async function permittedAmong(
  parts: OperationParts,
  context: RequestContext,
  documents: readonly DocumentFacts[],
  early: Authorised | undefined,
): Promise<ReadonlySet<DocumentFacts>> {
  const permitted = new Set<DocumentFacts>()
  for (const patient of new Set<PatientKey>(documents.map((document) => document.patient))) {
    const mine = documents.filter((document) => document.patient === patient)
    if (context.caller.patient !== undefined && context.caller.patient !== patient) {
      await parts.trace.record(
        accessRecord(parts, operation, context, {
          patient,
          outcome: 'refused',
          answeredAbsent: true,
          rule: 'ID3',
          reasonCode: 'patient-mismatch',
        }),
      )
      continue
    }
    const authorised = await authoriseFound(parts, operation, context, patient, early)
    if (authorised === undefined) continue
    const { facts, permit } = authorised
    const visible = mine.filter(viewOf(parts, operation, context, facts))
    await parts.trace.record(
      visible.length > 0
        ? permittedRecord(parts, operation, context, { patient, documents: visible, permit })
        : accessRecord(parts, operation, context, {
            patient,
            documents: mine,
            outcome: 'refused',
            answeredAbsent: true,
            rule: 'DF',
            reasonCode: 'not-found',
          }),
    )
    for (const document of visible) permitted.add(document)
  }
  return permitted
}

async function load(
  { dmp }: OperationParts,
  request: DocumentRequest,
  facts: DocumentFacts,
): Promise<RetrievedDocument | undefined> {
  let entry: DocumentEntry | undefined
  for await (const read of dmp.read([facts.entryUuid])) entry = read
  const content = await dmp.content(facts.entryUuid)
  return entry && content && { request, entry, content }
}

/** Absent and hidden give the same issue, to the letter. */
function absent(parts: OperationParts, request: DocumentRequest): Issue {
  if ('logicalId' in request)
    return { code: 'not-found', location: request.logicalId, detail: 'No document is known under this id.' }
  if (!isOurs(parts, request))
    return {
      code: 'XDSUnknownRepositoryId',
      location: request.documentUniqueId,
      detail: `This repository is ${parts.dmp.repositoryUniqueId}.`,
    }
  return {
    code: 'XDSDocumentUniqueIdError',
    location: request.documentUniqueId,
    detail: 'No document is known under this uniqueId (send the uniqueId of the DocumentEntry, never its entryUUID).',
  }
}
