/** ITI-42 Register Document Set-b (ITI TF-2 3.42): metadata alone. Only conformance mode knows it (UP7). */
import { readSubmission } from './ebrim/reader.ts'
import { ns } from './namespaces.ts'
import { faultsOf, inTheWordsOfTheSender, noContents, refusal, submit, violationsOf } from './submission.ts'
import { type Answer, registryResponse, type Transaction, type TransactionRequest } from './transaction.ts'

export const registerDocumentSet: Transaction = {
  name: 'ITI-42',
  requestAction: 'urn:ihe:iti:2007:RegisterDocumentSet-b',
  responseAction: 'urn:ihe:iti:2007:RegisterDocumentSet-bResponse',
  requestElement: { ns: ns.lcm, local: 'SubmitObjectsRequest' },
  endpoint: 'registry',
  packaging: 'simple',
  violation: 'XDSRegistryMetadataError',
  handle,
  failure: (issues) => registryResponse('Failure', issues, 'registry'),
}

async function handle({ body, context, operations, validation, schemaIssues }: TransactionRequest): Promise<Answer> {
  const reading = readSubmission(body)
  const { submission } = reading
  const tell = inTheWordsOfTheSender(reading)
  const faults = faultsOf(reading, schemaIssues)
  if (submission === undefined || faults.length > 0)
    throw refusal(violationsOf(reading, { ...validation, register: true }, faults), tell)
  const warnings = await submit(() => operations.feed(submission, noContents, context, { register: true }), tell)
  return { status: 'Success', body: registryResponse('Success', warnings, 'registry'), issues: warnings }
}
