/** Remembers verified identities by the digest of what was verified; the time is checked at every hit. */
import { createHash } from 'node:crypto'

/** The time something verified holds, in milliseconds since 1970, without any allowance for clock skew. */
export interface Holding {
  readonly from: number
  readonly until: number
  /** Ends sooner, and without skew: what else was relied on (a revocation list) is good until then. */
  readonly fresh?: number
}

export class VerifiedCache<T extends Holding> {
  readonly #entries = new Map<string, T>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Still valid with this much skew allowed; what is not is forgotten. */
  get(key: string, now: number, skew: number): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (now + skew < entry.from || now - skew >= entry.until) return undefined
    if (now >= (entry.fresh ?? Number.POSITIVE_INFINITY)) return undefined
    // Last used, last in the order of the map: the first is the one to forget
    this.#entries.set(key, entry)
    return entry
  }

  set(key: string, verified: T): void {
    this.#entries.delete(key)
    this.#entries.set(key, verified)
    if (this.#entries.size <= this.#limit) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  get size(): number {
    return this.#entries.size
  }
}

/** SHA-256 over parts, each with its length, so that no two lists of parts have the same digest. */
export function digestOf(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return hash.digest('base64')
}
