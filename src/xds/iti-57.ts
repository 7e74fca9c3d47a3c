/** ITI-57 Update Document Set (IHE XDS Metadata Update, 3.57): TD3.3a–d in the DMP, everything in conformance mode. */
import type { Issue } from '../errors.ts'
import { readSubmission } from './ebrim/reader.ts'
import { readUpdate, type UpdateCodes, updateCodes } from './metadata-update.ts'
import { ns } from './namespaces.ts'
import { faultsOf, inTheWordsOfTheSender, refusal, submit, violationsOf } from './submission.ts'
import { type Answer, registryResponse, type Transaction, type TransactionRequest } from './transaction.ts'

export const updateDocumentSet: Transaction = {
  name: 'ITI-57',
  requestAction: 'urn:ihe:iti:2010:UpdateDocumentSet',
  responseAction: 'urn:ihe:iti:2010:UpdateDocumentSetResponse',
  requestElement: { ns: ns.lcm, local: 'SubmitObjectsRequest' },
  endpoint: 'registry',
  packaging: 'simple',
  violation: 'XDSRegistryMetadataError',
  handle: (request) => update(request, updateCodes),
  failure: (issues) => registryResponse('Failure', issues, 'registry'),
}

/** ITI-57 and ITI-92: the same request, judged by the codes of each. */
export async function update(
  { body, context, operations, validation, schemaIssues }: TransactionRequest,
  codes: UpdateCodes,
): Promise<Answer> {
  const reading = readSubmission(body, 'update')
  const { submission } = reading
  const tell = inTheWordsOfTheSender(reading)
  const asked = submission && readUpdate(submission, reading, codes)
  // In the DMP what the repository knows of a document may be left out of its new version
  const options = { ...validation, update: true, register: validation.profile === 'ihe' }
  const violations = violationsOf(reading, options, faultsOf(reading, schemaIssues, asked?.issues))
  if (asked?.update === undefined || violations.length > 0)
    throw refusal(
      violations.map((issue) => ofTheUpdate(issue, codes)),
      tell,
    )
  const change = asked.update
  const warnings = await submit(() => operations.update(change, context), tell)
  return { status: 'Success', body: registryResponse('Success', warnings, 'registry'), issues: warnings }
}

function ofTheUpdate(issue: Issue, { rules }: UpdateCodes): Issue {
  const code = issue.rule === undefined ? undefined : rules[issue.rule]
  return code === undefined ? issue : { ...issue, code }
}
