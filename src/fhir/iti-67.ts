/** ITI-67 Find Document References (TD3.1a, and TD3.1b by `identifier`), and the read of one. */
import type { DocumentReference } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { isEntryUuid } from '../metadata/identifiers.ts'
import { readForm } from './body.ts'
import { sendRead } from './conditional.ts'
import { resourceWriter } from './document-resource.ts'
import { findDocuments, positionOf, readDocumentSearch } from './document-search.ts'
import { linksOf, pageOf, type Query } from './paging.ts'
import type { Exchange } from './parts.ts'
import { parseQuery } from './query.ts'
import { type Match, sendSearchset } from './searchset.ts'

export async function findDocumentReferences(exchange: Exchange): Promise<void> {
  await search(exchange, exchange.query)
}

/** POST: the parameters of the URL and of the body together (FHIR R4 http.html#search). */
export async function findDocumentReferencesByPost(exchange: Exchange): Promise<void> {
  await search(exchange, [...exchange.query, ...parseQuery(await readForm(exchange.request))])
}

async function search(exchange: Exchange, query: Query): Promise<void> {
  const { parts, context, response, format, baseUrl } = exchange
  const asked = readDocumentSearch(query, exchange)
  const found = await findDocuments(parts.operations, asked, context)
  const { items, next } = pageOf(asked.countOnly ? [] : found.documents, {
    position: positionOf(asked.order),
    descending: asked.order.descending,
    after: asked.after,
    count: asked.count,
  })
  const write = resourceWriter(found, exchange)
  async function* matches(): AsyncGenerator<Match> {
    for await (const entry of found.entries(items)) {
      const resource = write(entry)
      yield { fullUrl: `${baseUrl}/DocumentReference/${resource.id}`, resource }
    }
  }
  const links = linksOf(`${baseUrl}/DocumentReference`, asked.used, next)
  await sendSearchset(response, format, { total: found.documents.length, links }, matches())
}

/** `DocumentReference/{id}`: the current version, whichever version's entryUUID the id is. */
export async function readDocumentReference(exchange: Exchange): Promise<void> {
  const { resource, updatedAt } = await current(String(exchange.request.params.id), exchange)
  const { version } = exchange.request.params
  if (version !== undefined && version !== resource.meta?.versionId) throw notFound()
  sendRead(exchange, resource, updatedAt)
}

async function current(id: string, exchange: Exchange): Promise<{ resource: DocumentReference; updatedAt: string }> {
  const uuid = `urn:uuid:${id.toLowerCase()}`
  if (!isEntryUuid(uuid)) throw notFound()
  const found = await exchange.parts.operations.find({ kind: 'GetDocuments', by: 'any', ids: [uuid] }, exchange.context)
  const [facts] = found.documents
  if (facts === undefined) throw notFound()
  for await (const entry of found.entries([facts]))
    return { resource: resourceWriter(found, exchange)(entry), updatedAt: facts.updatedAt }
  throw notFound()
}

function notFound(): GatewayError {
  return new GatewayError({ code: 'not-found', detail: 'No DocumentReference is known under this id.' })
}
