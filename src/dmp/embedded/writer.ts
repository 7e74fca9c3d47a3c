/** The writer as the main thread sees it: a queue before one thread. What waits while it is busy is its next batch. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, GatewayError, type Issue } from '../../errors.ts'
import type { Clock } from '../../operations/ports.ts'
import type { Batch, Command, Done, Outcome } from './commands.ts'
import type { WriterThreadData } from './writer-thread.ts'

export interface WriterOptions {
  readonly file: string
  readonly clock: Clock
  readonly maxBytes?: number
  readonly syncDelayMs?: number
}

export interface Written {
  readonly value: Done
  /** ISO 8601 instant of the commit. */
  readonly at: string
}

/** Rejection of a command; `undone` says whether it is certain that nothing of it is stored. */
export class WriteError extends GatewayError {
  readonly undone: boolean

  constructor(issues: ErrorCode | readonly Issue[], cause: string, undone = true) {
    super(issues, { cause: new Error(cause) })
    this.undone = undone
  }
}

export interface Writer {
  /**
   * Resolves once the command is durable. Rejects with WriteError: what the command broke, `store-unavailable` when the
   * store cannot write, `busy` when too much waits, `shutting-down` after close.
   * @param size bytes of documents the command carries
   */
  submit(command: Command, size?: number): Promise<Written>
  /** Commits what waits, then ends the thread. */
  close(): Promise<void>
  readonly thread: Worker
}

/** Commands of one commit; more would only make the first of them wait. */
const batchLimit = 512
/** Bytes of documents copied to the thread at once. */
const batchBytes = 16 * 1024 * 1024
/** What may wait: beyond it callers are told to come back. */
const queueLimit = 8192
const queueBytes = 256 * 1024 * 1024

interface Waiting {
  readonly command: Command
  readonly size: number
  readonly resolve: (written: Written) => void
  readonly reject: (error: WriteError) => void
}

/** Starts the thread; rejects with its error when the database cannot be opened. */
export async function startWriter(options: WriterOptions): Promise<Writer> {
  const workerData: WriterThreadData = {
    file: options.file,
    maxBytes: options.maxBytes,
    syncDelayMs: options.syncDelayMs ?? 0,
  }
  // Run from the sources the file is .ts, from the published package .js.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`./writer-thread.${extension}`, import.meta.url), { workerData })
  // Rejects on 'error': what openForWriting threw.
  await once(thread, 'message')
  return createQueue(thread, options.clock)
}

function createQueue(thread: Worker, clock: Clock): Writer {
  let queue: Waiting[] = []
  let queuedBytes = 0
  let flying: readonly Waiting[] = []
  let flyingAt = ''
  let scheduled = false
  let closing: Promise<void> | undefined
  let closed = (): void => {}
  let ended: Error | undefined

  const flush = (): void => {
    scheduled = false
    if (flying.length > 0 || ended !== undefined) return
    let bytes = 0
    const end = queue.findIndex(({ size }, index) => {
      bytes += size
      return index > 0 && (index === batchLimit || bytes > batchBytes)
    })
    flying = end < 0 ? queue : queue.slice(0, end)
    queue = end < 0 ? [] : queue.slice(end)
    if (flying.length > 0) {
      for (const { size } of flying) queuedBytes -= size
      flyingAt = clock.now().toISOString()
      const batch: Batch = { at: flyingAt, commands: flying.map(({ command }) => command) }
      thread.ref()
      try {
        thread.postMessage(batch)
      } catch (error) {
        // A command that cannot be copied: none of them has left.
        const cause = error instanceof Error ? error.message : String(error)
        for (const { reject } of flying) reject(new WriteError('internal', cause))
        flying = []
        schedule()
      }
    } else {
      // Nothing under way: the thread alone does not keep the process alive.
      thread.unref()
      if (closing !== undefined) closed()
    }
  }
  /** What comes in the same turn of the event loop shares a commit. */
  const schedule = (): void => {
    if (scheduled || flying.length > 0) return
    scheduled = true
    setImmediate(flush)
  }
  const stop = (error: Error): void => {
    if (ended !== undefined) return
    ended = error
    // Those under way may have been committed; those that waited were not.
    for (const { reject } of flying) reject(unavailable(error, false))
    for (const { reject } of queue) reject(unavailable(error, true))
    flying = queue = []
    closed()
  }

  thread.on('message', (outcomes: readonly Outcome[]) => {
    const answered = flying
    flying = []
    answered.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index]
      if (outcome?.ok) resolve({ value: outcome.value, at: flyingAt })
      else
        reject(
          new WriteError(outcome?.issues ?? 'store-unavailable', outcome?.cause ?? 'no outcome', outcome !== undefined),
        )
    })
    schedule()
  })
  thread.on('error', stop)
  thread.on('exit', () => stop(new Error('the writer thread ended')))
  thread.unref()

  return {
    thread,
    submit(command, size = 0) {
      if (closing !== undefined) return Promise.reject(refusal('shutting-down'))
      if (ended !== undefined) return Promise.reject(unavailable(ended, true))
      if (queue.length >= queueLimit || queuedBytes + size > queueBytes) return Promise.reject(refusal('busy'))
      queuedBytes += size
      return new Promise<Written>((resolve, reject) => {
        queue.push({ command, size, resolve, reject })
        schedule()
      })
    },
    close() {
      closing ??= (async () => {
        await new Promise<void>((resolve) => {
          closed = resolve
          if (ended !== undefined) resolve()
          // Kept alive until what waits is committed, whatever else the process has to do.
          else schedule()
        })
        if (ended !== undefined) return
        thread.ref()
        const exit = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
        thread.postMessage('close')
        await exit
      })()
      return closing
    },
  }
}

function refusal(code: 'shutting-down' | 'busy'): WriteError {
  return new WriteError(code, 'refused before the queue')
}

function unavailable(error: Error, undone: boolean): WriteError {
  return new WriteError('store-unavailable', error.message, undone)
}
