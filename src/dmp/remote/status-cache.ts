/** Answers of TD0.2, for the same person and the same patient only, for a while: a consultation asks several times. */
import { createHash } from 'node:crypto'
import type { PurposeOfUse } from '../../access/caller.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'

/** Answers kept. */
const capacity = 20_000

/** Everything of an identity that the answer may depend on. */
export interface Asking {
  readonly mode: string
  /** PS_IdNat. */
  readonly nameId: string
  /** Struct_IdNat. */
  readonly structure: string
  readonly purpose: PurposeOfUse
}

/** An answer, or that there is no DMP. */
export interface CachedStatus<Status> {
  readonly status: Status | undefined
}

export class StatusCache<Status> {
  readonly #age: number
  readonly #now: () => number
  /** Oldest first. */
  readonly #answers = new Map<string, CachedStatus<Status> & { readonly until: number }>()

  /** @param age milliseconds; 0 keeps nothing */
  constructor(age: number, now: () => number) {
    this.#age = age
    this.#now = now
  }

  get(who: Asking, patient: PatientKey): CachedStatus<Status> | undefined {
    const key = keyOf(who, patient)
    const found = this.#answers.get(key)
    if (found === undefined || found.until > this.#now()) return found
    this.#answers.delete(key)
    return undefined
  }

  set(who: Asking, patient: PatientKey, status: Status | undefined): void {
    // That there is none is asked again each time: it may be opened any moment
    if (this.#age <= 0 || status === undefined) return
    const key = keyOf(who, patient)
    this.#answers.delete(key)
    this.#answers.set(key, { status, until: this.#now() + this.#age })
    const oldest = this.#answers.size > capacity ? this.#answers.keys().next().value : undefined
    if (oldest !== undefined) this.#answers.delete(oldest)
  }

  forget(who: Asking, patient: PatientKey): void {
    this.#answers.delete(keyOf(who, patient))
  }
}

/** No identifier stays readable in memory. */
function keyOf({ mode, nameId, structure, purpose }: Asking, patient: PatientKey): string {
  return createHash('sha256')
    .update(JSON.stringify([mode, nameId, structure, purpose, patient]))
    .digest('base64')
}
