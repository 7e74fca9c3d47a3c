/**
 * What is about to be done at the DMP, on disk before it leaves and gone once its outcome is in the trace. What a crash has
 * left is told in the trace at the next start, as done with an outcome that nobody knows: nothing leaves unrecorded.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { GatewayError } from '../../errors.ts'
import type { AccessRecord, Trace } from '../../operations/ports.ts'

export interface Journal {
  /**
   * Runs an act between its intent and its outcome, both durable: the record as it is when the act succeeds; as failed,
   * without effects, when it does not.
   * @throws GatewayError trace-unavailable when the intent cannot be written (nothing was done then), else what the act threw
   */
  around<T>(record: AccessRecord, act: () => Promise<T>): Promise<T>
  /** Tells the trace of what a crash has left; to be called once, before the first act. Gives their number. */
  settle(): Promise<number>
}

const suffix = '.intent'
/** Reason code of a failure after which the DMP may hold what was sent. */
const unknown = 'dmp-outcome-unknown'

export function openJournal(directory: string, trace: Trace): Journal {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    async around(record, act) {
      const file = await write(directory, record)
      let result: Awaited<ReturnType<typeof act>>
      try {
        result = await act()
      } catch (error) {
        const code = error instanceof GatewayError ? error.code : 'internal'
        await trace.record({ ...record, outcome: 'failed', reasonCode: code, effects: { notifications: [] } })
        await unlink(file)
        throw error
      }
      await trace.record(record)
      await unlink(file)
      return result
    },
    async settle() {
      const names = await readdir(directory)
      // Never finished: nothing was sent on the strength of it
      for (const name of names) if (name.endsWith('.part')) await unlink(path.join(directory, name))
      const left = names.filter((name) => name.endsWith(suffix)).sort()
      for (const name of left) {
        const file = path.join(directory, name)
        const record = JSON.parse(await readFile(file, 'utf8')) as AccessRecord
        await trace.record({ ...record, outcome: 'failed', reasonCode: unknown, effects: { notifications: [] } })
        await unlink(file)
      }
      return left.length
    },
  }
}

/** Appears whole or not at all, and is on the disk with its name. */
async function write(directory: string, record: AccessRecord): Promise<string> {
  const file = path.join(directory, `${Date.now()}-${randomUUID()}${suffix}`)
  try {
    const handle = await open(`${file}.part`, 'wx', 0o600)
    try {
      await handle.writeFile(JSON.stringify(record))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(`${file}.part`, file)
    const folder = await open(directory)
    await folder.sync().finally(() => folder.close())
    return file
  } catch (cause) {
    throw new GatewayError('trace-unavailable', { cause })
  }
}
