/** ITI-105 Simplified Publish (TD2 option A): one DocumentReference that carries its document, in a SubmissionSet of ours. */
import type { DocumentReference } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { newEntryUuid } from '../metadata/identifiers.ts'
import { sendResource } from './answer.ts'
import { type ReceivedResource, readResource } from './body.ts'
import { createReporter, type Reporter } from './bundle.ts'
import { feedWithLocations } from './feed.ts'
import { fromDocumentReference, relationsOf, submissionForSingle, toDocumentReference } from './mapping/index.ts'
import type { Exchange } from './parts.ts'
import { newUniqueId, patientResolver, relate } from './submission-reader.ts'

const path = 'DocumentReference'

export async function publishDocument(exchange: Exchange): Promise<void> {
  const { request, response, parts, baseUrl, format } = exchange
  const received = await readResource(request, parts)
  try {
    const resource: { readonly resourceType: string } = received.resource
    if (!isDocumentReference(resource))
      throw new GatewayError({ code: 'malformed', detail: 'Send a DocumentReference.' })
    const report = createReporter()
    const content = documentOf(resource, received, report)
    const entryUuid = newEntryUuid()
    const read = fromDocumentReference(resource, {
      path,
      profile: parts.profile,
      assign: { entryUuid },
      resolvePatient: patientResolver(exchange),
    })
    const errors = [...report.issues, ...read.issues.filter(({ severity }) => severity !== 'warning')]
    if (read.entry === undefined || content === undefined || errors.length > 0) throw new GatewayError(errors)

    const submission = submissionForSingle(read.entry, {
      profile: parts.profile,
      uniqueId: newUniqueId(),
      sourceId: parts.repositoryUniqueId,
      now: new Date(),
      associations: await relate(
        read.relations.map((relation) => ({ ...relation, source: entryUuid })),
        exchange,
      ),
    })
    const receipt = await feedWithLocations(
      { submission, contents: new Map([[entryUuid, content]]) },
      () => path,
      exchange,
    )
    const [stored] = receipt.entries
    if (stored === undefined) throw new RangeError('the receipt of a document has its entry')
    const body = toDocumentReference(stored, {
      baseUrl,
      updatedAt: receipt.at,
      relations: relationsOf(stored.entryUuid, submission.associations, (target) => target),
    })
    sendResource(response, 201, body, format, {
      Location: `${baseUrl}/DocumentReference/${body.id}/_history/1`,
      ETag: 'W/"1"',
      'Last-Modified': new Date(receipt.at).toUTCString(),
    })
  } finally {
    await received.dispose()
  }
}

function isDocumentReference(resource: { readonly resourceType: string }): resource is DocumentReference {
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
