/** One document on its way into the spool. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { GatewayError } from '../errors.ts'
import type { Spooled, SpoolSink } from './index.ts'

export interface SinkOptions {
  readonly directory: string
  readonly suffix: string
  readonly maxBytes: number
  readonly memoryLimit: number
  /** Bytes of all documents in memory, shared by the sinks of one spool. */
  readonly memory: { held: number; readonly total: number }
}

/** Bytes gathered for one writev. */
const batch = 1024 * 1024
/** Chunks below this size are copied together: a document sent byte by byte must not become a million buffers. */
const small = 4 * 1024
/** Bytes of one piece of a stream. */
const piece = 64 * 1024

export function createSink(options: SinkOptions): SpoolSink {
  return new Sink(options)
}

class Sink implements SpoolSink {
  readonly #options: SinkOptions
  readonly #hash = createHash('sha1')
  #size = 0
  /** Not yet given to the file; all of it while the document stays in memory. */
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  /** Where small chunks are copied together, before it joins #pending. */
  #tail: Buffer | undefined
  #tailUsed = 0
  /** Part of memory.held that is ours. */
  #held = 0
  #path: string | undefined
  #file: FileHandle | undefined
  /** The write under way; never rejects, leaves its error in #failure. */
  #writing: Promise<void> | undefined
  #failure: unknown
  #finished = false

  constructor(options: SinkOptions) {
    this.#options = options
  }

  write(chunk: Uint8Array): true | Promise<true> {
    if (this.#failure !== undefined) return this.#rejected()
    if (this.#finished) throw new Error('the document has ended')
    if (chunk.byteLength === 0) return true
    this.#size += chunk.byteLength
    if (this.#size > this.#options.maxBytes) {
      this.#failure = new GatewayError('over-limit', {
        detail: `A document is larger than ${this.#options.maxBytes} bytes, the limit here: send a smaller document.`,
      })
      return this.#rejected()
    }
    this.#hash.update(chunk)
    this.#gather(chunk)
    if (this.#path === undefined && !this.#fitsInMemory(chunk.byteLength)) this.#path = this.#newPath()
    if (this.#path === undefined || this.#pendingBytes < batch) return true
    if (this.#writing === undefined) {
      this.#flush()
      return true
    }
    return this.#writing.then(() => {
      if (this.#failure !== undefined) return this.#rejected()
      if (this.#pendingBytes >= batch) this.#flush()
      return true
    })
  }

  async end(): Promise<Spooled> {
    if (this.#failure !== undefined) return this.#rejected()
    if (this.#finished) throw new Error('the document has ended')
    this.#finished = true
    const path = this.#path
    if (path === undefined) return this.#inMemory()
    await this.#writing
    if (this.#failure === undefined && this.#pendingBytes > 0) this.#flush()
    await this.#writing
    await this.#close()
    if (this.#failure !== undefined) return this.#rejected()
    return {
      size: this.#size,
      sha1: this.#hash.digest('hex'),
      path,
      stream: (range) => createReadStream(path, { ...range, highWaterMark: 4 * piece }),
      dispose: () => remove(path),
    }
  }

  async abort(): Promise<void> {
    this.#finished = true
    this.#failure ??= new Error('the document was given up')
    await this.#writing
    await this.#close()
    if (this.#path !== undefined) await remove(this.#path)
    this.#release()
    this.#pending = []
  }

  async #rejected(): Promise<never> {
    const failure = this.#failure
    await this.abort()
    throw failure
  }

  #gather(chunk: Uint8Array): void {
    this.#pendingBytes += chunk.byteLength
    if (chunk.byteLength >= small) {
      this.#sealTail()
      this.#pending.push(chunk)
      return
    }
    if (this.#tail !== undefined && this.#tailUsed + chunk.byteLength > this.#tail.length) this.#sealTail()
    this.#tail ??= Buffer.allocUnsafe(4 * small)
    this.#tail.set(chunk, this.#tailUsed)
    this.#tailUsed += chunk.byteLength
  }

  #sealTail(): void {
    if (this.#tail !== undefined) this.#pending.push(this.#tail.subarray(0, this.#tailUsed))
    this.#tail = undefined
    this.#tailUsed = 0
  }

  #fitsInMemory(added: number): boolean {
    const { memory, memoryLimit } = this.#options
    if (this.#size > memoryLimit || memory.held + added > memory.total) {
      this.#release()
      return false
    }
    memory.held += added
    this.#held += added
    return true
  }

  #release(): void {
    this.#options.memory.held -= this.#held
    this.#held = 0
  }

  #newPath(): string {
    return join(this.#options.directory, `${randomUUID()}${this.#options.suffix}`)
  }

  #inMemory(): Spooled {
    // A copy: a piece of a request may keep a much larger receive buffer alive
    this.#sealTail()
    const bytes = Buffer.concat(this.#pending, this.#size)
    this.#pending = []
    return {
      size: bytes.length,
      sha1: this.#hash.digest('hex'),
      bytes,
      stream: (range) =>
        Readable.from(pieces(range ? bytes.subarray(range.start, range.end + 1) : bytes), { objectMode: false }),
      dispose: async () => this.#release(),
    }
  }

  #flush(): void {
    this.#sealTail()
    const pending = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    this.#writing = this.#append(pending)
      .catch((error: unknown) => {
        this.#failure ??= new GatewayError('store-unavailable', { cause: error })
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  async #append(buffers: Uint8Array[]): Promise<void> {
    // wx: never through a link or a file that is already there
    this.#file ??= await open(this.#path as string, 'wx', 0o600)
    let rest = buffers
    while (rest.length > 0) {
      const { bytesWritten } = await this.#file.writev(rest)
      rest = after(rest, bytesWritten)
    }
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    try {
      await file?.close()
    } catch (error) {
      this.#failure ??= new GatewayError('store-unavailable', { cause: error })
    }
  }
}

/** What is left of the buffers once the first `written` bytes are gone. */
function after(buffers: Uint8Array[], written: number): Uint8Array[] {
  let skip = written
  for (let index = 0; index < buffers.length; index++) {
    const buffer = buffers[index] as Uint8Array
    if (skip < buffer.byteLength) return [buffer.subarray(skip), ...buffers.slice(index + 1)]
    skip -= buffer.byteLength
  }
  return []
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += piece) yield bytes.subarray(start, start + piece)
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
