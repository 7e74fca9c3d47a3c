/**
 * Tells people what the records hold for them: each channel takes what is due, claims it durably, sends it and settles it.
 * Nothing is sent twice: what was claimed when the process died, or when it cannot be known whether it left, stays
 * `uncertain`. What may not be told yet waits (operations/notices.ts).
 */
import type { PatientKey } from '../metadata/identifiers.ts'
import type { OutgoingNotices } from '../operations/notices.ts'
import type { Deliveries, StoredNotification, WaitingDelivery } from '../operations/ports.ts'
import type { Log } from './export.ts'
import { pause } from './pause.ts'

/** One notification, ready to leave. */
export interface Notice {
  readonly no: number
  readonly patient: PatientKey
  readonly kind: StoredNotification['kind']
  readonly recipient: StoredNotification['recipient']
  /** French. */
  readonly text: string
  readonly documents: readonly string[]
  /** ISO 8601 instant of what it tells of. */
  readonly at: string
  /** Address of the patient, where one is known. */
  readonly email: string | undefined
  /** PS_IdNat of the physicians it is for. */
  readonly physicians: readonly string[]
  /** PS_IdNat of the authors of the documents, and Struct_IdNat of the structures that fed them, where it is for them. */
  readonly authors: readonly string[]
}

/**
 * sent: it has left. later: it has not, and may be tried again. refused: it never will. uncertain: nobody knows, and it must
 * not be sent again. no-recipient: the channel reaches nobody it is for.
 */
export type Attempt = 'sent' | 'later' | 'refused' | 'uncertain' | 'no-recipient'

export interface Channel {
  readonly name: string
  /** Whether it reaches somebody this is for. */
  reaches(notice: Notice): boolean
  /** Never throws for what the other side does. @param signal give up, and say what is known */
  send(notice: Notice, signal: AbortSignal): Promise<Attempt>
}

export interface NotifierParts {
  readonly deliveries: Deliveries
  readonly channels: readonly Channel[]
  readonly outgoing: (patient: PatientKey) => Promise<OutgoingNotices | undefined>
  readonly log: Log
  readonly now?: () => number
  /** Milliseconds between looks; default 2000. */
  readonly interval?: number
}

export interface Notifier {
  /** Rows by channel and state: `email sent`. */
  counts(): Promise<Readonly<Record<string, number>>>
  /** Stops; what is under way is finished or becomes uncertain. */
  close(): Promise<void>
}

/** Wait before the second attempt; doubled for each that follows, at most six hours. */
const firstWait = 60_000
const longestWait = 6 * 3_600_000
/** About three days of attempts. */
const mostAttempts = 20
/** How often what may not be told yet is looked at again. */
const heldFor = 3_600_000
const batch = 50
const graceMilliseconds = 3000

interface Signals {
  readonly stopped: AbortSignal
  readonly cut: AbortSignal
}

/** Begins with what was found claimed, and remembers where a new channel begins, before it resolves. */
export async function startNotifier(parts: NotifierParts): Promise<Notifier> {
  const { deliveries, channels, log, interval = 2000 } = parts
  const stopped = new AbortController()
  /** Given a moment after the stop: what is being said to a server is better said to its end. */
  const cut = new AbortController()
  for (const { name } of channels) {
    const count = await deliveries.interrupted(name)
    if (count > 0)
      log.error({ channel: name, count }, 'notifications may have been sent before a crash: not sent again')
    await deliveries.enrol(name)
  }
  const loops = channels.map(async (channel) => {
    while (!stopped.signal.aborted) {
      const more = await round(channel, parts, { stopped: stopped.signal, cut: cut.signal }).catch((error: unknown) => {
        log.warn(
          { channel: channel.name, reason: error instanceof Error ? error.name : 'unknown' },
          'notifications wait',
        )
        return false
      })
      if (!more) await pause(interval, stopped.signal)
    }
  })
  return {
    async counts() {
      const each = await Promise.all(channels.map(async ({ name }) => [name, await deliveries.counts(name)] as const))
      return Object.fromEntries(
        each.flatMap(([name, states]) => Object.entries(states).map(([state, count]) => [`${name} ${state}`, count])),
      )
    },
    async close() {
      stopped.abort()
      const grace = setTimeout(() => cut.abort(), graceMilliseconds)
      await Promise.all(loops)
      clearTimeout(grace)
    },
  }
}

/** What waits in one channel now; gives whether there may be more. */
async function round(channel: Channel, parts: NotifierParts, { stopped, cut }: Signals): Promise<boolean> {
  const { deliveries, outgoing, now = Date.now } = parts
  await deliveries.enrol(channel.name)
  const waiting = await deliveries.waiting(channel.name, new Date(now()).toISOString(), batch)
  const byPatient = Map.groupBy(waiting, ({ patient }) => patient)
  for (const [patient, rows] of byPatient) {
    if (stopped.aborted) return false
    const known = await outgoing(patient)
    for (const row of rows.toSorted((a, b) => a.no - b.no)) {
      if (stopped.aborted) return false
      await attempt(channel, row, known, parts, cut)
    }
  }
  return waiting.length === batch
}

async function attempt(
  channel: Channel,
  { no, attempts, patient }: WaitingDelivery,
  known: OutgoingNotices | undefined,
  parts: NotifierParts,
  signal: AbortSignal,
): Promise<void> {
  const { deliveries, log, now = Date.now } = parts
  const after = (milliseconds: number): string => new Date(now() + milliseconds).toISOString()
  const stored = known?.notices.find((each) => each.no === no)
  if (known === undefined || stored === undefined) {
    await deliveries.settle(channel.name, no, 'waiting', after(heldFor))
    return
  }
  const { kind, recipient, text, documents, at } = stored
  const notice: Notice = {
    no,
    patient,
    kind,
    recipient,
    text,
    documents,
    at,
    email: known.email,
    physicians: known.physicians,
    authors: [...new Set(documents.flatMap((id) => known.authors.get(id) ?? []))],
  }
  if (!channel.reaches(notice)) {
    await deliveries.settle(channel.name, no, 'no-recipient')
    return
  }
  if (!(await deliveries.claim(channel.name, no))) return
  const outcome = await channel.send(notice, signal)
  const tries = attempts + 1
  if (outcome === 'later' && tries < mostAttempts)
    await deliveries.settle(channel.name, no, 'waiting', after(Math.min(longestWait, firstWait * 2 ** attempts)))
  else await deliveries.settle(channel.name, no, outcome === 'later' || outcome === 'refused' ? 'failed' : outcome)
  if (outcome === 'uncertain' || outcome === 'refused' || (outcome === 'later' && tries >= mostAttempts))
    log.error({ channel: channel.name, notification: no, outcome }, 'a notification did not certainly reach anybody')
}
