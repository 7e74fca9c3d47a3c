/**
 * PDSm flux 03–04 (TD3.3a–d): PATCH of a DocumentReference by id or by business identifier, as JSON Patch or FHIRPath
 * Patch. Only securityLabel, status and isArchived change; what the change amounts to in the DMP operations.update says.
 */
import type { DocumentReference, Parameters } from '@medplum/fhirtypes'
import type { DocumentFacts } from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import { type EntryUuid, isEntryUuid, newEntryUuid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { Findings } from '../operations/operations.ts'
import type { MetadataUpdate, Receipt } from '../operations/ports.ts'
import { mediaTypeOf, readJsonText, readResource } from './body.ts'
import { requireMatch, versionHeaders } from './conditional.ts'
import { resourceWriter } from './document-resource.ts'
import { uniqueIdOf } from './mapping/index.ts'
import type { Exchange } from './parts.ts'
import { type Change, notPatchable, patchable, readChange } from './patch/change.ts'
import { applyPathOperation, readPathOperations } from './patch/fhirpath-patch.ts'
import { applyOperation, type Operation, readOperations } from './patch/json-patch.ts'
import { namesPatient, patientOf } from './search-patient.ts'
import {
  alternatives,
  invalid,
  type Parameter,
  parseParameter,
  parseToken,
  refuseModifier,
  shown,
} from './search-values.ts'
import { sendWritten } from './written.ts'

/** Applies the patch to a copy of the resource as it is served. */
type Patch = (resource: Patched) => void
type Patched = Record<string, unknown> & { readonly resourceType: string }

export async function patchDocument(exchange: Exchange): Promise<void> {
  const { response } = exchange
  // RFC 5789 §3.1
  response.setHeader('Accept-Patch', `${jsonPatch}, application/fhir+json, application/fhir+xml`)
  try {
    await patch(exchange)
  } catch (error) {
    // RFC 9110 §15.5.6
    if (error instanceof GatewayError && error.http === 405) response.setHeader('Allow', 'GET, HEAD, PATCH')
    throw error
  }
}

async function patch(exchange: Exchange): Promise<void> {
  const { parts, context } = exchange
  const apply = await readPatch(exchange)
  const found = await locate(exchange)
  const [facts] = found.documents
  const entry = facts && (await entryOf(found, facts))
  if (facts === undefined || entry === undefined) throw notFound()
  const served = resourceWriter(found, exchange)(entry)
  requireMatch(exchange, served)
  // Parts of what is served are shared between answers, and frozen
  const patched: Patched = structuredClone({ ...served })
  // A structure is told a reference and no labels (TD3.1b): a patch of them is to meet the guard, not an empty place
  const labelled = entry.limitedMetadata && parts.profile === 'ci-sis' && patched.securityLabel === undefined
  if (labelled) patched.securityLabel = []
  apply(patched)
  if (labelled && Array.isArray(patched.securityLabel) && patched.securityLabel.length === 0)
    delete patched.securityLabel
  const change = readChange(served, patched, entry, parts.profile)
  if (isEmpty(change)) return sendWritten(exchange, 200, served, versionHeaders(served, facts.updatedAt))
  const receipt = await parts.operations.update(updateOf(facts, entry, change), context)
  const resource = updated(found, facts, change, receipt, exchange)
  sendWritten(exchange, 200, resource, versionHeaders(resource, receipt.at), receipt.warnings)
}

const jsonPatch = 'application/json-patch+json'

async function readPatch(exchange: Exchange): Promise<Patch> {
  const { request, parts } = exchange
  if (mediaTypeOf(request) === jsonPatch) {
    const operations = readOperations(await readJsonText(request, [jsonPatch]))
    for (const operation of operations) for (const path of touched(operation)) requirePatchable(path)
    return (resource) => {
      for (const [index, operation] of operations.entries())
        applyOperation(resource, operation, `operation ${index + 1}`)
    }
  }
  const received = await readResource(request, parts, [jsonPatch])
  try {
    const resource: { readonly resourceType: string } = received.resource
    if (!isParameters(resource))
      throw new GatewayError('patch-invalid', { detail: 'Send a Parameters (FHIRPath Patch) or a JSON Patch.' })
    const operations = readPathOperations(resource, 'DocumentReference')
    return (document) => {
      for (const operation of operations) applyPathOperation(document, operation)
    }
  } finally {
    await received.dispose()
  }
}

function isParameters(resource: { readonly resourceType: string }): resource is Parameters {
  return resource.resourceType === 'Parameters'
}

/** What an operation changes; `test` changes nothing, `copy` only its target. */
function touched(operation: Operation): readonly string[] {
  if (operation.op === 'test') return []
  return operation.op === 'move' ? [operation.from, operation.path] : [operation.path]
}

/** PDSm st_maj: 405 for any other element, whether or not the operation could be done. */
function requirePatchable(path: string): void {
  const [, element = ''] = path.split('/')
  if (!patchable.has(element)) throw notPatchable(element)
}

/** The one document that the URL names, as the caller may see it. Throws `not-found`, `multiple-matches`. */
async function locate(exchange: Exchange): Promise<Findings> {
  const { request, parts, context } = exchange
  const { id } = request.params
  if (id !== undefined) {
    const uuid = `urn:uuid:${String(id).toLowerCase()}`
    if (!isEntryUuid(uuid)) throw notFound()
    return parts.operations.find({ kind: 'GetDocuments', by: 'any', ids: [uuid] }, context)
  }
  const { ids, matches } = readCondition(exchange)
  const uuids = ids.filter(isEntryUuid)
  const found = await parts.operations.find({ kind: 'GetDocuments', by: 'uniqueId', ids }, context)
  // A urn:uuid may be a uniqueId, an entryUUID or a logicalID
  const more =
    uuids.length === 0
      ? undefined
      : await parts.operations.find({ kind: 'GetDocuments', by: 'any', ids: uuids }, context)
  const all = [found, ...(more ? [more] : [])]
  const documents = new Map<EntryUuid, DocumentFacts>()
  for (const each of all) for (const facts of each.documents) if (matches(facts)) documents.set(facts.entryUuid, facts)
  if (documents.size > 1)
    throw new GatewayError({
      code: 'multiple-matches',
      detail: 'Several documents meet the condition: name one by its identifier.',
    })
  return {
    ...found,
    documents: [...documents.values()],
    associations: all.flatMap(({ associations }) => associations),
    logicalIds: new Map(all.flatMap(({ logicalIds = [] }) => [...logicalIds])),
  }
}

/** FHIR R4 http.html#patch: a condition that is not understood whole must not choose what is changed. */
function readCondition(exchange: Exchange): {
  readonly ids: readonly string[]
  readonly matches: (facts: DocumentFacts) => boolean
} {
  const parameters = exchange.query.map(parseParameter).filter(({ name }) => name !== '_format')
  const patients = parameters.filter(namesPatient)
  const identifiers = parameters.filter(({ name }) => name === 'identifier')
  const other = parameters.find((each) => !patients.includes(each) && !identifiers.includes(each))
  if (other !== undefined)
    throw new GatewayError('unknown-parameter', {
      detail: `${shown(other.name)} does not choose a document: send identifier=urn:ietf:rfc:3986|urn:oid:….`,
    })
  const [identifier, ...others] = identifiers
  if (identifier === undefined || others.length > 0)
    throw invalid(
      'identifier',
      'must be there once: send PATCH DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:….',
    )
  const patient = patients.length === 0 ? undefined : patientOf(patients, exchange)
  return { ids: idsOf(identifier), matches: (facts) => patient === undefined || facts.patient === patient }
}

function idsOf(identifier: Parameter): readonly string[] {
  refuseModifier(identifier)
  return alternatives(identifier)
    .map(parseToken)
    .flatMap(({ system, code }) => uniqueIdOf({ ...(system && { system }), ...(code && { value: code }) }) ?? [])
}

async function entryOf(found: Findings, facts: DocumentFacts): Promise<DocumentEntry | undefined> {
  for await (const entry of found.entries([facts])) return entry
  return undefined
}

function isEmpty({ confidentialityCodes, status }: Change): boolean {
  return confidentialityCodes === undefined && status === undefined
}

/** Labels make a new metadata version (ITI-57), a status is set on the one in force. */
function updateOf(
  { patient, availabilityStatus: from, version }: DocumentFacts,
  entry: DocumentEntry,
  { confidentialityCodes, status: to }: Change,
): MetadataUpdate {
  const next = { ...entry, entryUuid: newEntryUuid(), version: version + 1 }
  return {
    patient,
    versions:
      confidentialityCodes === undefined
        ? []
        : [{ object: { ...next, confidentialityCodes }, previousVersion: version, propagate: true }],
    statuses: to === undefined ? [] : [{ target: entry.entryUuid, from, to }],
    associations: [],
  }
}

/** The resource after the change, from the receipt: whoever masked a document may not be able to read it again. */
function updated(
  found: Findings,
  facts: DocumentFacts,
  { confidentialityCodes, status }: Change,
  { entries, at }: Receipt,
  exchange: Exchange,
): DocumentReference {
  const entry = entries.find(({ logicalId }) => logicalId === facts.logicalId)
  if (entry === undefined) throw new RangeError('the receipt of an update has the entries that changed')
  const { entryUuid } = entry
  const revision = (confidentialityCodes === undefined ? (facts.revision ?? 0) : 0) + (status === undefined ? 0 : 1)
  return resourceWriter(
    {
      ...found,
      documents: [...found.documents, { ...facts, entryUuid, updatedAt: at, revision }],
      associations: found.associations.map((each) =>
        each.source === facts.entryUuid ? { ...each, source: entryUuid } : each,
      ),
    },
    exchange,
  )(entry)
}

function notFound(): GatewayError {
  return new GatewayError({ code: 'not-found', detail: 'No DocumentReference is known under this name.' })
}
