/**
 * ITI-106 Generate Metadata: `DocumentReference/$generate-metadata` publishes a CDA R2 document whose header yields the
 * metadata. What comes out goes the way of every feed, with its rules, its refusals and its trace.
 */
import type { Parameters } from '@medplum/fhirtypes'
import { type CdaHeader, entryOf, readCda } from '../cda/index.ts'
import { type ErrorCode, GatewayError, type Issue } from '../errors.ts'
import { newAssociation } from '../metadata/association.ts'
import { type EntryUuid, newEntryUuid, type UniqueId } from '../metadata/identifiers.ts'
import type { Association, AssociationType, DocumentEntry, Submission } from '../metadata/model.ts'
import type { Spooled } from '../spool/index.ts'
import { holdsDocument, readDocument, readResource } from './body.ts'
import { feedWithLocations } from './feed.ts'
import { isComplete, submissionForSingle } from './mapping/index.ts'
import type { Exchange } from './parts.ts'
import { newUniqueId } from './submission-reader.ts'
import { sendWritten } from './written.ts'

export const generateMetadataDefinition = 'https://profiles.ihe.net/ITI/MHD/OperationDefinition/generate-metadata'

export async function generateMetadata(exchange: Exchange): Promise<void> {
  const { parts, baseUrl, context } = exchange
  const received = await receive(exchange)
  try {
    const { document, path } = received
    const read = await readCda(document)
    if (read.kind !== 'header') throw unusable(read.kind === 'unreadable' ? read.why : undefined, path)
    const { entry, issues } = entryOf(read.header, {
      entryUuid: newEntryUuid(),
      mimeType: read.selfPresenting ? 'application/xslt+xml' : received.mimeType,
      ...(context.caller.sector !== undefined && { sector: context.caller.sector }),
    })
    if (entry === undefined) throw new GatewayError(issues)
    const relations = relationsOf(entry, read.header)
    const submission = (associations: readonly Association[]): Submission =>
      submissionForSingle(forProfile(entry, parts.profile), {
        profile: parts.profile,
        uniqueId: newUniqueId(),
        sourceId: parts.repositoryUniqueId,
        now: new Date(),
        associations,
      })
    const feed = (associations: readonly Association[]) =>
      feedWithLocations(
        {
          submission: submission(associations),
          contents: new Map([[entry.entryUuid, document]]),
          locations: relations.locations,
          options: { targets: relations.targets },
        },
        () => ({ kind: 'Binary', path }),
        exchange,
      )
    const unknown: Issue[] = []
    const receipt = await feed(relations.associations).catch((error: unknown) => {
      const lost = unresolvedIn(error, relations)
      unknown.push(...lost.map(({ type }) => standsAlone(type)))
      return feed(relations.associations.filter((each) => !lost.includes(each)))
    })
    const id = receipt.entries[0]?.logicalId.slice('urn:uuid:'.length)
    const warnings = [...issues, ...unknown, ...receipt.warnings]
    const answer: Parameters = {
      resourceType: 'Parameters',
      parameter: [{ name: 'DocumentReference', valueReference: { reference: `${baseUrl}/DocumentReference/${id}` } }],
    }
    sendWritten(exchange, 200, answer, {}, warnings)
  } finally {
    await received.dispose()
  }
}

interface Received {
  readonly document: Spooled
  readonly mimeType: string
  /** FHIRPath of the Binary. */
  readonly path: string
  dispose(): Promise<void>
}

/** The document as Parameters (MHD), as a Binary, or as itself (FHIR R4 operations.html: the one resource as the body). */
async function receive({ request, parts }: Exchange): Promise<Received> {
  if (holdsDocument(request)) {
    const { mimeType, document } = await readDocument(request, parts)
    return { mimeType, document, path: 'Binary', dispose: () => document.dispose() }
  }
  const body = await readResource(request, parts)
  try {
    const { resource, path } = documentIn(body.resource)
    if (resource.resourceType === 'Bundle')
      throw new GatewayError({
        code: 'FHIRDocumentNotSupported',
        location: path,
        detail: 'Send the document as a CDA R2 in a Binary.',
      })
    if (!isBinary(resource)) throw wrongInput(path, 'Send the CDA R2 document as a Binary.')
    const document = body.document(resource.data)
    if (document === undefined || document.size === 0)
      throw wrongInput(`${path}.data`, 'Send the bytes of the document in base64.', 'XDSMissingDocument')
    const mimeType = (resource.contentType ?? '').split(';')[0]?.trim() || 'text/xml'
    return { document, mimeType, path, dispose: () => body.dispose() }
  } catch (error) {
    await body.dispose()
    throw error
  }
}

