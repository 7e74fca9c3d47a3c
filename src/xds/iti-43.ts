/** ITI-43 Retrieve Document Set (ITI TF-2 3.43): TD3.2. Documents leave as they are read from the store. */
import type { Issue } from '../errors.ts'
import type { DocumentRequest, RetrievedDocument } from '../operations/operations.ts'
import { encodeBase64 } from '../spool/index.ts'
import { XmlWriter } from '../xml/writer.ts'
import { readDocumentRequests } from './document-requests.ts'
import type { ResponseStatus } from './ebrim/response.ts'
import { cidUri, newContentId } from './mtom/writer.ts'
import { ns } from './namespaces.ts'
import {
  type Answer,
  type AnswerPart,
  type Transaction,
  type TransactionRequest,
  writeRegistryResponse,
} from './transaction.ts'

type ByUniqueId = Extract<DocumentRequest, { readonly documentUniqueId: string }>

export const retrieveDocumentSet: Transaction = {
  name: 'ITI-43',
  requestAction: 'urn:ihe:iti:2007:RetrieveDocumentSet',
  responseAction: 'urn:ihe:iti:2007:RetrieveDocumentSetResponse',
  requestElement: { ns: ns.xdsb, local: 'RetrieveDocumentSetRequest' },
  endpoint: 'repository',
  packaging: 'mtom',
  violation: 'XDSRegistryError',
  handle,
  failure: (issues) => head('Failure', issues).end().take(),
}

async function handle(request: TransactionRequest): Promise<Answer> {
  const { body, message, context, operations, repositoryUniqueId } = request
  const requests = readDocumentRequests(body, request.schemaIssues)
  const { documents, issues } = await operations.retrieve(requests, context)
  const status = issues.length === 0 ? 'Success' : documents.length > 0 ? 'PartialSuccess' : 'Failure'
  const attached = documents.map((document) => ({ document, contentId: newContentId() }))
  const describe = (xml: XmlWriter, { request, entry }: RetrievedDocument) => {
    const asked = request as ByUniqueId
    xml.start('xdsb:DocumentResponse')
    if (asked.homeCommunityId !== undefined) xml.element('xdsb:HomeCommunityId', undefined, asked.homeCommunityId)
    xml.element('xdsb:RepositoryUniqueId', undefined, entry.repositoryUniqueId ?? repositoryUniqueId)
    xml.element('xdsb:DocumentUniqueId', undefined, asked.documentUniqueId)
    xml.element('xdsb:mimeType', undefined, entry.mimeType)
    return xml.start('xdsb:Document')
  }
  const xml = head(status, issues)
  if (message.packaging === 'simple') return { status, issues, body: inline(xml, documents, describe) }
  for (const { document, contentId } of attached)
    describe(xml, document)
      .element('xop:Include', { 'xmlns:xop': ns.xop, href: cidUri(contentId) })
      .end()
      .end()
  return { status, issues, body: xml.end().take(), parts: attached.map(toPart) }
}

function head(status: ResponseStatus, issues: readonly Issue[]): XmlWriter {
  const xml = new XmlWriter().start('xdsb:RetrieveDocumentSetResponse', { 'xmlns:xdsb': ns.xdsb, 'xmlns:rs': ns.rs })
  writeRegistryResponse(xml, status, issues, 'repository')
  return xml
}

function toPart({
  document: { entry, content },
  contentId,
}: {
  document: RetrievedDocument
  contentId: string
}): AnswerPart {
  return { contentId, contentType: entry.mimeType, stream: () => content.stream() }
}

/** A request that came without MTOM is answered without: base64 inside the envelope. */
async function* inline(
  xml: XmlWriter,
  documents: readonly RetrievedDocument[],
  describe: (xml: XmlWriter, document: RetrievedDocument) => XmlWriter,
): AsyncGenerator<Buffer> {
  for (const document of documents) {
    describe(xml, document)
    yield xml.take()
    yield* encodeBase64(document.content.stream())
    xml.end().end()
  }
  yield xml.end().take()
}
