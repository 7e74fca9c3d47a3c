/** ITI-65 Provide Document Bundle (TD2.1, TD2.1b): one transaction, stored whole or not at all. */
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes'
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Receipt } from '../operations/ports.ts'
import { sendResource } from './answer.ts'
import { type ReceivedResource, readResource } from './body.ts'
import { createReporter, openBundle, type ProvidedBundle } from './bundle.ts'
import { checkRules } from './bundle-rules.ts'
import { feedWithLocations } from './feed.ts'
import { outcomeOf } from './outcome.ts'
import type { Exchange } from './parts.ts'
import type { Place } from './places.ts'
import { profileIssues } from './profiles/index.ts'
import { documentIdIn } from './relation-targets.ts'
import { type ReadSubmission, readSubmission } from './submission-reader.ts'
import { isSound, type Reading, verdictOn } from './verdict.ts'

export async function provideDocumentBundle(exchange: Exchange): Promise<void> {
  const { request, response, parts, format } = exchange
  const received = await readResource(request, parts)
  try {
    const resource: { readonly resourceType: string } = received.resource
    if (!isBundle(resource)) throw new GatewayError({ code: 'malformed', rule: 'RM4_1_1', detail: 'Send a Bundle.' })
    const { reading, bundle, read } = await readBundle(resource, received, exchange, true)
    if (!isSound(reading)) throw new GatewayError((await verdictOn(reading, exchange)).errors)
    const receipt = await feedWithLocations(reading.understood, reading.places, exchange)
    sendResource(response, 200, answer(resource, bundle, read, receipt, exchange), format)
  } finally {
    await received.dispose()
  }
}

export interface ReadBundle {
  readonly reading: Reading
  readonly bundle: ProvidedBundle
  readonly read: ReadSubmission
}

/** @param toFeed Folders that the Bundle adds to are looked up, as long as nothing is wrong */
export async function readBundle(
  resource: Bundle,
  received: ReceivedResource,
  exchange: Exchange,
  toFeed: boolean,
): Promise<ReadBundle> {
  const { profile } = exchange.parts
  const report = createReporter()
  const bundle = openBundle(resource, report)
  checkRules(bundle, profile, report)
  const violations = profileIssues(
    resource,
    profile === 'ci-sis' ? 'dmp-provide-bundle' : undefined,
    (reference) => bundle.follow(reference)?.resource,
  )
  const isSoundSoFar = () => toFeed && report.issues.length + violations.length === 0
  const read = await readSubmission(bundle, received, exchange, report, isSoundSoFar)
  const places = placesOf(read, bundle)
  const { submission, contents, warnings, locations, options } = read
  const understood = submission && { submission, contents, locations, options }
  const reading = { issues: report.issues, warnings, violations, understood, places: (id: EntryUuid) => places.get(id) }
  return { reading, bundle, read }
}

/** Where the resource behind an entryUUID stands; a Binary goes by the id of its document, and is not meant. */
function placesOf({ ids }: ReadSubmission, bundle: ProvidedBundle): ReadonlyMap<EntryUuid, Place> {
  const places = new Map<EntryUuid, Place>()
  for (const { index, path, resource } of [...bundle.sets, ...bundle.documents, ...bundle.folders]) {
    const id = ids.get(index)
    if (id !== undefined) places.set(id, { kind: resource.resourceType, path })
  }
  return places
}

/** checkStructure has seen that it is what its type says. */
export function isBundle(resource: { readonly resourceType: string }): resource is Bundle {
  return resource.resourceType === 'Bundle'
}

/** One entry for each of the request, in its order (ITI-65 2:3.65.4.2.2). */
function answer(
  { entry: entries = [] }: Bundle,
  bundle: ProvidedBundle,
  read: ReadSubmission,
  receipt: Receipt,
  exchange: Exchange,
): Bundle {
  const set = bundle.sets[0]?.index
  const warnings = [...read.warnings, ...receipt.warnings]
  const answered: BundleEntry[] = entries.map(({ resource, request }, index) => {
    const id = read.ids.get(index)
    const own = warnings.filter(
      (issue) => indexOf(issue, read) === index || (index === set && indexOf(issue, read) === undefined),
    )
    return {
      response: {
        ...(updated(index, read) ?? place(resource, id, request?.url ?? '', receipt, exchange)),
        lastModified: receipt.at,
        ...(own.length > 0 ? { outcome: outcomeOf(own.map((issue) => ({ ...issue, severity: 'warning' }))) } : {}),
      },
    }
  })
  return { resourceType: 'Bundle', type: 'transaction-response', entry: answered }
}

/** A Folder that took in documents: it has no new version for that in XDS. */
function updated(index: number, { updates }: ReadSubmission): ReturnType<typeof place> | undefined {
  const folder = updates.find(({ entry }) => entry.index === index)?.folder
  if (folder === undefined) return undefined
  const { logicalId, version } = folder
  const location = `List/${logicalId.slice('urn:uuid:'.length)}/_history/${version}`
  return { status: '200 OK', location, etag: `W/"${version}"` }
}

/** Locations are relative to the base of the door. */
function place(
  resource: Resource | undefined,
  id: EntryUuid | undefined,
  url: string,
  { submissionSet }: Receipt,
  exchange: Exchange,
): { status: string; location?: string; etag?: string } {
  const uuid = id?.slice('urn:uuid:'.length)
  if (resource?.resourceType === 'Binary') return { status: '201 Created', location: `Binary/${uuid}`, etag: 'W/"1"' }
  if (uuid !== undefined)
    return { status: '201 Created', location: `${resource?.resourceType}/${uuid}/_history/1`, etag: 'W/"1"' }
  if (resource?.resourceType === 'Parameters') {
    const target = documentIdIn(url, exchange.baseUrl)
    return { status: '200 OK', ...(target === undefined ? {} : { location: `DocumentReference/${target}` }) }
  }
  // A Patient or an author was referred to, and is not stored; the Patient has a place of its own here
  const { patientId } = submissionSet ?? {}
  const patient = resource?.resourceType === 'Patient' && patientId ? patientKeyOf(patientId) : undefined
  const known = patient && exchange.patientIds.toId(patient)
  return { status: '200 OK', ...(known === undefined ? {} : { location: `Patient/${known}` }) }
}

/** The entry a warning is about. */
function indexOf({ location = '' }: Issue, { ids }: ReadSubmission): number | undefined {
  const index = /^Bundle\.entry\[(\d+)\]/.exec(location)?.[1]
  if (index !== undefined) return Number(index)
  const [own] = [...ids].filter(([, id]) => location.startsWith(id)).map(([position]) => position)
  return own
}
