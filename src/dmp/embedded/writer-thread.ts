/** The writer's thread: takes a batch, commits it, answers. It alone writes to the database. */
import { parentPort, workerData } from 'node:worker_threads'
import { createBatchRunner } from './batch.ts'
import type { Batch } from './commands.ts'
import { openForWriting } from './schema.ts'

export interface WriterThreadData {
  readonly file: string
  readonly maxBytes: number | undefined
  /** Milliseconds added to every commit, to measure with the fsync of a slower disk. */
  readonly syncDelayMs: number
}

const port = parentPort
if (port === null) throw new Error('writer-thread.ts runs as a worker thread only')

const { file, maxBytes, syncDelayMs } = workerData as WriterThreadData
const db = openForWriting(file, maxBytes)
const run = createBatchRunner(db)
const never = new Int32Array(new SharedArrayBuffer(4))

port.on('message', (batch: Batch | 'close') => {
  if (batch === 'close') {
    db.close()
    port.close()
    return
  }
  const outcomes = run(batch)
  if (syncDelayMs > 0) Atomics.wait(never, 0, 0, syncDelayMs)
  port.postMessage(outcomes)
})
port.postMessage('ready')
