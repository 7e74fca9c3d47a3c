import type { Caller } from '../../access/caller.ts'
import type { EmbeddedDmp } from '../../dmp/embedded/index.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { AccessRecord, Clock } from '../../operations/ports.ts'
import { actRecord } from '../act.ts'
import type { Admitted } from './gate.ts'

export interface ServiceParts {
  readonly embedded: EmbeddedDmp
  readonly clock: Clock
  /** Everyone who has a DMP here. */
  readonly patients: ReadonlySet<PatientKey>
  /** Who came about a patient, and when last. */
  readonly visits: Visits
}

export interface Visit {
  readonly caller: Caller
  /** ISO 8601 instant. */
  readonly at: string
}

/** The last visit of each person to each record. */
export class Visits {
  readonly #last = new Map<string, Visit>()

  note(patient: string | undefined, person: string, visit: Visit): void {
    if (patient !== undefined) this.#last.set(`${patient} ${person}`, visit)
  }

  last(patient: PatientKey, person: string): Visit | undefined {
    return this.#last.get(`${patient} ${person}`)
  }
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

export function recordOf({ td, caller }: Admitted, patient: PatientKey, { clock }: ServiceParts): AccessRecord {
  const operation = td === 'TD0.3' ? 'TD0.3.add' : 'TD0.2'
  return actRecord(patient, { operation, door: 'xds', transaction: td, caller, at: clock.now().toISOString() })
}
