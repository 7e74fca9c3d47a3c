/** ITI-18 Registry Stored Query (ITI TF-2 3.18): TD3.1a, and TD3.1b for those who look up their own references. */
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, Oid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { Findings, StoredQuery } from '../operations/operations.ts'
import { attribute, child, type XmlElement } from '../xml/tree.ts'
import { XmlWriter } from '../xml/writer.ts'
import type { Fragments } from './ebrim/fragments.ts'
import { type ResponseStatus, responseStatusUrns, writeErrorList } from './ebrim/response.ts'
import {
  writeAssociation,
  writeDocumentEntry,
  writeFolder,
  writeObjectRef,
  writeSubmissionSet,
} from './ebrim/writer.ts'
import { ns } from './namespaces.ts'
import { withSchemaIssues } from './schema/index.ts'
import { readStoredQuery } from './stored-query/queries.ts'
import type { Answer, Transaction, TransactionRequest } from './transaction.ts'

type ReturnType = 'LeafClass' | 'ObjectRef'

export const registryStoredQuery: Transaction = {
  name: 'ITI-18',
  requestAction: 'urn:ihe:iti:2007:RegistryStoredQuery',
  responseAction: 'urn:ihe:iti:2007:RegistryStoredQueryResponse',
  requestElement: { ns: ns.query, local: 'AdhocQueryRequest' },
  endpoint: 'registry',
  packaging: 'simple',
  violation: 'XDSRegistryError',
  handle,
  // The schema requires the list in a failure too (query.xsd, AdhocQueryResponse)
  failure: (issues) => head('Failure', issues).start('rim:RegistryObjectList').end().end().take(),
}

async function handle(request: TransactionRequest): Promise<Answer> {
  const { body, context, operations, fragments, repositoryUniqueId, schemaIssues } = request
  const issues: Issue[] = []
  const returnType = attempt(issues, () => readReturnType(body))
  const asked = attempt(issues, () => readStoredQuery(adhocQueryOf(body)))
  const wrong = withSchemaIssues(issues, schemaIssues)
  if (returnType === undefined || asked === undefined || wrong.length > 0) throw new GatewayError(wrong)
  const { query, metadataLevel } = asked
  const findings = await operations.find(query, context, { relations: false, metadataLevel })
  if (returnType === 'LeafClass') checkOnePatient(findings)
  const written = { findings, fragments, repositoryUniqueId, offline: metadataLevel === 2 || asksAvailability(query) }
  return { status: 'Success', issues: [], body: returnType === 'ObjectRef' ? objectRefs(written) : leafClass(written) }
}

/** What the answer is written from. */
interface Written {
  readonly findings: Findings
  readonly fragments: Fragments
  readonly repositoryUniqueId: Oid
  /** Whether entries that are Offline belong in it: not at level 1 (3.18.4.1.2.3.5.1.1), unless they are asked for. */
  readonly offline: boolean
}

function asksAvailability(query: StoredQuery): boolean {
  return 'criteria' in query && 'documentAvailability' in query.criteria
}

/** What is read, or undefined with what is wrong added to the issues. */
function attempt<T>(issues: Issue[], read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    issues.push(...error.issues)
    return undefined
  }
}

function adhocQueryOf(body: XmlElement): XmlElement {
  const query = child(body, ns.rim, 'AdhocQuery')
  if (query) return query
  throw refused('AdhocQuery', 'rim:AdhocQuery is missing: send it with the id of a stored query.')
}

function refused(location: string, detail: string): GatewayError {
  return new GatewayError({ code: 'XDSRegistryError', rule: 'SQ', location, detail })
}

function readReturnType(body: XmlElement): ReturnType {
  const option = child(body, ns.query, 'ResponseOption')
  const returnType = option && attribute(option, 'returnType')
  if (returnType === 'LeafClass' || returnType === 'ObjectRef') return returnType
  throw refused('ResponseOption/returnType', 'Send query:ResponseOption with returnType LeafClass or ObjectRef.')
}

/** Metadata of several patients do not leave in one answer; references may (ITI TF-2 3.18.4.1.2.3.6). */
function checkOnePatient({ documents, submissionSets, folders }: Findings): void {
  const patients = new Set<string>(documents.map(({ patient }) => patient))
  for (const { patientId } of [...submissionSets, ...folders]) {
    const key = patientId && patientKeyOf(patientId)
    if (key !== undefined) patients.add(key)
  }
  if (patients.size < 2) return
  throw new GatewayError({
    code: 'XDSResultNotSinglePatient',
    rule: 'SQ',
    detail: 'The objects asked for belong to several patients: ask for those of one, or with returnType ObjectRef.',
  })
}

function head(status: ResponseStatus, issues: readonly Issue[] = []): XmlWriter {
  const xml = new XmlWriter().start('query:AdhocQueryResponse', {
    'xmlns:query': ns.query,
    'xmlns:rim': ns.rim,
    'xmlns:rs': ns.rs,
    status: responseStatusUrns[status],
  })
  writeErrorList(xml, issues, 'registry')
  return xml
}

async function* objectRefs(written: Written): AsyncGenerator<Buffer> {
  const xml = head('Success').start('rim:RegistryObjectList')
  const { documents, submissionSets, folders, associations } = written.findings
  const left = new Set<EntryUuid>()
  // Facts do not tell what is offline; what was written before was not
  const unsure = written.offline ? [] : documents.filter((facts) => written.fragments.get(facts) === undefined)
  for await (const entry of written.findings.entries(unsure)) if (isOffline(entry)) left.add(entry.entryUuid)
  for (const { entryUuid } of [...documents, ...submissionSets, ...folders, ...associations])
    if (!left.has(entryUuid)) writeObjectRef(xml, entryUuid)
  yield xml.end().end().take()
}

/** Entry by entry as they are read: an answer of thousands is never in memory as a whole. */
async function* leafClass(written: Written): AsyncGenerator<Buffer> {
  const { submissionSets, folders, associations } = written.findings
  const xml = head('Success').start('rim:RegistryObjectList')
  yield xml.take()
  yield* entriesOf(written)
  for (const set of submissionSets) writeSubmissionSet(xml, set)
  for (const folder of folders) writeFolder(xml, folder)
  for (const association of associations) writeAssociation(xml, association)
  yield xml.end().end().take()
}

/** What was written before is given again; only the rest is read, and it comes in the order asked. */
async function* entriesOf({ findings, fragments, repositoryUniqueId, offline }: Written): AsyncGenerator<Buffer> {
  const known = findings.documents.map((facts) => ({ facts, fragment: fragments.get(facts) }))
  const unknown = known.filter(({ fragment }) => fragment === undefined).map(({ facts }) => facts)
  const entries = findings.entries(unknown)[Symbol.asyncIterator]()
  try {
    let next = await entries.next()
    for (const { facts, fragment } of known) {
      if (fragment) yield fragment
      else if (!next.done && next.value.entryUuid === facts.entryUuid) {
        // The repository is required in every answer (rule D6), whoever fed the entry
        const entry = { ...next.value, repositoryUniqueId: next.value.repositoryUniqueId ?? repositoryUniqueId }
        if (!isOffline(entry)) yield fragments.write(entry)
        else if (offline) yield writeOnce(entry)
        next = await entries.next()
      }
    }
  } finally {
    await entries.return?.()
  }
}

function isOffline({ documentAvailability }: DocumentEntry): boolean {
  return documentAvailability === 'Offline'
}

/** Not kept: what is kept may be given to everyone. */
function writeOnce(entry: DocumentEntry): Buffer {
  const xml = new XmlWriter()
  writeDocumentEntry(xml, entry)
  return xml.take()
}
