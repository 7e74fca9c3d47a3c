/** ITI-67 Find Document References (TD3.1a, and TD3.1b by `identifier`), the read of one, and its versions. */
import type { Bundle, BundleEntry, DocumentReference } from '@medplum/fhirtypes'
import type { DocumentFacts } from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import { type EntryUuid, isEntryUuid } from '../metadata/identifiers.ts'
import { sendResource } from './answer.ts'
import { readForm } from './body.ts'
import { etagOf, sendRead } from './conditional.ts'
import { resourceWriter } from './document-resource.ts'
import { findDocuments, positionOf, readDocumentSearch } from './document-search.ts'
import { searchedFor } from './exchange.ts'
import { fragmentsOf, matchesOf } from './fragments.ts'
import { linksOf, pageOf, type Query } from './paging.ts'
import type { Exchange } from './parts.ts'
import { parseQuery } from './query.ts'
import { sendSearchset } from './searchset.ts'

export async function findDocumentReferences(exchange: Exchange): Promise<void> {
  await search(exchange, exchange.query)
}

/** POST: the parameters of the URL and of the body together (FHIR R4 http.html#search). */
export async function findDocumentReferencesByPost(exchange: Exchange): Promise<void> {
  const form = parseQuery(await readForm(exchange.request))
  await search({ ...exchange, context: searchedFor(exchange, form) }, [...exchange.query, ...form])
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
  const linked = new Set<EntryUuid>(found.associations.map(({ source }) => source))
  const matches = matchesOf(items, {
    // In profile ihe a resource names its patient by an id that comes and goes
    fragments: format === 'json' && parts.profile === 'ci-sis' ? fragmentsOf(parts) : undefined,
    baseUrl,
    hasLinks: ({ entryUuid }) => linked.has(entryUuid),
    entries: (documents) => found.entries(documents),
    write: (entry) => {
      const resource = write(entry)
      return { fullUrl: `${baseUrl}/DocumentReference/${resource.id}`, resource }
    },
  })
  const links = linksOf(`${baseUrl}/DocumentReference`, asked.used, next)
  await sendSearchset(response, format, { total: found.documents.length, links }, matches)
}

/** `DocumentReference/{id}`: the current version, whichever version's entryUUID the id is. */
export async function readDocumentReference(exchange: Exchange): Promise<void> {
  const found = await exchange.parts.operations.find(
    { kind: 'GetDocuments', by: 'any', ids: [uuidOf(exchange)] },
    exchange.context,
  )
  const [facts] = found.documents
  if (facts === undefined) throw notFound()
  for await (const entry of found.entries([facts])) {
    sendRead(exchange, resourceWriter(found, exchange)(entry), facts.updatedAt)
    return
  }
  throw notFound()
}

interface Version {
  readonly resource: DocumentReference
  readonly facts: DocumentFacts
}

/** `DocumentReference/{id}/_history/{versionId}`. A status that was changed since is not kept as a version. */
export async function readDocumentVersion(exchange: Exchange): Promise<void> {
  const wanted = String(exchange.request.params.version)
  const version = (await historyOf(exchange)).find(({ resource }) => resource.meta?.versionId === wanted)
  if (version === undefined) throw notFound()
  sendRead(exchange, version.resource, version.facts.updatedAt)
}

/** `DocumentReference/{id}/_history`: newest first. */
export async function readDocumentHistory(exchange: Exchange): Promise<void> {
  const { baseUrl, response, format } = exchange
  const versions = await historyOf(exchange)
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'history',
    total: versions.length,
    link: [{ relation: 'self', url: `${baseUrl}/DocumentReference/${versions[0]?.resource.id}/_history` }],
    entry: versions.map((version) => historyEntry(version, baseUrl)),
  }
  sendResource(response, 200, bundle, format)
}

function historyEntry({ resource, facts }: Version, baseUrl: string): BundleEntry {
  const url = `DocumentReference/${resource.id}`
  const first = facts.version === 1
  return {
    fullUrl: `${baseUrl}/${url}`,
    resource,
    request: first ? { method: 'POST', url: 'DocumentReference' } : { method: 'PATCH', url },
    response: { status: first ? '201' : '200', etag: etagOf(resource), lastModified: facts.updatedAt },
  }
}

/** Every version, each with the relationships of the document as they are now. */
async function historyOf(exchange: Exchange): Promise<readonly Version[]> {
  const { versions, associations, logicalIds } = await exchange.parts.operations.versions(
    uuidOf(exchange),
    exchange.context,
  )
  const [current] = versions
  return versions.map(({ entry, facts }) => {
    const own = associations.map((each) =>
      each.source === current?.entry.entryUuid ? { ...each, source: entry.entryUuid } : each,
    )
    // Changes of status are told of the version in force only: an earlier one is superseded, whatever it was
    const known = facts.superseded ? withoutRevision(facts) : facts
    const resource = resourceWriter(
      { documents: [known], associations: own, ...(logicalIds && { logicalIds }) },
      exchange,
    )(entry)
    return { resource, facts: known }
  })
}

function withoutRevision({ revision: _, ...facts }: DocumentFacts): DocumentFacts {
  return facts
}

function uuidOf({ request }: Exchange): EntryUuid {
  const uuid = `urn:uuid:${String(request.params.id).toLowerCase()}`
  if (!isEntryUuid(uuid)) throw notFound()
  return uuid
}

function notFound(): GatewayError {
  return new GatewayError({ code: 'not-found', detail: 'No DocumentReference is known under this id.' })
}
