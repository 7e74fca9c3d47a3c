/** ITI-104: opens or updates a record. Only the embedded DMP can; the national one creates its own. */
import type { PatientKey } from '../metadata/identifiers.ts'
import { authorise, type OperationParts, permittedRecord } from './access.ts'
import type { Demographics, RequestContext } from './ports.ts'

export async function open(
  parts: OperationParts,
  patient: PatientKey,
  demographics: Demographics,
  context: RequestContext,
): Promise<'created' | 'updated'> {
  const { permit } = await authorise(parts, 'open', context, { patient })
  return parts.dmp.open(
    patient,
    demographics,
    permittedRecord(parts, 'open', context, { patient, documents: [], permit }),
  )
}
