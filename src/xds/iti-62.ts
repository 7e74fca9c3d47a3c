/** ITI-62 Remove Metadata (IHE Remove Metadata and Documents, 3.62). Only conformance mode knows it (UP7). */
import { GatewayError, type Issue } from '../errors.ts'
import { type EntryUuid, isEntryUuid } from '../metadata/identifiers.ts'
import { attribute, child, children, type XmlElement } from '../xml/tree.ts'
import { ns } from './namespaces.ts'
import { withSchemaIssues } from './schema/index.ts'
import { type Answer, registryResponse, type Transaction, type TransactionRequest } from './transaction.ts'

/** Objects of one request. */
const mostObjects = 10_000

export const removeMetadata: Transaction = {
  name: 'ITI-62',
  requestAction: 'urn:ihe:iti:2010:DeleteDocumentSet',
  responseAction: 'urn:ihe:iti:2010:DeleteDocumentSetResponse',
  requestElement: { ns: ns.lcm, local: 'RemoveObjectsRequest' },
  endpoint: 'registry',
  packaging: 'simple',
  violation: 'XDSRegistryError',
  handle,
  failure: (issues) => registryResponse('Failure', issues, 'registry'),
}

async function handle({ body, context, operations, schemaIssues }: TransactionRequest): Promise<Answer> {
  const issues: Issue[] = []
  const objects = readReferences(body, issues)
  const wrong = withSchemaIssues(issues, schemaIssues)
  if (wrong.length > 0) throw new GatewayError(wrong)
  await operations.remove({ objects }, context)
  return { status: 'Success', issues: [], body: registryResponse('Success', [], 'registry') }
}

/** rim:ObjectRefList names each object by its entryUUID, and no query may choose them (3.62.4.1.2). */
function readReferences(body: XmlElement, issues: Issue[]): readonly EntryUuid[] {
  const report = (location: string, detail: string, code: Issue['code'] = 'XDSRegistryError') =>
    void issues.push({ code, rule: 'RM1', location, detail })
  if (child(body, ns.rim, 'AdhocQuery')) report('AdhocQuery', 'A query removes nothing: name each object by ObjectRef.')
  if (attribute(body, 'deletionScope') !== undefined)
    report('deletionScope', 'deletionScope is not taken: leave it out.')
  const list = child(body, ns.rim, 'ObjectRefList')
  const references = list ? children(list, ns.rim, 'ObjectRef') : []
  if (references.length === 0) report('ObjectRefList', 'Nothing is named: send ObjectRef elements with an id.')
  if (references.length > mostObjects) {
    report(
      'ObjectRefList',
      `More than ${mostObjects} objects are named: remove them in several requests.`,
      'over-limit',
    )
    return []
  }
  return references.flatMap((reference) => {
    const id = attribute(reference, 'id') ?? ''
    if (isEntryUuid(id)) return [id]
    const detail = 'The id is no lower-case urn:uuid: send the entryUUID of a registered object.'
    report(id.slice(0, 80) || 'ObjectRef', detail, 'UnresolvedReferenceException')
    return []
  })
}
