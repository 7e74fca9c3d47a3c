/** The metadata versions of a document: its history, for whoever may see the document now. */
import { GatewayError } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { OperationParts } from './access.ts'
import { find } from './find.ts'
import type { DocumentHistory } from './operations.ts'
import type { RequestContext } from './ports.ts'

export async function versions(
  parts: OperationParts,
  logicalId: EntryUuid,
  context: RequestContext,
): Promise<DocumentHistory> {
  const query = { kind: 'GetDocuments', by: 'any', ids: [logicalId] } as const
  const { documents, associations, logicalIds } = await find(parts, query, context)
  const [document] = documents
  if (document === undefined) throw new GatewayError('not-found', { detail: 'No document is known under this id.' })
  const entries = await parts.dmp.versions(document.logicalId)
  const ids = entries.map(({ entryUuid }) => entryUuid)
  const known = await parts.dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids })
  const facts = new Map(known.documents.map((each) => [each.entryUuid, each]))
  return {
    versions: entries.flatMap((entry) => {
      const about = facts.get(entry.entryUuid)
      return about ? [{ entry, facts: about }] : []
    }),
    associations,
    ...(logicalIds && { logicalIds }),
  }
}
