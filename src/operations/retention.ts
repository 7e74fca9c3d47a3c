/** Ten years after closure what is kept of a record is destroyed (SEED3 Q16); the trace says that it was. */

import { randomUUID } from 'node:crypto'
import type { Caller } from '../access/caller.ts'
import { decide } from '../access/decide.ts'
import { accessRequest, type OperationParts, permittedRecord, refuse } from './access.ts'
import type { ClosedRecord, RequestContext, Retention } from './ports.ts'

/** Years between closure and destruction. */
export const retentionYears = 10

export interface RetentionParts extends OperationParts {
  readonly retention: Retention
}

/** The instant before which a record must have been closed to be destroyed now; the 29th of February counts as the 28th. */
export function closedBefore(now: Date): string {
  const date = new Date(now)
  const month = date.getUTCMonth()
  date.setUTCFullYear(date.getUTCFullYear() - retentionYears)
  if (date.getUTCMonth() !== month) date.setUTCDate(0)
  return date.toISOString()
}

/** What would be destroyed now, oldest closure first. */
export async function dueForDestruction({ retention, clock }: RetentionParts): Promise<readonly ClosedRecord[]> {
  return retention.closedBefore(closedBefore(clock.now()))
}

/** Destroys one record after the other; each destruction commits with its trace. Gives those destroyed. */
export async function destroyDue(parts: RetentionParts, administrator: Caller): Promise<readonly ClosedRecord[]> {
  const limit = closedBefore(parts.clock.now())
  const destroyed: ClosedRecord[] = []
  for (const closed of await parts.retention.closedBefore(limit)) {
    const { patient } = closed
    const context = contextOf(administrator)
    const decision = decide(accessRequest('destroy', context, { patient }), undefined, parts.policy)
    if (decision.verdict === 'deny') throw await refuse(parts, 'destroy', context, decision, patient)
    const record = permittedRecord(parts, 'destroy', context, { patient, documents: [], permit: decision })
    await parts.retention.destroy(patient, limit, record)
    destroyed.push(closed)
  }
  return destroyed
}

function contextOf(caller: Caller): RequestContext {
  return {
    caller,
    purpose: 'normal',
    declaration: {},
    door: 'cli',
    transaction: 'retention',
    requestId: randomUUID(),
  }
}
