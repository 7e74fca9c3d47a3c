/** TD0.2: existence and status of a DMP, and what stands between it and this caller. */

import { GatewayError } from '../errors.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import { authorise, type OperationParts, permittedRecord } from './access.ts'
import type { StatusAnswer } from './operations.ts'
import type { RequestContext } from './ports.ts'

export async function status(
  parts: OperationParts,
  patient: PatientKey,
  context: RequestContext,
): Promise<StatusAnswer> {
  const { facts, permit } = await authorise(parts, 'TD0.2', context, { patient })
  await parts.trace.record(permittedRecord(parts, 'TD0.2', context, { patient, documents: [], permit }))
  if (facts === undefined) throw new GatewayError({ code: 'dmp-unknown', rule: 'ID2' })
  return { facts, demographics: await parts.dmp.demographics(patient) }
}
