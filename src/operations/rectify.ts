/**
 * The patient asks the author to rectify a document (SEED3 Q9). Nothing of the document changes: the request is on record,
 * the author and the structure that fed it are told, and they replace or delete the document, or do not.
 */
import { decide } from '../access/decide.ts'
import type { DocumentFacts } from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import {
  accessRecord,
  accessRequest,
  authorise,
  authoriseWithoutObject,
  type OperationParts,
  permittedRecord,
} from './access.ts'
import { namedDocument } from './named.ts'
import type { RequestContext } from './ports.ts'
import { viewOf } from './view.ts'

const operation = 'rectify'

/**
 * @param name as for namedDocument
 * @param context `reason`: what is to be rectified, in the words of the patient
 */
export async function rectify(parts: OperationParts, name: string, context: RequestContext): Promise<void> {
  await authoriseWithoutObject(parts, operation, context)
  const { patient: own } = context.caller
  if (own !== undefined) await authorise(parts, operation, context, { patient: own })
  const target = await namedDocument(parts.dmp, name)
  if (target === undefined) throw await absent(parts, context)
  const { patient } = target
  if (own !== undefined && own !== patient) {
    const mismatch = { rule: 'ID3', reasonCode: 'patient-mismatch' }
    const untold = { patient, outcome: 'refused', answeredAbsent: true, ...mismatch } as const
    await parts.trace.record(accessRecord(parts, operation, context, untold))
    throw await absent(parts, context)
  }
  await requireKnown(parts, target, context)
  const { permit } = await authorise(parts, operation, context, { patient, target })
  await parts.trace.record(permittedRecord(parts, operation, context, { patient, documents: [target], permit }))
}

/** A document that the caller may not know of, or of a record closed to the caller, is answered as an absent one. */
async function requireKnown(parts: OperationParts, target: DocumentFacts, context: RequestContext): Promise<void> {
  const { patient } = target
  const facts = await parts.dmp.status(patient, context.caller)
  const decision = decide(accessRequest(operation, context, { patient }), facts, parts.policy)
  const deny = decision.verdict === 'deny' ? { rule: decision.rule, reasonCode: decision.issues[0].code } : undefined
  if (deny === undefined && facts !== undefined && viewOf(parts, operation, context, facts)(target)) return
  await parts.trace.record(
    accessRecord(parts, operation, context, {
      patient,
      outcome: 'refused',
      answeredAbsent: true,
      ...(deny ?? { documents: [target], rule: 'DF', reasonCode: 'not-found' }),
    }),
  )
  throw notFound()
}

async function absent(parts: OperationParts, context: RequestContext): Promise<GatewayError> {
  await parts.trace.record(
    accessRecord(parts, operation, context, {
      patient: context.caller.patient,
      outcome: 'failed',
      reasonCode: 'not-found',
    }),
  )
  return notFound()
}

const notFound = () => new GatewayError('not-found', { detail: 'No document is known under this id.' })
