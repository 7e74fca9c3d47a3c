/** The metadata versions of a document: its history, for whoever may see the document now. */
import { GatewayError } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { OperationParts } from './access.ts'
import { find } from './find.ts'
import type { RequestContext } from './ports.ts'

export async function versions(
  parts: OperationParts,
  logicalId: EntryUuid,
  context: RequestContext,
): Promise<readonly DocumentEntry[]> {
  const query = { kind: 'GetDocuments', by: 'any', ids: [logicalId] } as const
  const { documents } = await find(parts, query, context, { relations: false })
  const [document] = documents
  if (document === undefined) throw new GatewayError('not-found', { detail: 'No document is known under this id.' })
  return parts.dmp.versions(document.logicalId)
}