interface Resource {
  readonly resourceType: string
}

interface Binary extends Resource {
  readonly contentType?: string
  readonly data?: string
}

function isBinary(resource: Resource): resource is Binary {
  return resource.resourceType === 'Binary'
}

function documentIn(resource: Resource): { readonly resource: Resource; readonly path: string } {
  if (resource.resourceType !== 'Parameters') return { resource, path: resource.resourceType }
  const [parameter, ...others] = (resource as Parameters).parameter ?? []
  if (parameter?.name !== 'document' || parameter.resource === undefined || others.length > 0)
    throw wrongInput('Parameters.parameter', 'Send one parameter: document, with the Binary as its resource.')
  return { resource: parameter.resource, path: 'Parameters.parameter[0].resource' }
}

function wrongInput(location: string, detail: string, code: ErrorCode = 'profile-violation'): GatewayError {
  return new GatewayError({ code, rule: 'ITI-106', location, detail })
}

/** ITI-106 2:3.106.4.1.3: a document must be structured enough for metadata to be made of it. */
function unusable(why: string | undefined, location: string): GatewayError {
  const found = why === undefined ? 'This is no CDA R2 document' : `The header of the document cannot be read (${why})`
  return wrongInput(
    location,
    `${found}: send a ClinicalDocument (urn:hl7-org:v3), or its metadata along with it by POST DocumentReference.`,
    'InvalidDocumentContent',
  )
}

/** In `ihe` what a header leaves out makes the metadata limited; the DMP takes complete ones only, and its rules say so. */
function forProfile(entry: DocumentEntry, profile: 'ci-sis' | 'ihe'): DocumentEntry {
  return profile === 'ihe' ? { ...entry, limitedMetadata: !isComplete(entry) } : entry
}

const notProcessed: Readonly<Partial<Record<AssociationType, ErrorCode>>> = {
  RPLC: 'PartialReplaceContentNotProcessed',
  APND: 'PartialAppendContentNotProcessed',
  XFRM: 'PartialTransformNotProcessed',
}

interface Relations {
  readonly associations: readonly Association[]
  /** Documents are named by their ids: the feed looks them up (FeedOptions.targets). */
  readonly targets: ReadonlyMap<EntryUuid, UniqueId>
  /** Where each association stands in the document. */
  readonly locations: ReadonlyMap<EntryUuid, string>
}

function relationsOf({ entryUuid }: DocumentEntry, { related }: CdaHeader): Relations {
  const named = related.map(({ type, uniqueId }) => ({ type, uniqueId, standIn: newEntryUuid() }))
  const associations = named.map(({ type, standIn }) => newAssociation(type, entryUuid, standIn))
  return {
    associations,
    locations: new Map(
      associations.map((each, index) => [each.entryUuid, `ClinicalDocument/relatedDocument[${index}]`]),
    ),
    targets: new Map(named.map(({ standIn, uniqueId }) => [standIn, uniqueId])),
  }
}

/**
 * Associations that lead to nothing, where that is all that is wrong; any other error is thrown on. A first version may
 * never have been fed (a report corrected before it left the hospital): the document is then published as a new one.
 */
function unresolvedIn(error: unknown, { associations, locations }: Relations): readonly Association[] {
  if (!(error instanceof GatewayError)) throw error
  const places = error.issues.map(({ location }) => location)
  const lost = associations.filter(({ entryUuid }) => places.includes(locations.get(entryUuid)))
  if (lost.length === 0 || error.issues.some(({ code }) => code !== 'UnresolvedReferenceException')) throw error
  return lost
}

function standsAlone(type: AssociationType): Issue {
  return {
    code: notProcessed[type] ?? 'PartialRelationshipContentNotProcessed',
    severity: 'warning',
    rule: 'CDA',
    location: 'ClinicalDocument/relatedDocument',
    detail: `${type}: the parent document is not known here, so this one stands as a new document.`,
  }
}
