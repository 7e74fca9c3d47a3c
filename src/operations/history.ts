/** The access history of a patient: every access, permitted or refused, as far as this reader may know of it. */
import type { Caller } from '../access/caller.ts'
import { isAuthor } from '../access/role.ts'
import type { DocumentFacts, RecordFacts } from '../access/types.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import { authorise, type OperationParts, permittedRecord } from './access.ts'
import type { HistoryOptions } from './operations.ts'
import type { AccessRecord, RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

export async function history(
  parts: OperationParts,
  patient: PatientKey,
  context: RequestContext,
  { titles = false }: HistoryOptions = {},
): Promise<readonly AccessRecord[]> {
  const { facts, permit } = await authorise(parts, 'history', context, { patient })
  await parts.trace.record(permittedRecord(parts, 'history', context, { patient, documents: [], permit }))
  if (facts === undefined) return []
  const records = await readableHistory(parts, patient, context, facts)
  return titles ? withTitles(parts, records) : records
}

/** Documents of rows that the caller may read, by the titles that they have now. */
async function withTitles({ dmp }: OperationParts, records: readonly AccessRecord[]): Promise<readonly AccessRecord[]> {
  const ids = [...new Set(records.flatMap(({ documents }) => documents.map(({ logicalId }) => logicalId)))]
  if (ids.length === 0) return records
  const found = await dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids })
  const titles = new Map<EntryUuid, string>()
  for await (const { logicalId, title } of dmp.read(found.documents.map(({ entryUuid }) => entryUuid)))
    if (title !== undefined) titles.set(logicalId, title)
  return records.map((record) => ({
    ...record,
    documents: record.documents.map((document) => {
      const title = titles.get(document.logicalId)
      return title === undefined ? document : { ...document, title }
    }),
  }))
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
  const whole = await parts.trace.history({ patient })
  const asked = (record: AccessRecord) => record.operation === 'rectify' && record.outcome === 'permitted'
  const records = ownOnly ? whole.filter((record) => isActor(record, caller) || asked(record)) : whole
  const documents = await documentsOf(parts, records)
  const visible = viewOf(parts, 'history', context, facts)
  const shown = new Set([...documents.values()].flatMap((each) => (visible(each) ? [each.logicalId] : [])))
  // What the patient asked an author is for that author, whomever the rest is for
  const isForCaller = ({ documents: about }: AccessRecord): boolean =>
    about.some(({ logicalId }) => {
      const document = documents.get(logicalId)
      return document !== undefined && isAuthor(caller, document)
    })
  return records
    .filter((record) => !ownOnly || isActor(record, caller) || isForCaller(record))
    .filter((record) => !(isUntold(record) && isActor(record, caller)))
    .flatMap((record) => withoutHidden(record, shown, caller.kind === 'representative'))
}

/** The request named no patient: where there is no such object, the history of nobody has a row. */
function isUntold({ answeredAbsent, caller, patient }: AccessRecord): boolean {
  return answeredAbsent === true && caller.patient !== patient
}

/**
 * Whoever asked for an object without naming its patient was told that there is none: the history of that patient must not
 * say otherwise to the same person. The patient and the treating physician read the row.
 */
function isActor({ caller: actor }: AccessRecord, { kind, person }: Caller): boolean {
  return kind === 'professional' && person !== undefined && actor.person?.id === person.id
}

/** The documents that rows are about, as they are now, by logicalId. */
async function documentsOf(
  { dmp }: OperationParts,
  records: readonly AccessRecord[],
): Promise<ReadonlyMap<EntryUuid, DocumentFacts>> {
  const ids = [...new Set(records.flatMap(({ documents }) => documents.map(({ logicalId }) => logicalId)))]
  if (ids.length === 0) return new Map()
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids })
  return new Map(documents.map((document) => [document.logicalId, document]))
}

/**
 * A row tells nothing of a document the reader may not see now: such documents are left out, and a row that was about
 * nothing else is withheld whole, to appear when they become visible (ACCESS-RULES §5). A search stays: that somebody
 * searched says nothing of what was there. What was answered as absent stands as what is absent does.
 */
function withoutHidden(record: AccessRecord, shown: ReadonlySet<EntryUuid>, representative: boolean): AccessRecord[] {
  if (representative && record.caller.secretConnection) return []
  if (record.documents.length === 0) return [withoutQuery(record)]
  const documents = record.documents.filter(({ logicalId }) => shown.has(logicalId))
  if (documents.length > 0 || record.operation.startsWith('TD3.1')) return [{ ...withoutQuery(record), documents }]
  return record.reasonCode === 'not-found' && !isUntold(record) ? [asAbsent(withoutQuery(record))] : []
}

function asAbsent({ rule: _rule, answeredAbsent: _answeredAbsent, ...record }: AccessRecord): AccessRecord {
  return { ...record, documents: [], outcome: 'failed' }
}

/** What was searched for may name a document that the reader may not know of; auditors get it by the export. */
function withoutQuery(record: AccessRecord): AccessRecord {
  const { origin } = record
  if (origin?.query === undefined) return record
  return { ...record, origin: { client: origin.client, server: origin.server } }
}
