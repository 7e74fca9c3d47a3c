/** The access history of a patient: every access, permitted or refused, as far as this reader may know of it. */
import type { Caller } from '../access/caller.ts'
import type { DocumentFacts, RecordFacts } from '../access/types.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import { authorise, type OperationParts, permittedRecord } from './access.ts'
import type { AccessRecord, RequestContext } from './ports.ts'
import { type Visible, viewOf } from './view.ts'

export async function history(
  parts: OperationParts,
  patient: PatientKey,
  context: RequestContext,
): Promise<readonly AccessRecord[]> {
  const { facts, permit } = await authorise(parts, 'history', context, { patient })
  await parts.trace.record(permittedRecord(parts, 'history', context, { patient, documents: [], permit }))
  return facts === undefined ? [] : readableHistory(parts, patient, context, facts)
}

/** The rows that this caller may read, newest first. */
export async function readableHistory(
  parts: OperationParts,
  patient: PatientKey,
  context: RequestContext,
  facts: RecordFacts,
): Promise<readonly AccessRecord[]> {
  const { caller } = context
  // Whom the patient has blocked reads no more than the own actions, whatever the house shows to the others.
  const all = facts.treatingPhysician || (parts.policy.historyToProfessionals === 'all' && !facts.blocked)
  const ownOnly = caller.kind === 'professional' && !all
  const records = await parts.trace.history({
    patient,
    ...(ownOnly && caller.person ? { person: caller.person.id } : {}),
  })
  const shown = await visibleDocuments(parts, records, viewOf(parts, 'history', context, facts))
  return records
    .filter((record) => !(record.answeredAbsent && isActor(record, caller)))
    .flatMap((record) => withoutHidden(record, shown, caller.kind === 'representative'))
}

/**
 * Whoever asked for an object without naming its patient was told that there is none: the history of that patient must not
 * say otherwise to the same person. The patient and the treating physician read the row.
 */
function isActor({ caller: actor }: AccessRecord, { kind, person }: Caller): boolean {
  return kind === 'professional' && person !== undefined && actor.person?.id === person.id
}

async function visibleDocuments(
  { dmp }: OperationParts,
  records: readonly AccessRecord[],
  visible: Visible,
): Promise<ReadonlySet<EntryUuid>> {
  const ids = [...new Set(records.flatMap(({ documents }) => documents.map(({ logicalId }) => logicalId)))]
  if (ids.length === 0) return new Set()
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids })
  return new Set(documents.filter((document: DocumentFacts) => visible(document)).map(({ logicalId }) => logicalId))
}

/**
 * A row tells nothing of a document the reader may not see now: such documents are left out, and a row that was about
 * nothing else is withheld whole, to appear when they become visible (ACCESS-RULES §5). A search stays: that somebody
 * searched says nothing of what was there.
 */
function withoutHidden(record: AccessRecord, shown: ReadonlySet<EntryUuid>, representative: boolean): AccessRecord[] {
  if (representative && record.caller.secretConnection) return []
  if (record.documents.length === 0) return [withoutQuery(record)]
  const documents = record.documents.filter(({ logicalId }) => shown.has(logicalId))
  if (documents.length === 0 && !record.operation.startsWith('TD3.1')) return []
  return [{ ...withoutQuery(record), documents }]
}

/** What was searched for may name a document that the reader may not know of; auditors get it by the export. */
function withoutQuery(record: AccessRecord): AccessRecord {
  const { origin } = record
  if (origin?.query === undefined) return record
  return { ...record, origin: { client: origin.client, server: origin.server } }
}
