/** Answers of TD0.2, for the same person and the same patient only, for a while: a consultation asks several times. */
import { createHash } from 'node:crypto'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { PatientStatus } from './patient-status.ts'
import type { Presented } from './profile.ts'

/** Answers kept. */
const capacity = 20_000

/** An answer, or that there is no DMP. */
export type CachedStatus = { readonly status: PatientStatus | undefined }

export class StatusCache {
  readonly #age: number
  readonly #now: () => number
  /** Oldest first. */
  readonly #answers = new Map<string, CachedStatus & { readonly until: number }>()

  /** @param age milliseconds; 0 keeps nothing */
  constructor(age: number, now: () => number) {
    this.#age = age
    this.#now = now
  }

  get(who: Presented, patient: PatientKey): CachedStatus | undefined {
    const key = keyOf(who, patient)
    const found = this.#answers.get(key)
    if (found === undefined || found.until > this.#now()) return found
    this.#answers.delete(key)
    return undefined
  }

  set(who: Presented, patient: PatientKey, status: PatientStatus | undefined): void {
    // That there is none is asked again each time: it may be opened any moment
    if (this.#age <= 0 || status === undefined) return
    const key = keyOf(who, patient)
    this.#answers.delete(key)
    this.#answers.set(key, { status, until: this.#now() + this.#age })
    const oldest = this.#answers.size > capacity ? this.#answers.keys().next().value : undefined
    if (oldest !== undefined) this.#answers.delete(oldest)
  }

  forget(who: Presented, patient: PatientKey): void {
    this.#answers.delete(keyOf(who, patient))
  }
}

/** Everything of the identity that the answer may depend on; no identifier stays readable in memory. */
function keyOf({ mode, nameId, structure, purpose }: Presented, patient: PatientKey): string {
  return createHash('sha256')
    .update(JSON.stringify([mode, nameId, structure, purpose, patient]))
    .digest('base64')
}
