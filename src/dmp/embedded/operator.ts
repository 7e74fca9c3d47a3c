/**
 * What an operator looks at in a data folder, and sets going again, while the gateway runs or not: notifications and records
 * of the trace that did not get through, and refused credentials. Nothing here reads who a row is about.
 *
 * Writing beside a running gateway is one short transaction on rows that the gateway has settled; it waits for its turn as
 * the writer of the gateway does.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { isAlert } from '../../operations/alerts.ts'
import type { AlertRecord, DeliveryState, StoredNotification, TraceRecord } from '../../operations/ports.ts'
import { openForReading, openForWriting } from './schema.ts'

export interface DeliveryRow {
  readonly channel: string
  /** Of the notification: what a webhook got as DMP-Notification-Id. */
  readonly no: number
  readonly kind: StoredNotification['kind']
  readonly recipient: StoredNotification['recipient']
  readonly state: DeliveryState | 'sending'
  readonly attempts: number
  /** ISO 8601 instants: of what it tells, of its last change, and before which it is not tried again. */
  readonly told: string
  readonly at: string
  readonly nextAt: string
}

export interface ExportRow {
  readonly destination: string
  /** Last record that it has, of how many. */
  readonly position: number
  readonly head: number
  /** Asked to be sent again, and not sent yet. */
  readonly again: number
  /** What it would never take. */
  readonly refused: readonly { readonly sequence: number; readonly reason: string; readonly at: string }[]
}

/** States from which a notification may be sent (again) by hand. */
export type Resendable = Exclude<DeliveryState, 'sent'>

/** Rows of refused records that are listed for a destination. */
const listedRefusals = 100

/** Newest first. @param limit rows at most */
export function listDeliveries(
  directory: string,
  filter: { readonly channel?: string | undefined; readonly state?: string | undefined; readonly limit: number },
): readonly DeliveryRow[] {
  return reading(directory, (db) =>
    db
      .prepare(
        `SELECT d.channel, d.notification_no AS no, n.kind, n.recipient, d.state, d.attempts, n.at AS told, d.at,
           d.next_at AS nextAt FROM delivery d JOIN notification n ON n.no = d.notification_no
         WHERE (?1 IS NULL OR d.channel = ?1) AND (?2 IS NULL OR d.state = ?2) ORDER BY d.notification_no DESC, d.channel
         LIMIT ?3`,
      )
      .all(filter.channel ?? null, filter.state ?? null, filter.limit)
      .map(deliveryRowOf),
  )
}

/**
 * Lets notifications go out again, from the first attempt on; the gateway takes them up within seconds. Gives how many.
 * One that is `uncertain` may then be received twice, under the same identifier.
 */
export function resendDeliveries(
  directory: string,
  { channel, no, state }: { readonly channel: string; readonly no?: number | undefined; readonly state: Resendable },
): number {
  const now = new Date().toISOString()
  return writing(directory, (db) =>
    Number(
      db
        .prepare(
          `UPDATE delivery SET state = 'waiting', attempts = 0, next_at = ?1, at = ?1
           WHERE channel = ?2 AND state = ?3 AND (?4 IS NULL OR notification_no = ?4)`,
        )
        .run(now, channel, state, no ?? null).changes,
    ),
  )
}

/** Every destination that the trace was ever sent to. */
export function listExports(directory: string): readonly ExportRow[] {
  return reading(directory, (db) => {
    const head = Number(db.prepare('SELECT coalesce(max(sequence), 0) AS head FROM access_log').get()?.head)
    const again = db.prepare('SELECT count(*) AS count FROM export_again WHERE destination = ?')
    const refused = db.prepare(
      'SELECT sequence, reason, at FROM export_refused WHERE destination = ? ORDER BY sequence DESC LIMIT ?',
    )
    const destinations = db.prepare('SELECT destination, sequence FROM export_position ORDER BY destination').all()
    return destinations.map(({ destination, sequence }) => ({
      destination: String(destination),
      position: Number(sequence),
      head,
      again: Number(again.get(String(destination))?.count),
      refused: refused
        .all(String(destination), listedRefusals)
        .map(({ sequence, reason, at }) => ({ sequence: Number(sequence), reason: String(reason), at: String(at) })),
    }))
  })
}

/**
 * Has records sent to a destination again: those it refused, or a stretch of the trace. Gives how many.
 * @param what `from` and `to` are places in the trace, both included
 */
export function resendRecords(
  directory: string,
  destination: string,
  what: 'refused' | { readonly from: number; readonly to: number },
): number {
  return writing(directory, (db) => {
    if (what !== 'refused') {
      const { from, to } = what
      const sent = db.prepare(
        `INSERT INTO export_again (destination, sequence)
         SELECT ?1, a.sequence FROM access_log a JOIN export_position p ON p.destination = ?1
         WHERE a.sequence BETWEEN ?2 AND min(?3, p.sequence) ON CONFLICT DO NOTHING`,
      )
      return Number(sent.run(destination, from, to).changes)
    }
    const { changes } = db
      .prepare(
        `INSERT INTO export_again (destination, sequence) SELECT destination, sequence FROM export_refused
         WHERE destination = ? ON CONFLICT DO NOTHING`,
      )
      .run(destination)
    db.prepare('DELETE FROM export_refused WHERE destination = ?').run(destination)
    return Number(changes)
  })
}

/** Refused credentials, newest first. @param since ISO 8601 instant @param limit rows at most */
export function listAlerts(directory: string, since: string, limit: number): readonly AlertRecord[] {
  return reading(directory, (db) => {
    const found: AlertRecord[] = []
    const rows = db.prepare('SELECT json FROM access_log WHERE patient IS NULL AND at >= ? ORDER BY sequence DESC')
    for (const { json } of rows.iterate(since)) {
      const record = JSON.parse(Buffer.from(json as Uint8Array).toString()) as TraceRecord
      if (isAlert(record) && found.push(record) >= limit) break
    }
    return found
  })
}

function deliveryRowOf(row: Readonly<Record<string, SQLOutputValue>>): DeliveryRow {
  return {
    channel: String(row.channel),
    no: Number(row.no),
    kind: row.kind as DeliveryRow['kind'],
    recipient: row.recipient as DeliveryRow['recipient'],
    state: row.state as DeliveryRow['state'],
    attempts: Number(row.attempts),
    told: String(row.told),
    at: String(row.at),
    nextAt: String(row.nextAt),
  }
}

function storeIn(directory: string): string {
  const file = join(directory, 'dmp.sqlite')
  if (!existsSync(file)) throw new Error(`${directory} holds no store (dmp.sqlite): name the data folder`)
  return file
}

function reading<T>(directory: string, read: (db: DatabaseSync) => T): T {
  const db = openForReading(storeIn(directory))
  try {
    return read(db)
  } catch (error) {
    if (error instanceof Error && /no such table/.test(error.message))
      throw new Error(`${directory} was last used by an earlier version: start the gateway once`, { cause: error })
    throw error
  } finally {
    db.close()
  }
}

/** One transaction, all of it or nothing. */
function writing<T>(directory: string, write: (db: DatabaseSync) => T): T {
  const db = openForWriting(storeIn(directory))
  try {
    db.exec('BEGIN IMMEDIATE')
    const result = write(db)
    db.exec('COMMIT')
    return result
  } finally {
    // Without a commit nothing stays
    db.close()
  }
}
