/** ITI-41 Provide and Register Document Set-b (ITI TF-2 3.41): TD2.1, and TD2.1b when a document replaces another. */
import { GatewayError, type Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import { validateSubmission } from '../metadata/rules.ts'
import type { DocumentContent } from '../operations/ports.ts'
import { attribute, child, children } from '../xml/tree.ts'
import { type ReadSubmission, readSubmission } from './ebrim/reader.ts'
import { ns } from './namespaces.ts'
import { type Answer, registryResponse, type Transaction, type TransactionRequest } from './transaction.ts'

/** `urn:uuid:` and a UUID. */
const entryUuidLength = 45

/** Issues of one answer; a message can hold any number of wrong objects. */
const mostIssues = 500

export const provideAndRegister: Transaction = {
  name: 'ITI-41',
  requestAction: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b',
  responseAction: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse',
  requestElement: { ns: ns.xdsb, local: 'ProvideAndRegisterDocumentSetRequest' },
  endpoint: 'repository',
  handle,
  failure: (issues) => registryResponse('Failure', issues, 'repository'),
}

async function handle(request: TransactionRequest): Promise<Answer> {
  const reading = readSubmission(child(request.body, ns.lcm, 'SubmitObjectsRequest'))
  const { submission } = reading
  const asSent = inTheWordsOfTheSender(reading)
  const { contents, issues } = matchDocuments(request, reading)
  // A document that is missing alone is left to the operation, which records the attempt
  if (submission === undefined || reading.issues.length + issues.length > 0)
    throw new GatewayError(allIssues(request, reading, issues, contents))
  try {
    const { warnings } = await request.operations.feed(submission, contents, request.context)
    const issues = warnings.map((warning) => asSent(warning))
    return { status: 'Success', body: registryResponse('Success', issues, 'repository'), issues }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new GatewayError(
      error.issues.map((issue) => asSent(issue)),
      { cause: error },
    )
  }
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

/** Everything that is wrong with the message, in one answer; what two layers say of one place is said once. */
function allIssues(
  { profile }: TransactionRequest,
  reading: ReadSubmission,
  documents: readonly Issue[],
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
): readonly Issue[] {
  const asSent = inTheWordsOfTheSender(reading)
  const missing = reading.entries.filter(({ entryUuid }) => !contents.has(entryUuid)).map(missingDocument)
  const found = [...reading.issues, ...documents, ...missing].map((issue) => asSent(issue))
  const rules = reading.submission ? validateSubmission(reading.submission, { profile }) : []
  const places = new Set(found.map(({ location }) => location).filter((location) => location?.includes('/')))
  const all = [...found, ...rules.map((issue) => asSent(issue)).filter(({ location }) => !places.has(location))]
  if (all.length <= mostIssues) return all
  const detail = `${all.length - mostIssues} more violations are not listed: correct these first.`
  return [...all.slice(0, mostIssues), { code: 'XDSRegistryMetadataError', detail }]
}

function missingDocument({ entryUuid }: DocumentEntry): Issue {
  const detail = 'The DocumentEntry has no document: send its bytes with it.'
  return { code: 'XDSMissingDocument', rule: 'M56', location: entryUuid, detail }
}

/**
 * The sender knows its objects by the ids it gave them, symbolic ones included. Of hash and size the repository judges
 * itself, so that what is wrong with them has its code, the form included (ITI TF-2 3.41.4.1.3).
 */
function inTheWordsOfTheSender({ ids }: ReadSubmission): (issue: Issue) => Issue {
  const sent = new Map<string, string>([...ids].map(([id, entryUuid]) => [entryUuid, id]))
  return (issue) => {
    const { location } = issue
    if (location === undefined) return issue
    const id = sent.get(location.slice(0, entryUuidLength))
    return {
      ...issue,
      ...(id !== undefined && { location: id + location.slice(entryUuidLength) }),
      ...(/\/(hash|size)$/.test(location) && { code: 'XDSRepositoryMetadataError' }),
    }
  }
}
