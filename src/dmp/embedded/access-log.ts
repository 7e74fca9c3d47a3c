/**
 * The trace as it lies in the database: append-only rows, each holding the hash of the one before it, so that a row
 * changed, taken out or put in afterwards shows (docs/access-rules.md, Trace).
 *
 * hash = SHA-256(hash of the row before ‖ sequence, 8 bytes big-endian ‖ json), and 32 zero bytes before the first row.
 * A chain cannot show that its last rows were cut off: keep the head that `verifyChain` gives somewhere else, and give it
 * back as `anchor` next time.
 */
import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import { GatewayError } from '../../errors.ts'
import { isAlert } from '../../operations/alerts.ts'
import type { AccessRecord, Effects, HistoryQuery, TracedAccess, TraceRecord } from '../../operations/ports.ts'
import { authorisationKey } from './authorisation.ts'
import type { PreparedRecord } from './commands.ts'

/** A place in the chain: `hash` in lower-case hex. */
export interface ChainHead {
  readonly sequence: number
  readonly hash: string
}

export type ChainVerdict =
  | { readonly whole: true; readonly records: number; readonly head: ChainHead }
  | { readonly whole: false; readonly sequence: number; readonly problem: string }

const origin = Buffer.alloc(32)

export function chainHash(previous: Uint8Array, sequence: number, json: Uint8Array): Buffer {
  const position = Buffer.alloc(8)
  position.writeBigUInt64BE(BigInt(sequence))
  return createHash('sha256').update(previous).update(position).update(json).digest()
}

/** The characters of a record that go into the chain, and the columns that find it again. */
export function prepareRecord(record: TraceRecord): PreparedRecord {
  const { at } = record
  const json = JSON.stringify(record)
  if (isAlert(record)) return { patient: undefined, person: undefined, at, json, effects: noEffects }
  return { patient: record.patient, person: record.caller.person?.id, at, json, effects: record.effects }
}

const noEffects: Effects = { notifications: [] }

export interface Appender {
  /** Checks a record; gives what writes it and its effects. Throws GatewayError `dmp-unknown`. */
  plan(record: PreparedRecord): () => void
  /** To be called whenever something written was undone: the head is then read again. */
  forget(): void
}

