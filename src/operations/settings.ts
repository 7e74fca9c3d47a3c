/** TD1.3a and TD1.6: what is settled about a record. */
import { decide } from '../access/decide.ts'
import { GatewayError } from '../errors.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import { type Authorised, accessRequest, authorise, type OperationParts, permittedRecord } from './access.ts'
import type { RequestContext } from './ports.ts'
import type { SettingsAnswer } from './record-operations.ts'

export async function settings(
  parts: OperationParts,
  patient: PatientKey,
  context: RequestContext,
): Promise<SettingsAnswer> {
  const { facts, permit } = await authorise(parts, 'TD1.3a', context, { patient })
  const answer = await settingsOf(parts, patient, context, facts)
  // Who reads the persons has read the rest with them: one access, one record.
  const operation = answer.persons === undefined ? 'TD1.3a' : 'TD1.6'
  await parts.trace.record(permittedRecord(parts, operation, context, { patient, documents: [], permit }))
  return answer
}

/** Persons are given to whoever TD1.6 is open to, and asked of a remote DMP for nobody else; nobody is told that there are some. */
export async function settingsOf(
  parts: OperationParts,
  patient: PatientKey,
  context: RequestContext,
  facts: Authorised['facts'],
): Promise<SettingsAnswer> {
  const { dmp, policy } = parts
  const persons = decide(accessRequest('TD1.6', context, { patient }), facts, policy).verdict === 'permit'
  const inForce = await (dmp.settings ? dmp.settings(patient, { persons }) : parts.choices.inForce(patient))
  if (facts === undefined || inForce === undefined) throw new GatewayError({ code: 'dmp-unknown', rule: 'ID2' })
  const { choices, blocked, designated, authorised } = inForce
  return { facts, choices, ...(persons && { persons: { blocked, designated, authorised } }) }
}
