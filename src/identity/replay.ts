/**
 * What may be used once is remembered until it would have expired anyway. The memory is this process's: what was issued
 * before the process started may have been used before, and is refused.
 */
import { GatewayError } from '../errors.ts'
import { invalid } from './refusal.ts'

export interface OnceOnly {
  /**
   * Takes an identifier that nobody used yet.
   * @param issued when it was made, milliseconds since 1970
   * @param until when it can no longer be used
   * @throws GatewayError identity-invalid when it was, or may have been, used before; `busy` when no more can be remembered
   */
  claim(identifier: string, issued: number, until: number, now: number): void
}

/** Identifiers that are remembered: at 100 a second and an hour of life there are 360,000. */
const maxRemembered = 2_000_000
/** How often the expired are forgotten, milliseconds. */
const sweepEvery = 60_000

/** @param started milliseconds since 1970 */
export function createOnceOnly(started: number, limit = maxRemembered): OnceOnly {
  const used = new Map<string, number>()
  // Some write whole seconds
  const since = Math.floor(started / 1000) * 1000
  let swept = started
  const sweep = (now: number): void => {
    for (const [identifier, until] of used) if (until <= now) used.delete(identifier)
    swept = now
  }
  return {
    claim(identifier, issued, until, now) {
      if (issued < since)
        throw invalid(
          'What proves the identity was issued before this service started and may have been used before: issue a new one.',
        )
      if (used.has(identifier))
        throw invalid('What proves the identity has been used before: issue a new one for each request.')
      if (now - swept > sweepEvery || used.size >= limit) sweep(now)
      if (used.size >= limit) throw new GatewayError('busy')
      used.set(identifier, until)
    },
  }
}
