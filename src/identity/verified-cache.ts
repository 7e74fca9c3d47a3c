/** Remembers verified identities by the digest of what was verified; the time is checked at every hit. */
import { createHash } from 'node:crypto'
import type { Caller } from '../access/caller.ts'

/** A verified identity and the time it holds, in milliseconds since 1970, without any allowance for clock skew. */
export interface Verified {
  readonly caller: Caller
  readonly from: number
  readonly until: number
}

export class VerifiedCache {
  readonly #entries = new Map<string, Verified>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Still valid with this much skew allowed; what is not is forgotten. */
  get(key: string, now: number, skew: number): Caller | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (now + skew < entry.from || now - skew >= entry.until) return undefined
    // Last used, last in the order of the map: the first is the one to forget
    this.#entries.set(key, entry)
    return entry.caller
  }

  set(key: string, verified: Verified): void {
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
