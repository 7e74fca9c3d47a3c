/** What a connector to a remote DMP is made of, whatever it speaks; nothing in it is about a person. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Clock, Dmp, Trace } from '../../operations/ports.ts'
import { type Journal, openJournal } from './journal.ts'
import type { Observer } from './observer.ts'
import { openReferences, type References } from './references.ts'
import { StatusCache } from './status-cache.ts'

/** What the house gives a connector. */
export interface GivenParts {
  /** Data folder; a connector has one of its own inside it. */
  readonly directory: string
  /** The gateway's own store: what it alone knows of a patient (information given, choices declared here). */
  readonly local: Pick<Dmp, 'status' | 'open'>
  readonly trace: Trace
  readonly observer: Observer
  readonly clock: Clock
}

export interface RemoteParts<Status> extends Omit<GivenParts, 'directory'> {
  readonly journal: Journal
  readonly references: References
  readonly statuses: StatusCache<Status>
}

/**
 * @param folder the connector's own in the data folder
 * @param statusAge milliseconds for which an answer of TD0.2 serves again
 * @returns with `unsettled`, the acts that a crash has left without an outcome, told to the trace now
 */
export async function openRemoteParts<Status>(
  { directory, local, trace, observer, clock }: GivenParts,
  folder: string,
  statusAge: number,
): Promise<{ readonly shared: RemoteParts<Status>; readonly unsettled: number }> {
  const own = path.join(directory, folder)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  const journal = openJournal(path.join(own, 'intents'), trace)
  const unsettled = await journal.settle()
  const references = openReferences(path.join(own, 'references.sqlite'))
  const statuses = new StatusCache<Status>(statusAge, () => clock.now().getTime())
  return { shared: { local, trace, observer, clock, journal, references, statuses }, unsettled }
}
