/**
 * The spool: where a document waits between the wire and the store. Up to 256 KiB it stays in memory, above it goes to a
 * file; SHA-1 and size are counted as the bytes pass, so that nothing is read twice.
 */
import { mkdirSync } from 'node:fs'
import { readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { DocumentContent } from '../operations/ports.ts'
import { createSink } from './sink.ts'

export { Base64Decoder, encodeBase64, throughBase64 } from './base64.ts'

export interface Spooled extends DocumentContent {
  /** Forgets the bytes; does nothing when a store has renamed the file away. */
  dispose(): Promise<void>
}

export interface SpoolSink {
  /**
   * Takes the next bytes, which must not change afterwards. `true`: go on; a promise: wait for it before the next write.
   * Rejects with GatewayError `over-limit` or `store-unavailable`; what was spooled is then already removed.
   */
  write(chunk: Uint8Array): true | Promise<true>
  /** All bytes are there. */
  end(): Promise<Spooled>
  /** Removes what was written; harmless after the end of a failure. Not to be called after `end` succeeded. */
  abort(): Promise<void>
}

export interface SpoolOptions {
  /** Made when missing, for this user only; holds nothing but spool files. */
  readonly directory: string
  /** Largest document, in bytes. */
  readonly maxBytes: number
  /** Largest document kept in memory, in bytes; default 256 KiB. */
  readonly memoryLimit?: number
  /** Bytes kept in memory for all documents not yet disposed of; above it even small ones go to files. Default 64 MiB. */
  readonly memoryTotal?: number
}

export interface Spool {
  /** Spools a whole stream. On any failure nothing is left behind. */
  receive(source: AsyncIterable<Uint8Array>): Promise<Spooled>
  /** @param maxBytes a lower limit than the spool's own */
  sink(maxBytes?: number): SpoolSink
  /** Removes the files a crash has left; to be called once, before the first document. Gives their number. */
  sweep(): Promise<number>
}

const suffix = '.spool'

export function createSpool(options: SpoolOptions): Spool {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  const memory = { held: 0, total: options.memoryTotal ?? 64 * 1024 * 1024 }
  const sink = (maxBytes = options.maxBytes): SpoolSink =>
    createSink({
      directory: options.directory,
      suffix,
      maxBytes: Math.min(maxBytes, options.maxBytes),
      memoryLimit: options.memoryLimit ?? 256 * 1024,
      memory,
    })
  return {
    sink,
    async receive(source) {
      const target = sink()
      try {
        for await (const chunk of source) await target.write(chunk)
        return await target.end()
      } catch (error) {
        await target.abort()
        throw error
      }
    },
    async sweep() {
      const left = (await readdir(options.directory)).filter((name) => name.endsWith(suffix))
      for (const name of left) await unlink(join(options.directory, name))
      return left.length
    },
  }
}
