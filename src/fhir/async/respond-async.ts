/** `Prefer: respond-async` on ITI-65 and ITI-105: 202 once the submission is durable, and the URL that says what became of it. */
import { randomUUID } from 'node:crypto'
import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes'
import { GatewayError } from '../../errors.ts'
import { sendResource } from '../answer.ts'
import type { ToFeed } from '../feed.ts'
import { outcomeOf } from '../outcome.ts'
import type { Exchange } from '../parts.ts'
import { parsePrefer } from '../prefer.ts'
import { type Reading, verdictOn } from '../verdict.ts'
import { type Answering, ownerOf, type Result } from './job.ts'

/**
 * Accepts a sound submission for later, where the caller prefers so; false where it is to be stored now. A message that is
 * wrong in itself is refused at once, whatever the caller prefers.
 */
export async function acceptedForLater(
  exchange: Exchange,
  reading: Reading & { readonly understood: ToFeed },
  answering: Answering,
): Promise<boolean> {
  const { request, response, jobs, context, baseUrl, format } = exchange
  if (jobs === undefined || !parsePrefer(request.headers.prefer).respondAsync) return false
  if (jobs.full) throw new GatewayError('busy')
  const { errors } = await verdictOn(reading, exchange)
  if (errors.length > 0) throw new GatewayError(errors)
  const { understood, places } = reading
  const { submission, contents, locations = new Map(), options = {} } = understood
  const objects = [submission.submissionSet, ...submission.entries, ...submission.folders]
  const id = randomUUID()
  const job = {
    id,
    at: new Date().toISOString(),
    owner: ownerOf(context.caller),
    context,
    baseUrl,
    answering,
    submission,
    targets: [...(options.targets ?? [])],
    superseded: options.superseded ?? [],
    places: objects.flatMap(({ entryUuid }) => {
      const place = places(entryUuid)
      return place ? [[entryUuid, place] as const] : []
    }),
    locations: [...locations],
  }
  await jobs.accept(job, contents)
  sendResource(response, 202, outcomeOf([{ code: 'DocumentQueued', severity: 'warning' }]), format, {
    'Content-Location': statusUrl(baseUrl, id),
    'Preference-Applied': 'respond-async',
  })
  return true
}

function statusUrl(baseUrl: string, id: string): string {
  return `${baseUrl}/_async/${id}`
}

/** 202 while it waits; then a batch-response Bundle of one entry: the answer as it would have been given at once. */
export async function readJob(exchange: Exchange): Promise<void> {
  const { request, response, jobs, context, format } = exchange
  const found = await jobs?.state(String(request.params.id).toLowerCase(), ownerOf(context.caller))
  if (found === undefined)
    throw new GatewayError({
      code: 'not-found',
      detail: 'No submission of yours is known under this id, or not any more.',
    })
  if (found.state === 'queued') {
    const outcome = outcomeOf([{ code: 'DocumentQueued', severity: 'warning' }])
    sendResource(response, 202, outcome, format, { 'X-Progress': 'queued', 'Retry-After': '1' })
    return
  }
  sendResource(response, 200, batchResponse(found.result), format)
}

function batchResponse({ status, location, warnings = [], body }: Result): Bundle {
  const resource = body as Resource
  const told = outcomeOf(warnings.map((issue) => ({ ...issue, severity: 'warning' as const })))
  const outcome = status >= 400 ? (resource as OperationOutcome) : warnings.length > 0 ? told : undefined
  const entry: BundleEntry = {
    ...(status >= 400 ? {} : { resource }),
    response: {
      status: String(status),
      ...(location === undefined ? {} : { location }),
      ...(outcome && { outcome }),
    },
  }
  return { resourceType: 'Bundle', type: 'batch-response', entry: [entry] }
}