/** Appends to the chain inside the transaction under way. */
export function createAppender(db: DatabaseSync): Appender {
  const last = db.prepare('SELECT sequence, hash FROM access_log ORDER BY sequence DESC LIMIT 1')
  const insert = db.prepare(
    'INSERT INTO access_log (sequence, patient, person, at, json, hash) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const planEffects = createEffects(db)
  let head: { readonly sequence: number; readonly hash: Uint8Array } | undefined

  const readHead = (): NonNullable<typeof head> => {
    const row = last.get()
    return row === undefined ? { sequence: 0, hash: origin } : { sequence: Number(row.sequence), hash: bytes(row.hash) }
  }
  return {
    plan(record) {
      const writeEffects = planEffects(record)
      return () => {
        head ??= readHead()
        const sequence = head.sequence + 1
        const json = Buffer.from(record.json)
        const hash = chainHash(head.hash, sequence, json)
        insert.run(sequence, record.patient ?? null, record.person ?? null, record.at, json, hash)
        writeEffects?.(sequence)
        head = { sequence, hash }
      }
    },
    forget() {
      head = undefined
    },
  }
}

function createEffects(db: DatabaseSync): (record: PreparedRecord) => ((sequence: number) => void) | undefined {
  const patientNo = db.prepare('SELECT no FROM patient WHERE key = ?')
  // The first time the patient was informed stands: it is the evidence.
  const inform = db.prepare(
    `INSERT INTO information (patient_no, structure, scope, episode, means, collected_by, at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  )
  const authorise = db.prepare(
    `INSERT INTO authorisation (patient_no, person, at, until) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET at = excluded.at, until = excluded.until`,
  )
  const withdraw = db.prepare('DELETE FROM authorisation WHERE patient_no = ? AND person = ?')
  const notify = db.prepare(
    `INSERT INTO notification (sequence, patient_no, kind, recipient, text, documents, state, at)
     VALUES (?, ?, ?, ?, ?, ?, 'pending', ?)`,
  )
  return ({ patient, at, effects: { information, authorisation, notifications } }) => {
    if (information === undefined && authorisation === undefined && notifications.length === 0) return undefined
    const no = patient === undefined ? undefined : patientNo.get(patient)?.no
    if (typeof no !== 'number') throw new GatewayError('dmp-unknown')
    return (sequence) => {
      if (information !== undefined) {
        const { structure, scope, episode, means, by } = information
        inform.run(no, structure, scope, episode ?? '', means ?? null, by ?? null, at)
      }
      if (authorisation?.change === 'add')
        authorise.run(no, authorisationKey(authorisation), at, authorisation.until ?? null)
      if (authorisation?.change === 'remove') withdraw.run(no, authorisationKey(authorisation))
      for (const { kind, recipient, text, documents } of notifications)
        notify.run(sequence, no, kind, recipient, text, JSON.stringify(documents), at)
    }
  }
}

/** Reads the access history of one patient. `from` inclusive, `to` exclusive, ISO 8601 instants. */
export function createHistory(db: DatabaseSync): (query: HistoryQuery) => TracedAccess[] {
  const statement = (end: string, order: string) =>
    db.prepare(
      `SELECT sequence, json FROM access_log WHERE patient = ?1 AND (?2 IS NULL OR person = ?2)
       AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR at < ?4) AND ${end} ORDER BY sequence ${order} LIMIT ?6`,
    )
  const newestFirst = statement('sequence < ?5', 'DESC')
  const oldestFirst = statement('sequence > ?5', 'ASC')
  return ({ patient, person, from, to, oldestFirst: ascending = false, beyond, limit }) => {
    const rows = ascending ? oldestFirst : newestFirst
    const start = beyond ?? (ascending ? 0 : Number.MAX_SAFE_INTEGER)
    return rows.all(patient, person ?? null, from ?? null, to ?? null, start, limit).map(({ sequence, json }) => ({
      sequence: Number(sequence),
      // Only accesses have a patient
      record: parse(json) as AccessRecord,
    }))
  }
}

/**
 * Walks the whole chain as it is now, leaving the event loop free between pages.
 * @param anchor a head kept from an earlier verification: its row must still be there, unchanged
 */
export async function verifyChain(db: DatabaseSync, anchor?: ChainHead): Promise<ChainVerdict> {
  const page = db.prepare(
    'SELECT sequence, patient, person, at, json, hash FROM access_log WHERE sequence > ? ORDER BY sequence LIMIT 500',
  )
  let sequence = 0
  let hash: Uint8Array = origin
  for (;;) {
    const rows = page.all(sequence)
    for (const row of rows) {
      const broken = (problem: string): ChainVerdict => ({ whole: false, sequence: sequence + 1, problem })
      if (row.sequence !== sequence + 1) return broken('a record is missing')
      const json = bytes(row.json)
      const expected = chainHash(hash, sequence + 1, json)
      if (!expected.equals(bytes(row.hash))) return broken('the record or its hash was changed')
      const found = prepareRecord(parse(json))
      if (row.patient !== (found.patient ?? null) || row.person !== (found.person ?? null) || row.at !== found.at)
        return broken('the columns that find the record do not agree with it')
      sequence++
      hash = expected
      if (anchor?.sequence === sequence && anchor.hash !== expected.toString('hex'))
        return { whole: false, sequence, problem: 'the chain is not the one that was verified before' }
    }
    if (rows.length === 0) break
    await turn()
  }
  if (anchor !== undefined && anchor.sequence > sequence)
    return { whole: false, sequence: sequence + 1, problem: 'records that were there before are cut off' }
  return { whole: true, records: sequence, head: { sequence, hash: Buffer.from(hash).toString('hex') } }
}

function parse(json: SQLOutputValue | Uint8Array | undefined): TraceRecord {
  return JSON.parse(bytes(json).toString()) as TraceRecord
}

function bytes(value: SQLOutputValue | Uint8Array | undefined): Buffer {
  if (!(value instanceof Uint8Array)) throw new TypeError('a BLOB was expected')
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
