/** The access history of a patient: every access, permitted or refused, as far as this reader may know of it. */
import type { Caller } from '../access/caller.ts'
import { isAuthor } from '../access/role.ts'
import type { DocumentFacts, RecordFacts } from '../access/types.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import { authorise, type OperationParts, permittedRecord } from './access.ts'
import { accessPages } from './accesses.ts'
import type { HistoryOptions } from './operations.ts'
import type { AccessRecord, HistoryQuery, RequestContext, TracedAccess } from './ports.ts'
import { type Visible, viewOf } from './view.ts'

/**
 * Recorded before it resolves; read from the trace as it is consumed, so that a long one is never held whole. What goes
 * wrong on the way is thrown there.
 */
export async function history(
  parts: OperationParts,
  patient: PatientKey,
  context: RequestContext,
  { titles = false, oldestFirst = false }: HistoryOptions = {},
): Promise<AsyncIterable<TracedAccess>> {
  const { facts, permit } = await authorise(parts, 'history', context, { patient })
  await parts.trace.record(permittedRecord(parts, 'history', context, { patient, documents: [], permit }))
  return facts === undefined ? none() : readableHistory(parts, { patient, oldestFirst, titles }, context, facts)
}

async function* none(): AsyncGenerator<never> {}

/** What of a history is read, and how. */
interface Reading extends Pick<HistoryQuery, 'patient' | 'oldestFirst' | 'beyond'> {
  /** Documents with the titles that they have now. */
  readonly titles?: boolean
}

/** The rows that this caller may read, newest first unless asked otherwise. */
export async function* readableHistory(
  parts: OperationParts,
  { titles = false, ...query }: Reading,
  context: RequestContext,
  facts: RecordFacts,
): AsyncGenerator<TracedAccess> {
  const { caller } = context
  // Whom the patient has blocked reads no more than the own actions, whatever the house shows to the others.
  const all = facts.treatingPhysician || (parts.policy.historyToProfessionals === 'all' && !facts.blocked)
  const ownOnly = caller.kind === 'professional' && !all
  const asked = (record: AccessRecord) => record.operation === 'rectify' && record.outcome === 'permitted'
  const documents = new KnownDocuments(parts, viewOf(parts, 'history', context, facts), titles)
  // What the patient asked an author is for that author, whomever the rest is for
  const isForCaller = ({ documents: about }: AccessRecord): boolean =>
    about.some(({ logicalId }) => {
      const document = documents.facts(logicalId)
      return document !== undefined && isAuthor(caller, document)
    })
  for await (const page of accessPages(parts.trace, query)) {
    const rows = ownOnly ? page.filter(({ record }) => isActor(record, caller) || asked(record)) : page
    await documents.learn(rows)
    for (const { sequence, record } of rows) {
      if (ownOnly && !isActor(record, caller) && !isForCaller(record)) continue
      if (isUntold(record) && isActor(record, caller)) continue
      const told = withoutHidden(record, documents, caller.kind === 'representative')
      if (told !== undefined) yield { sequence, record: titles ? documents.named(told) : told }
    }
  }
}

/** The documents that rows are about, as they are now: each looked up once, a page of rows at a time. */
class KnownDocuments {
  readonly #dmp: OperationParts['dmp']
  readonly #visible: Visible
  readonly #titles: boolean
  /** Null: there is no such document any more. */
  readonly #known = new Map<EntryUuid, { readonly facts: DocumentFacts; readonly shown: boolean } | null>()
  readonly #titleOf = new Map<EntryUuid, string>()

  constructor({ dmp }: OperationParts, visible: Visible, titles: boolean) {
    this.#dmp = dmp
    this.#visible = visible
    this.#titles = titles
  }

  async learn(rows: readonly TracedAccess[]): Promise<void> {
    const about = rows.flatMap(({ record }) => record.documents.map(({ logicalId }) => logicalId))
    const ids = [...new Set(about)].filter((id) => !this.#known.has(id))
    if (ids.length === 0) return
    for (const id of ids) this.#known.set(id, null)
    const { documents } = await this.#dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids })
    const named: EntryUuid[] = []
    for (const facts of documents) {
      const shown = this.#visible(facts)
      this.#known.set(facts.logicalId, { facts, shown })
      if (shown) named.push(facts.entryUuid)
    }
    if (!this.#titles || named.length === 0) return
    for await (const { logicalId, title } of this.#dmp.read(named))
      if (title !== undefined) this.#titleOf.set(logicalId, title)
  }

  facts(logicalId: EntryUuid): DocumentFacts | undefined {
    return this.#known.get(logicalId)?.facts
  }

  isShown(logicalId: EntryUuid): boolean {
    return this.#known.get(logicalId)?.shown === true
  }

  named(record: AccessRecord): AccessRecord {
    if (record.documents.length === 0) return record
    const documents = record.documents.map((document) => {
      const title = this.#titleOf.get(document.logicalId)
      return title === undefined ? document : { ...document, title }
    })
    return { ...record, documents }
  }
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

/**
 * A row tells nothing of a document the reader may not see now: such documents are left out, and a row that was about
 * nothing else is withheld whole, to appear when they become visible (ACCESS-RULES §5). A search or the question
 * of an explanation stays: that somebody asked says nothing of what was there. What was answered as absent stands as what is absent does.
 */
function withoutHidden(record: AccessRecord, known: KnownDocuments, representative: boolean): AccessRecord | undefined {
  if (representative && record.caller.secretConnection) return undefined
  if (record.documents.length === 0) return withoutQuery(record)
  const documents = record.documents.filter(({ logicalId }) => known.isShown(logicalId))
  const isQuestion = record.operation.startsWith('TD3.1') || record.operation === 'explain'
  if (documents.length > 0 || isQuestion) return { ...withoutQuery(record), documents }
  return record.reasonCode === 'not-found' && !isUntold(record) ? asAbsent(withoutQuery(record)) : undefined
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
