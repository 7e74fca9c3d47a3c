/** ITI-65 Provide Document Bundle (TD2.1, TD2.1b): one transaction, stored whole or not at all. */
import type { Bundle } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import { sendResource } from './answer.ts'
import { acceptedForLater } from './async/respond-async.ts'
import { type ReceivedResource, readResource } from './body.ts'
import { createReporter, openBundle, type ProvidedBundle } from './bundle.ts'
import { checkRules } from './bundle-rules.ts'
import { feedWithLocations } from './feed.ts'
import type { Exchange } from './parts.ts'
import type { Place } from './places.ts'
import { profileIssues } from './profiles/index.ts'
import { type ReadSubmission, readSubmission } from './submission-reader.ts'
import { planAnswer, writeAnswer } from './transaction-response.ts'
import { isSound, type Reading, verdictOn } from './verdict.ts'

export async function provideDocumentBundle(exchange: Exchange): Promise<void> {
  const { request, response, parts, format } = exchange
  const received = await readResource(request, parts)
  try {
    const resource: { readonly resourceType: string } = received.resource
    if (!isBundle(resource)) throw new GatewayError({ code: 'malformed', rule: 'RM4_1_1', detail: 'Send a Bundle.' })
    const { reading, bundle, read } = await readBundle(resource, received, exchange, true)
    if (!isSound(reading)) throw new GatewayError((await verdictOn(reading, exchange)).errors)
    const plan = planAnswer(resource, bundle, read)
    if (await acceptedForLater(exchange, reading, { transaction: 'ITI-65', plan })) return
    const receipt = await feedWithLocations(reading.understood, reading.places, exchange)
    sendResource(response, 200, writeAnswer(plan, receipt, exchange), format)
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
