/**
 * TD0.3: a professional declares the own authorisation to consult, or withdraws it. Only in the normal mode and only after
 * a declared consent; never for somebody else.
 */
import type { PatientKey } from '../metadata/identifiers.ts'
import { accessRecord, authorise, type OperationParts, permittedRecord } from './access.ts'
import type { RequestContext } from './ports.ts'

export async function authoriseCaller(
  parts: OperationParts,
  patient: PatientKey,
  change: 'add' | 'remove',
  context: RequestContext,
  until?: string,
): Promise<void> {
  const operation = change === 'add' ? 'TD0.3.add' : 'TD0.3.remove'
  const { permit } = await authorise(parts, operation, context, { patient })
  const about = { patient, documents: [], permit }
  if (change === 'add') {
    const end = until === undefined ? {} : { until }
    return parts.trace.record(permittedRecord(parts, operation, context, { ...about, ...end }))
  }
  await parts.dmp.authorise?.(patient, 'remove')
  const { person } = context.caller
  await parts.trace.record(
    accessRecord(parts, operation, context, {
      patient,
      outcome: 'permitted',
      rule: permit.rule,
      effects: { ...(person && { authorisation: { person: person.id, change } }), notifications: [] },
    }),
  )
}
