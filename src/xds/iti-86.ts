/** ITI-86 Remove Documents (IHE Remove Metadata and Documents, 3.86): the bytes alone. Only conformance mode (UP7). */
import { readDocumentRequests } from './document-requests.ts'
import { ns } from './namespaces.ts'
import { type Answer, registryResponse, type Transaction, type TransactionRequest } from './transaction.ts'

export const removeDocuments: Transaction = {
  name: 'ITI-86',
  requestAction: 'urn:ihe:iti:2017:RemoveDocuments',
  responseAction: 'urn:ihe:iti:2017:RemoveDocumentsResponse',
  requestElement: { ns: ns.rmd, local: 'RemoveDocumentsRequest' },
  endpoint: 'repository',
  packaging: 'simple',
  violation: 'XDSRegistryError',
  handle,
  failure: (issues) => registryResponse('Failure', issues, 'repository'),
}

async function handle({ body, context, operations, schemaIssues }: TransactionRequest): Promise<Answer> {
  const documents = readDocumentRequests(body, schemaIssues)
  await operations.remove({ documents }, context)
  return { status: 'Success', issues: [], body: registryResponse('Success', [], 'repository') }
}
