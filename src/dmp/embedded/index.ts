/**
 * The embedded DMP: a record store of its own for demonstration, tests, and sites without a connection to the national
 * DMP. One SQLite database holds the registry, small documents and the trace, so that a submission, its access record
 * and its effects are one commit; large documents are files beside it.
 *
 *   index.ts           opens the parts and gives the ports
 *   schema, lock       tables, settings durability rests on; one process per folder
 *   commands           what the main thread asks of the writer
 *   writer, writer-thread, batch   the queue, the thread behind it, group commit
 *   prepare, feed, update, remove, administer, access-log   the commands, before and inside a transaction
 *   registry, object-rows   what they look up and write there
 *   snapshot, find, find-packages, document-rows, facts, authorised, administration, content   reading, choices, bytes
 *   outbox, deliveries     the trace on its way to other systems, notifications on their way to people
 *   operator               what an operator sees of both, and sets going again
 */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../errors.ts'
import type { EntryUuid, Oid } from '../../metadata/identifiers.ts'
import type {
  Choices,
  Clock,
  Deliveries,
  Dmp,
  DocumentContent,
  Receipt,
  Retention,
  Trace,
  TraceFeed,
} from '../../operations/ports.ts'
import { type ChainHead, type ChainVerdict, createHistory, prepareRecord, verifyChain } from './access-log.ts'
import { type Administration, createAdministration, createChoices, createRetention } from './administration.ts'
import { createAuthorised } from './authorised.ts'
import type { FeedCommand, PreparedContent } from './commands.ts'
import { type ContentStore, createContentStore } from './content.ts'
import { createDeliveries } from './deliveries.ts'
import { createRecords } from './facts.ts'
import { createFinder } from './find.ts'
import { lockDirectory } from './lock.ts'
import { createTraceFeed } from './outbox.ts'
import { checkFeed, prepareFeed, prepareUpdate, type StoreRules } from './prepare.ts'
import { openForReading, openForWriting } from './schema.ts'
import { createSnapshot } from './snapshot.ts'
import { startWriter, WriteError, type Writer } from './writer.ts'

export type { ChainHead, ChainVerdict } from './access-log.ts'
export type { Administration } from './administration.ts'
export type { Choice } from './commands.ts'

export interface EmbeddedDmpOptions {
  /** Data folder; made when missing, for this user only. Holds `dmp.sqlite`, `dmp.lock` and `content/`. */
  readonly directory: string
  readonly repositoryUniqueId: Oid
  readonly clock?: Clock
  /** A uniqueId that comes again: always refused (ci-sis, the default), or taken with the same bytes (ihe). */
  readonly duplicates?: FeedCommand['duplicates']
  /**
   * A reference to an object of another patient: answered as one to nothing, so that it tells nothing of that patient
   * (the default in ci-sis), or as XDSPatientIdDoesNotMatch (the default where `duplicates` is `same-hash`).
   */
  readonly otherPatients?: FeedCommand['otherPatients']
  /** Size the database may grow to; beyond it writes fail with `store-unavailable`. No limit by default. */
  readonly maxDatabaseBytes?: number
  /** Milliseconds added to each commit, to measure with the fsync of a slower disk. */
  readonly syncDelayMs?: number
}

export interface EmbeddedDmp {
  readonly dmp: Dmp
  readonly trace: Trace
  readonly choices: Choices
  readonly retention: Retention
  readonly administration: Administration
  /** The trace, to be sent to other systems. */
  readonly traceFeed: TraceFeed
  /** Notifications on their way to people. */
  readonly deliveries: Deliveries
  /** Whether the trace is whole; `anchor` is a head that an earlier call gave. */
  verify(anchor?: ChainHead): Promise<ChainVerdict>
  /** Commits what waits, then closes. Later calls are refused with `shutting-down`. */
  close(): Promise<void>
}

/** Entries held in memory while an answer is written. */
const READ_CHUNK = 64

const systemClock: Clock = { now: () => new Date() }

/**
 * Throws Error with a line for the operator: folder in use, database of a later version, settings that do not hold.
 */
export async function openEmbeddedDmp(options: EmbeddedDmpOptions): Promise<EmbeddedDmp> {
  const { directory, clock = systemClock } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(directory)
  let reader: DatabaseSync | undefined
  let writer: Writer | undefined
  try {
    const file = join(directory, 'dmp.sqlite')
    const content = createContentStore(join(directory, 'content'))
    await recover(file, content, directory)
    writer = await startWriter({
      file,
      clock,
      ...(options.maxDatabaseBytes !== undefined && { maxBytes: options.maxDatabaseBytes }),
      ...(options.syncDelayMs !== undefined && { syncDelayMs: options.syncDelayMs }),
    })
    reader = openForReading(file)
    return assemble(options, clock, writer, reader, content, unlock)
  } catch (error) {
    reader?.close()
    await writer?.close()
    unlock()
    throw error
  }
}

/**
 * Whether the trace in a data folder is whole, while the gateway runs or not. Throws Error with a line for the operator
 * when there is no store.
 */
export async function verifyTrace(directory: string, anchor?: ChainHead): Promise<ChainVerdict> {
  const file = join(directory, 'dmp.sqlite')
  if (!existsSync(file)) throw new Error(`${directory} holds no store (dmp.sqlite): name the data folder`)
  const reader = openForReading(file)
  try {
    return await verifyChain(reader, anchor)
  } finally {
    reader.close()
  }
}

