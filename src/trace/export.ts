/**
 * Sends the trace to other systems: each destination gets every record in order, at least once, however often it or this
 * process is away meanwhile. The position of a destination moves when it has a batch; nothing else is kept.
 */
import type { TracedRecord, TraceFeed } from '../operations/ports.ts'
import { pause } from './pause.ts'

export interface Destination {
  /** Under which its position is kept; it does not change with an address. */
  readonly name: string
  /** Records sent at once. */
  readonly batch: number
  /**
   * Resolves once the destination has records, or will never take them. Throws when it cannot be known to have any: they
   * are sent again.
   * @param records at least one, in order
   */
  send(records: readonly TracedRecord[], signal: AbortSignal): Promise<Sent>
  /** Nothing more is sent through it: what it keeps open is closed once what is under way is done. */
  release?(): void
}

export interface Sent {
  /** The last that the destination has, in order: all up to it need not be sent again. */
  readonly through: number
  /** Those among them that it will never take, and why (a code, nothing of what they say). */
  readonly refused: readonly Refused[]
}

export interface Refused {
  readonly sequence: number
  readonly reason: string
}

/** What pino satisfies. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ExportParts {
  readonly feed: TraceFeed
  readonly destinations: readonly Destination[]
  readonly log: Log
  /** Milliseconds between looks for new records; default 1000. */
  readonly interval?: number
  /** Longest wait after failures, milliseconds; default 60000. */
  readonly longestWait?: number
}

export interface TraceExport {
  /** Records that a destination does not have yet. */
  pending(): Promise<Readonly<Record<string, number>>>
  /** Stops; what is under way is given up and sent again after the next start. */
  close(): Promise<void>
}

export function startExport(parts: ExportParts): TraceExport {
  const { feed, destinations } = parts
  const stopped = new AbortController()
  const loops = destinations.map((destination) => run(destination, parts, stopped.signal))
  return {
    async pending() {
      const head = await feed.head()
      const waiting = destinations.map(
        async ({ name }) => [name, head - (await feed.position(name)) + (await feed.againCount(name))] as const,
      )
      return Object.fromEntries(await Promise.all(waiting))
    },
    async close() {
      stopped.abort()
      await Promise.all(loops)
    },
  }
}

async function run(destination: Destination, parts: ExportParts, signal: AbortSignal): Promise<void> {
  const { log, interval = 1000, longestWait = 60_000 } = parts
  const { name } = destination
  let failures = 0
  while (!signal.aborted) {
    try {
      const full = await step(destination, parts, signal)
      if (failures > 0) log.info({ destination: name }, 'trace export works again')
      failures = 0
      if (!full) await pause(interval, signal)
    } catch (error) {
      if (signal.aborted) return
      failures++
      // Once, then now and then: a receiver that is away for a night fills no log
      if ((failures & (failures - 1)) === 0)
        log.warn({ destination: name, failures, reason: reasonOf(error) }, 'trace export fails, will go on trying')
      await pause(Math.min(longestWait, interval * 2 ** Math.min(failures, 16)), signal)
    }
  }
}

/** Sends one batch; gives whether there may be more. */
async function step(destination: Destination, { feed, log }: ExportParts, signal: AbortSignal): Promise<boolean> {
  const { name, batch } = destination
  const send = async (records: readonly TracedRecord[]): Promise<Sent> => {
    const sent = await destination.send(records, signal)
    for (const each of sent.refused)
      log.error({ destination: name, ...each }, 'a record of the trace was refused for good')
    return sent
  }
  const again = await feed.again(name, batch)
  if (again.length > 0) {
    const { through, refused } = await send(again)
    const sent = again.filter(({ sequence }) => sequence <= through).map(({ sequence }) => sequence)
    await feed.sentAgain(name, sent, refused)
    return true
  }
  const records = await feed.after(await feed.position(name), batch)
  const last = records.at(-1)
  if (last === undefined) return false
  const { through, refused } = await send(records)
  await feed.advance(name, through, refused)
  return records.length === batch || through < last.sequence
}

/** Code or kind of an error; its message could quote what was sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if (error instanceof DeliveryError) return error.message
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** Why a destination does not have what was sent; the message is for the log and says nothing of the records. */
export class DeliveryError extends Error {}
