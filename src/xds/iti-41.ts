/** ITI-41 Provide and Register Document Set-b (ITI TF-2 3.41): TD2.1, and TD2.1b when a document replaces another. */
import type { Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { DocumentContent } from '../operations/ports.ts'
import { attribute, child, children } from '../xml/tree.ts'
import { type ReadSubmission, readSubmission } from './ebrim/reader.ts'
import { ns } from './namespaces.ts'
import { faultsOf, inTheWordsOfTheSender, refusal, submit, type Telling, violationsOf } from './submission.ts'
import { type Answer, registryResponse, type Transaction, type TransactionRequest } from './transaction.ts'

export const provideAndRegister: Transaction = {
  name: 'ITI-41',
  requestAction: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b',
  responseAction: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse',
  requestElement: { ns: ns.xdsb, local: 'ProvideAndRegisterDocumentSetRequest' },
  endpoint: 'repository',
  packaging: 'mtom',
  violation: 'XDSRegistryMetadataError',
  handle,
  failure: (issues) => registryResponse('Failure', issues, 'repository'),
}

async function handle(request: TransactionRequest): Promise<Answer> {
  const { operations, context, validation } = request
  const reading = readSubmission(child(request.body, ns.lcm, 'SubmitObjectsRequest'))
  const tell = byTheRepository(inTheWordsOfTheSender(reading))
  const { contents, issues } = matchDocuments(request, reading)
  const { submission } = reading
  const faults = faultsOf(reading, request.schemaIssues, issues)
  // A document that is missing alone is left to the operation, which records the attempt
  if (submission === undefined || faults.length > 0) {
    const missing = reading.entries.filter(({ entryUuid }) => !contents.has(entryUuid)).map(missingDocument)
    throw refusal(violationsOf(reading, validation, [...faults, ...missing]), tell)
  }
  const warnings = await submit(() => operations.feed(submission, contents, context), tell)
  return { status: 'Success', body: registryResponse('Success', warnings, 'repository'), issues: warnings }
}

/** Each xds-b:Document belongs to the DocumentEntry with its id (ITI TF-2 3.41.4.1.2). */
function matchDocuments(
  { body, message }: TransactionRequest,
  { entries, ids }: ReadSubmission,
): { contents: ReadonlyMap<EntryUuid, DocumentContent>; issues: readonly Issue[] } {
  const expected = new Set<EntryUuid>(entries.map(({ entryUuid }) => entryUuid))
  const contents = new Map<EntryUuid, DocumentContent>()
  const issues: Issue[] = []
  const report = (code: Issue['code'], location: string, detail: string) =>
    issues.push({ code, rule: 'M56', location, detail })
  for (const document of children(body, ns.xdsb, 'Document')) {
    const id = attribute(document, 'id') ?? ''
    const entryUuid = ids.get(id)
    const content = message.document(document)
    if (entryUuid === undefined || !expected.has(entryUuid))
      report(
        'XDSMissingDocumentMetadata',
        id,
        'No DocumentEntry has the id of this Document: send one, or leave the Document out.',
      )
    else if (contents.has(entryUuid))
      report('XDSRepositoryMetadataError', id, 'Two Documents have this id: send one for each DocumentEntry.')
    else if (content !== undefined) contents.set(entryUuid, content)
  }
  return { contents, issues }
}

function missingDocument({ entryUuid }: DocumentEntry): Issue {
  const detail = 'The DocumentEntry has no document: send its bytes with it.'
  return { code: 'XDSMissingDocument', rule: 'M56', location: entryUuid, detail }
}

/**
 * Of hash and size the repository judges itself, so that what is wrong with them has its code, the form included
 * (ITI TF-2 3.41.4.1.3).
 */
function byTheRepository(tell: Telling): Telling {
  return (issue) => {
    const told = tell(issue)
    return /\/(hash|size)$/.test(told.location ?? '') ? { ...told, code: 'XDSRepositoryMetadataError' } : told
  }
}
