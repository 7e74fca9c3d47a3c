/**
 * Refused credentials, kept in the trace without letting anybody fill the disk: the first of a source is written at once,
 * what follows it is counted and written once an interval. However many sources there are, an interval writes about twice
 * `sources` small rows; what is beyond them is counted together.
 *
 * Nothing a refused credential claims is kept: it may name anybody.
 */
import { randomUUID } from 'node:crypto'
import type { AlertRecord, Alerts, AuthenticationFailure, TraceRecord } from '../operations/ports.ts'
import type { Log } from './export.ts'

export interface AlertsParts {
  readonly record: (record: TraceRecord) => Promise<void>
  readonly log: Pick<Log, 'warn'>
  /** Called for each, counted or written. */
  readonly observe?: (failure: AuthenticationFailure) => void
  readonly now?: () => Date
  /** Milliseconds between writings; default five minutes. */
  readonly interval?: number
  /** Sources told apart in one interval; default 100. */
  readonly sources?: number
}

export interface AlertLog extends Alerts {
  /** Writes what has been counted; what cannot be written now is kept for the next time. */
  flush(): Promise<void>
  /** Flushes and stops. */
  close(): Promise<void>
}

/** What one source was refused for one reason since it was last written. */
interface Tally {
  readonly failure: Omit<AuthenticationFailure, 'client'> & { readonly client?: string }
  count: number
  from: string
  to: string
}

export function startAlerts(parts: AlertsParts): AlertLog {
  const { record, log, observe, now = () => new Date(), interval = 300_000, sources = 100 } = parts
  const tallies = new Map<string, Tally>()
  const underWay = new Set<Promise<void>>()

  const add = (tally: Tally, count: number, from: string, to: string): void => {
    tally.from = tally.count === 0 || from < tally.from ? from : tally.from
    tally.to = tally.count === 0 || to > tally.to ? to : tally.to
    tally.count += count
  }
  /** Nobody waits for it: who was refused has nothing, written or not. */
  const write = (tally: Tally): void => {
    const { failure, count, from, to } = tally
    tally.count = 0
    const alert: AlertRecord = {
      kind: 'authentication-failure',
      id: randomUUID(),
      at: now().toISOString(),
      ...failure,
      from,
      to,
      count,
    }
    const written = record(alert)
      .catch(() => {
        log.warn({ reason: failure.reason, count }, 'refused identities are not in the trace yet, will try again')
        // Another may have begun to count the same meanwhile
        const known = tallies.get(keyOf(failure)) ?? tally
        add(known, count, from, to)
        tallies.set(keyOf(failure), known)
      })
      .finally(() => underWay.delete(written))
    underWay.add(written)
  }
  const flush = async (): Promise<void> => {
    for (const [key, tally] of tallies) {
      if (tally.count > 0) write(tally)
      // Silent since the last time: its next one is news again
      else tallies.delete(key)
    }
    await Promise.all(underWay)
  }
  const timer = setInterval(() => void flush(), interval)
  timer.unref()

  return {
    authenticationFailed(failure) {
      observe?.(failure)
      const at = now().toISOString()
      const known = tallies.get(keyOf(failure))
      if (known !== undefined) {
        add(known, 1, at, at)
        return
      }
      const { door, reason } = failure
      const full = tallies.size >= sources
      const told = full ? { door, reason } : failure
      const tally = tallies.get(keyOf(told)) ?? { failure: told, count: 0, from: at, to: at }
      add(tally, 1, at, at)
      tallies.set(keyOf(told), tally)
      if (!full) write(tally)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

function keyOf({ door, reason, client = '' }: Tally['failure']): string {
  return `${door} ${reason} ${client}`
}