/** Makes or repairs the database, and removes files that a crash left without a row. Nothing is being fed yet. */
async function recover(file: string, content: ContentStore, directory: string): Promise<void> {
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
  const db = openForWriting(file)
  try {
    const known = db.prepare('SELECT 1 FROM content WHERE file = ?')
    await content.sweep((name) => known.get(name) !== undefined)
  } finally {
    db.close()
  }
  const folder = openSync(directory, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function assemble(
  options: EmbeddedDmpOptions,
  clock: Clock,
  writer: Writer,
  reader: DatabaseSync,
  content: ContentStore,
  unlock: () => void,
): EmbeddedDmp {
  const { repositoryUniqueId, duplicates = 'refuse' } = options
  const { otherPatients = duplicates === 'refuse' ? 'absent' : 'told' } = options
  const rules: StoreRules = { repositoryUniqueId, duplicates, otherPatients }
  const finder = createFinder(reader)
  const records = createRecords(reader, clock)
  const history = createHistory(reader)
  const authorised = createAuthorised(reader, clock)
  const probe = reader.prepare('SELECT at FROM probe WHERE no = 1')
  const snapshot = createSnapshot(reader)
  writer.thread.prependListener('message', snapshot.end)
  let closing: Promise<void> | undefined
  /** Reads fail closed: any trouble of the database is `store-unavailable`, and nothing is read after close. */
  const reading = <T>(read: () => T): T => {
    if (closing !== undefined) throw new GatewayError('shutting-down')
    try {
      snapshot.begin()
      return read()
    } catch (error) {
      throw error instanceof GatewayError ? error : new GatewayError('store-unavailable', { cause: error })
    }
  }
  const check = async (): Promise<void> => {
    const { at } = await writer.submit({ kind: 'probe' })
    const found = reading(() => probe.get()?.at)
    if (typeof found !== 'string' || found < at) throw new GatewayError('store-unavailable')
  }

  const dmp: Dmp = {
    repositoryUniqueId,
    check,
    status: async (patient, caller) => reading(() => records.status(patient, caller)),
    demographics: async (patient) => reading(() => records.demographics(patient)),
    authorised: async (query, caller) => reading(() => authorised(query, caller)),
    async open(patient, demographics, record) {
      const command = { kind: 'open', patient, demographics: JSON.stringify(demographics) } as const
      const { value } = await writer.submit({ ...command, record: prepareRecord(record) })
      return value.created === true ? 'created' : 'updated'
    },
    async feed(submission, contents, record, options = {}): Promise<Receipt> {
      const patient = checkFeed(submission, contents, options.register === true)
      const taken = await takeAll(content, contents)
      const { command, submissionSet, entries } = prepareFeed(submission, taken, record, patient, rules)
      const size = [...taken.values()].reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)
      try {
        const { at } = await writer.submit(command, size)
        return { submissionSet, entries, at, warnings: [] }
      } catch (error) {
        // Where it is not certain that nothing was stored, the files stay: the next start knows what the rows say.
        if (error instanceof WriteError && error.undone) await releaseAll(content, taken.values())
        throw error
      }
    },
    find: async (query) => reading(() => finder.find(query)),
    async *read(entryUuids) {
      // A chunk is read at once and given one by one: no statement stays open while the answer is written.
      for (let start = 0; start < entryUuids.length; start += READ_CHUNK) {
        const chunk = entryUuids.slice(start, start + READ_CHUNK)
        yield* reading(() => finder.load(chunk))
      }
    },
    versions: async (logicalId) => reading(() => finder.versions(logicalId)),
    async update(update, record) {
      const { value, at } = await writer.submit(prepareUpdate(update, record, rules))
      const entries = reading(() => finder.load((value.changed ?? []) as EntryUuid[]))
      const { submissionSet } = update
      return { ...(submissionSet && { submissionSet }), entries, at, warnings: [] }
    },
    async remove({ kind: what, ids }, record) {
      const { value } = await writer.submit({ kind: 'remove', what, ids, record: prepareRecord(record) })
      for (const file of value.files ?? []) await content.release(file)
    },
    async content(entryUuid) {
      const stored = reading(() => finder.content(entryUuid))
      return stored === undefined ? undefined : content.give(stored)
    },
  }

  const trace: Trace = {
    check,
    async record(record) {
      try {
        await writer.submit({ kind: 'record', record: prepareRecord(record) })
      } catch (error) {
        if (error instanceof GatewayError && error.code === 'dmp-unknown') throw error
        throw new GatewayError('trace-unavailable', { cause: error })
      }
    },
    history: async (query) => reading(() => history(query)),
  }

  const choices = createChoices(writer, reader, reading)
  return {
    dmp,
    trace,
    choices,
    retention: createRetention(writer, reader, reading, (file) => content.release(file)),
    administration: createAdministration(writer, choices),
    traceFeed: createTraceFeed(reader, writer, reading),
    deliveries: createDeliveries(reader, writer, reading),
    verify: (anchor) => verifyChain(reader, anchor),
    close() {
      closing ??= (async () => {
        snapshot.end()
        // The reader first: the last connection to close takes the log back into the database, and only the writer can.
        reader.close()
        await writer.close().finally(unlock)
      })()
      return closing
    },
  }
}

async function takeAll(
  content: ContentStore,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
): Promise<ReadonlyMap<EntryUuid, PreparedContent>> {
  const taken = new Map<EntryUuid, PreparedContent>()
  try {
    for (const [entryUuid, each] of contents) taken.set(entryUuid, await content.take(each))
    return taken
  } catch (error) {
    await releaseAll(content, taken.values())
    throw error
  }
}

async function releaseAll(content: ContentStore, taken: Iterable<PreparedContent>): Promise<void> {
  for (const { file } of taken) if (file !== undefined) await content.release(file)
}
