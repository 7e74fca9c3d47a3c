/** ITI-66 Find Document Lists: SubmissionSets (lots) and Folders, their read and their history. */
import type { Bundle, List } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { type EntryUuid, isEntryUuid } from '../metadata/identifiers.ts'
import type { Findings } from '../operations/operations.ts'
import { sendResource } from './answer.ts'
import { readForm } from './body.ts'
import { etagOf, sendRead } from './conditional.ts'
import { searchedFor } from './exchange.ts'
import { listWriter } from './list-resource.ts'
import { findLists, positionOf, readListSearch, updateOf } from './list-search.ts'
import { linksOf, pageOf, type Query } from './paging.ts'
import type { Exchange } from './parts.ts'
import { parseQuery } from './query.ts'
import { sendSearchset } from './searchset.ts'

export async function findDocumentLists(exchange: Exchange): Promise<void> {
  await search(exchange, exchange.query)
}

/** POST: the parameters of the URL and of the body together (FHIR R4 http.html#search). */
export async function findDocumentListsByPost(exchange: Exchange): Promise<void> {
  const form = parseQuery(await readForm(exchange.request))
  await search({ ...exchange, context: searchedFor(exchange, form) }, [...exchange.query, ...form])
}

async function search(exchange: Exchange, query: Query): Promise<void> {
  const { parts, context, response, format, baseUrl } = exchange
  const asked = readListSearch(query, exchange)
  const { lists, findings } = await findLists(parts, asked, context)
  const { items, next } = pageOf(asked.countOnly ? [] : lists, {
    position: positionOf(asked.order, findings),
    descending: asked.order.descending,
    after: asked.after,
    count: asked.count,
  })
  const write = listWriter(findings, exchange)
  const matches = items.map((list) => {
    const resource = write(list)
    return { fullUrl: `${baseUrl}/List/${resource.id}`, resource }
  })
  const links = linksOf(`${baseUrl}/List`, asked.used, next)
  await sendSearchset(response, format, { total: lists.length, links }, matches)
}

/** `List/{id}` and `List/{id}/_history/{version}`: the current version, whichever version's entryUUID the id is. */
export async function readDocumentList(exchange: Exchange): Promise<void> {
  const { resource, updatedAt } = await current(exchange)
  const { version } = exchange.request.params
  if (version !== undefined && version !== resource.meta?.versionId) throw notFound()
  sendRead(exchange, resource, updatedAt)
}

/** A lot never changes, and a DMP keeps of a Folder what it is now: the history is the current version. */
export async function readListHistory(exchange: Exchange): Promise<void> {
  const { baseUrl, response, format } = exchange
  const { resource, updatedAt } = await current(exchange)
  const url = `List/${resource.id}`
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'history',
    total: 1,
    link: [{ relation: 'self', url: `${baseUrl}/${url}/_history` }],
    entry: [
      {
        fullUrl: `${baseUrl}/${url}`,
        resource,
        request: { method: 'PUT', url },
        response: {
          status: '200',
          etag: etagOf(resource),
          ...(updatedAt === undefined ? {} : { lastModified: updatedAt }),
        },
      },
    ],
  }
  sendResource(response, 200, bundle, format)
}

async function current(exchange: Exchange): Promise<{ resource: List; updatedAt: string | undefined }> {
  const uuid = `urn:uuid:${String(exchange.request.params.id).toLowerCase()}`
  if (!isEntryUuid(uuid)) throw notFound()
  for (const kind of kindsOf(exchange)) {
    const found = await lookUp(kind, uuid, exchange)
    const [list] = kind === 'GetFolders' ? found.folders : found.submissionSets
    if (list) return { resource: listWriter([found], exchange)(list), updatedAt: updateOf(list, [found]) }
  }
  throw notFound()
}

type Kind = 'GetSubmissionSets' | 'GetFolders'

/** The DMP has no folders. */
function kindsOf({ parts }: Exchange): readonly Kind[] {
  return parts.profile === 'ihe' ? ['GetSubmissionSets', 'GetFolders'] : ['GetSubmissionSets']
}

function lookUp(kind: Kind, uuid: EntryUuid, { parts, context }: Exchange): Promise<Findings> {
  return parts.operations.find({ kind, by: 'any', ids: [uuid] }, context, { members: true })
}

function notFound(): GatewayError {
  return new GatewayError({ code: 'not-found', detail: 'No List is known under this id.' })
}
