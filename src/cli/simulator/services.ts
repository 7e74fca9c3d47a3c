/** The DMP's own services over the embedded store: what each answers to a request that broke no rule (DMP-SERVICES §2). */
import { randomUUID } from 'node:crypto'
import type { EmbeddedDmp } from '../../dmp/embedded/index.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { AccessRecord, Clock } from '../../operations/ports.ts'
import type { Admitted } from './gate.ts'

export interface ServiceParts {
  readonly embedded: EmbeddedDmp
  readonly clock: Clock
  /** Everyone who has a DMP here. */
  readonly patients: ReadonlySet<PatientKey>
}

export interface ServiceAnswer {
  readonly action: string
  readonly body: string
}

export type Service = (request: Admitted, parts: ServiceParts) => Promise<ServiceAnswer>

/** yyyyMMddHHmmss, UTC. @param instant ISO 8601 */
export function timestamp(instant: string): string {
  return instant.replace(/\D/g, '').slice(0, 14)
}

/** Who did something at the DMP last, and when: newest first. */
export async function historyOf({ embedded }: ServiceParts, patient: PatientKey): Promise<readonly AccessRecord[]> {
  return embedded.trace.history({ patient })
}

export function recordOf(request: Admitted, patient: PatientKey, { clock }: ServiceParts): AccessRecord {
  return {
    id: randomUUID(),
    at: clock.now().toISOString(),
    operation: request.td === 'TD0.3' ? 'TD0.3.add' : 'TD0.2',
    door: 'xds',
    transaction: request.td,
    requestId: randomUUID(),
    caller: request.caller,
    purpose: 'normal',
    declaration: {},
    patient,
    documents: [],
    outcome: 'permitted',
    effects: { notifications: [] },
  }
}
