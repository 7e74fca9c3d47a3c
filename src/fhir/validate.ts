/**
 * `$validate` (FHIR R4 resource-operation-validate.html): the verdict of ITI-65 on a Bundle, of ITI-105 on a
 * DocumentReference, by the same code up to the feed. Nothing is stored, nothing is looked up, no record is touched.
 */
import type { Bundle, DocumentReference, OperationOutcome, Parameters } from '@medplum/fhirtypes'
import { GatewayError, type Issue } from '../errors.ts'
import { sendResource } from './answer.ts'
import { type ReceivedResource, readResource } from './body.ts'
import { isBundle, readBundle } from './iti-65.ts'
import { isDocumentReference, readPublication } from './iti-105.ts'
import { outcomeOf } from './outcome.ts'
import type { Exchange, Handler } from './parts.ts'
import { verdictOn } from './verdict.ts'

export const validateDefinition = 'http://hl7.org/fhir/OperationDefinition/Resource-validate'

/** @param type the only type of resource taken; any that can be fed where it is undefined */
export function validateResource(type?: 'Bundle' | 'DocumentReference'): Handler {
  return async (exchange) => {
    const { request, response, parts, format } = exchange
    let received: ReceivedResource
    try {
      received = await readResource(request, parts)
    } catch (error) {
      sendResource(response, 200, outcomeOf(structural(error)), format)
      return
    }
    try {
      const resource = resourceIn(received.resource)
      if (type !== undefined && resource.resourceType !== type) throw notTaken(`Send a ${type}.`)
      sendResource(response, 200, toldOf(await issuesOf(resource, received, exchange)), format)
    } finally {
      await received.dispose()
    }
  }
}

type AnyResource = ReceivedResource['resource']

async function issuesOf(
  resource: AnyResource,
  received: ReceivedResource,
  exchange: Exchange,
): Promise<readonly Issue[]> {
  const reading = await readingOf(resource, received, exchange)
  const { errors, warnings } = await verdictOn(reading, exchange)
  return [...errors, ...warnings.map((issue): Issue => ({ ...issue, severity: 'warning' }))]
}

async function readingOf(resource: AnyResource, received: ReceivedResource, exchange: Exchange) {
  const it: Pick<Bundle | DocumentReference, 'resourceType'> | AnyResource = resource
  if (isBundle(it)) return (await readBundle(it, received, exchange, false)).reading
  if (isDocumentReference(it)) return readPublication(it, received, exchange)
  throw notTaken('Send what is fed: a Bundle (ITI-65) or a DocumentReference (ITI-105).')
}

/** The resource as the body, or the parameter `resource` of Parameters. */
function resourceIn(body: AnyResource): AnyResource {
  if (body.resourceType !== 'Parameters') return body
  const found = (body as Parameters).parameter?.find(({ name }) => name === 'resource')?.resource
  if (found === undefined) throw notTaken('Send the parameter resource, with the resource to validate.')
  return found
}

function notTaken(detail: string): GatewayError {
  return new GatewayError({ code: 'profile-violation', rule: '$validate', detail })
}

/** What is wrong with the structure is a verdict; that there is nothing to judge (no JSON, too large) is not. */
function structural(error: unknown): readonly Issue[] {
  if (error instanceof GatewayError && error.issues.every(({ location }) => location !== undefined)) return error.issues
  throw error
}

function toldOf(issues: readonly Issue[]): OperationOutcome {
  if (issues.length > 0) return outcomeOf(issues)
  const text = 'Conforme : aucune règle n’est enfreinte.'
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', details: { text } }],
  }
}
