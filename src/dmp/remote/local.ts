/** What the gateway alone knows of a patient whose DMP is elsewhere: information given, choices declared here. */
import { randomUUID } from 'node:crypto'
import type { Caller } from '../../access/caller.ts'
import type { RecordFacts } from '../../access/types.ts'
import { GatewayError } from '../../errors.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Clock, Dmp, RequestContext } from '../../operations/ports.ts'

export interface LocalParts {
  /** The gateway's own store. */
  readonly local: Pick<Dmp, 'status' | 'open'>
  readonly clock: Clock
}

/** The facts kept here, about a patient whose DMP was found: a place for them is made where there is none. */
export async function localFacts(
  { local, clock }: LocalParts,
  { door, transaction, requestId, purpose }: RequestContext,
  patient: PatientKey,
  caller: Caller,
): Promise<RecordFacts> {
  const known = await local.status(patient, caller)
  if (known !== undefined) return known
  await local.open(
    patient,
    { given: [] },
    {
      id: randomUUID(),
      at: clock.now().toISOString(),
      operation: 'TD0.2',
      door,
      transaction,
      requestId,
      caller,
      purpose,
      declaration: {},
      patient,
      documents: [],
      outcome: 'permitted',
      effects: { notifications: [] },
    },
  )
  const facts = await local.status(patient, caller)
  if (facts === undefined) throw new GatewayError('store-unavailable')
  return facts
}

/** The answer to a question that is asked once. */
export function once<Key, T>(known: Map<Key, Promise<T>>, key: Key, ask: () => Promise<T>): Promise<T> {
  const found = known.get(key)
  if (found !== undefined) return found
  const asked = ask()
  known.set(key, asked)
  return asked
}
