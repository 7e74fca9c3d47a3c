/** Brain death (SEED1): while it is declared, nothing is fed or consulted by professionals, staff or structures. */
import type { Operation } from '../access/types.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import { authorise, type OperationParts, permittedRecord } from './access.ts'
import { accesses } from './accesses.ts'
import type { RequestContext } from './ports.ts'

/** What makes a structure one that has fed or consulted the record. */
const care: ReadonlySet<Operation> = new Set(['TD2.1', 'TD2.1b', 'TD3.1a', 'TD3.2'])

export async function brainDeath(
  parts: OperationParts,
  patient: PatientKey,
  declared: boolean,
  context: RequestContext,
): Promise<void> {
  const change = { kind: 'brain-death', value: declared } as const
  const structureInvolved = declared && (await isInvolved(parts, patient, context))
  const { permit } = await authorise(parts, 'brain-death', context, { patient, change, structureInvolved })
  const record = permittedRecord(parts, 'brain-death', context, { patient, documents: [], permit, change })
  return parts.choices.apply(patient, [change], record)
}

async function isInvolved(
  { trace }: OperationParts,
  patient: PatientKey,
  { caller }: RequestContext,
): Promise<boolean> {
  const structure = caller.structure?.id
  if (structure === undefined) return false
  for await (const { record } of accesses(trace, { patient }))
    if (record.outcome === 'permitted' && care.has(record.operation) && record.caller.structure?.id === structure)
      return true
  return false
}
