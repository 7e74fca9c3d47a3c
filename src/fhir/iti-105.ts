/** ITI-105 Simplified Publish (TD2 option A): one DocumentReference that carries its document, in a SubmissionSet of ours. */
import type { DocumentReference } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { newEntryUuid } from '../metadata/identifiers.ts'
import type { Submission } from '../metadata/model.ts'
import type { Receipt } from '../operations/ports.ts'
import { acceptedForLater } from './async/respond-async.ts'
import { type ReceivedResource, readResource } from './body.ts'
import { createReporter, type Reporter } from './bundle.ts'
import { resourceWriter } from './document-resource.ts'
import { feedWithLocations } from './feed.ts'
import { fromDocumentReference, submissionForSingle } from './mapping/index.ts'
import type { Exchange } from './parts.ts'
import { profileIssues } from './profiles/index.ts'
import { Targets } from './relation-targets.ts'
import { newUniqueId, patientResolver, relate } from './submission-reader.ts'
import { isSound, type Reading, verdictOn } from './verdict.ts'
import { sendWritten } from './written.ts'

const path = 'DocumentReference'

export async function publishDocument(exchange: Exchange): Promise<void> {
  const { request, parts, baseUrl } = exchange
  const received = await readResource(request, parts)
  try {
    const resource: { readonly resourceType: string } = received.resource
    if (!isDocumentReference(resource))
      throw new GatewayError({ code: 'malformed', detail: 'Send a DocumentReference.' })
    const reading = readPublication(resource, received, exchange)
    if (!isSound(reading)) throw new GatewayError((await verdictOn(reading, exchange)).errors)
    const { understood } = reading
    if (await acceptedForLater(exchange, reading, { transaction: 'ITI-105', warnings: reading.warnings })) return
    const receipt = await feedWithLocations(understood, reading.places, exchange)
    const body = servedAs(understood.submission, receipt, exchange)
    const headers = {
      Location: `${baseUrl}/DocumentReference/${body.id}/_history/1`,
      ETag: 'W/"1"',
      'Last-Modified': new Date(receipt.at).toUTCString(),
    }
    sendWritten(exchange, 201, body, headers, [...reading.warnings, ...receipt.warnings])
  } finally {
    await received.dispose()
  }
}

/** The document that was stored, as a read gives it. */
export function servedAs(
  { associations }: Submission,
  { entries: [stored], at: updatedAt, targets }: Receipt,
  exchange: Pick<Exchange, 'parts' | 'patientIds' | 'baseUrl' | 'context'>,
): DocumentReference {
  if (stored === undefined) throw new RangeError('the receipt of a document has its entry')
  const { entryUuid, logicalId } = stored
  const { structure } = exchange.context.caller
  const known = { entryUuid, logicalId, updatedAt, ...(structure && { feedingStructure: structure.id }) }
  return resourceWriter({ documents: [known], associations, ...(targets && { logicalIds: targets }) }, exchange)(stored)
}

export function readPublication(resource: DocumentReference, received: ReceivedResource, exchange: Exchange): Reading {
  const { profile, repositoryUniqueId } = exchange.parts
  const report = createReporter()
  const content = documentOf(resource, received, report)
  const entryUuid = newEntryUuid()
  const { entry, ...read } = fromDocumentReference(resource, {
    path,
    profile,
    assign: { entryUuid },
    resolvePatient: patientResolver(exchange),
  })
  const issues = [...report.issues, ...read.issues.filter(({ severity }) => severity !== 'warning')]
  const violations = profileIssues(resource, profile === 'ci-sis' ? 'dmp-simplified-publish' : undefined)
  const targets = new Targets(exchange.baseUrl)
  const { associations, locations } = relate(
    read.relations.map((relation) => ({ ...relation, source: entryUuid })),
    targets,
  )
  const submission =
    entry &&
    submissionForSingle(entry, {
      profile,
      uniqueId: newUniqueId(),
      sourceId: repositoryUniqueId,
      now: new Date(),
      associations,
    })
  return {
    issues,
    warnings: read.issues.filter(({ severity }) => severity === 'warning'),
    violations,
    understood: submission && {
      submission,
      contents: new Map(content ? [[entryUuid, content]] : []),
      locations,
      options: { targets: targets.standIns },
    },
    places: () => ({ kind: 'DocumentReference', path }),
  }
}

export function isDocumentReference(resource: { readonly resourceType: string }): resource is DocumentReference {
  return resource.resourceType === 'DocumentReference'
}

/** IHE.MHD.SimplifiedPublish.DocumentReference: attachment.data 1..1, attachment.url 0..0. */
function documentOf({ content = [] }: DocumentReference, received: ReceivedResource, report: Reporter) {
  const attachment = content[0]?.attachment
  const at = `${path}.content[0].attachment`
  if (attachment?.url !== undefined)
    report.error('SP_1', `${at}.url`, 'Leave attachment.url out: the document comes in attachment.data.')
  const document = received.document(attachment?.data)
  if (document === undefined || document.size === 0)
    report.error('SP_2', `${at}.data`, 'Send the bytes of the document in base64.', 'XDSMissingDocument')
  return document
}
