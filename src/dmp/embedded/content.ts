/**
 * The bytes of documents. Up to 256 KiB they lie in the database and commit with their entry. Larger ones are files,
 * `content/xx/<uuid>`: made durable first, then committed with their entry; a file without a row is what a crash left.
 * Two entries with the same bytes have two copies: removing one never asks who else needs it.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GatewayError } from '../../errors.ts'
import type { DocumentContent } from '../../operations/ports.ts'
import type { PreparedContent } from './commands.ts'

/** Bytes of a document kept in the database. */
export const INLINE_LIMIT = 256 * 1024
/** Bytes read from a file at once. */
const CHUNK = 256 * 1024
/** Files whose hash was checked whole in this process; a range of one of them is not checked again. */
const REMEMBERED = 10_000

type Range = { readonly start: number; readonly end: number }

export interface StoredContent {
  readonly sha1: string
  readonly size: number
  readonly bytes: Uint8Array | undefined
  readonly file: string | undefined
}

export interface ContentStore {
  /** Bytes on their way in: durable as a file, or ready for the transaction. Takes a file over by renaming it. */
  take(content: DocumentContent): Promise<PreparedContent>
  /** Removes the file of a document that was certainly not stored. */
  release(file: string): Promise<void>
  /**
   * Bytes on their way out. Small ones are checked against their hash now; large ones while they stream: the last chunk
   * is given only after the whole was right, else the stream fails. Throws GatewayError `internal` where bytes are
   * missing or changed.
   */
  give(stored: StoredContent): Promise<DocumentContent>
  /** Removes files no row knows; only while nothing is being fed. Gives their number. */
  sweep(isKnown: (file: string) => boolean): Promise<number>
}

export function createContentStore(directory: string): ContentStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const verified = new Set<string>()
  const folders = new Set<string>()
  const folderOf = (file: string): string => join(directory, file.slice(0, 2))
  const pathOf = (file: string): string => join(folderOf(file), file)

  const folderFor = async (file: string): Promise<string> => {
    const folder = folderOf(file)
    if (!folders.has(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await syncFolder(directory)
      folders.add(folder)
    }
    return folder
  }

  return {
    async take(content) {
      const { sha1, size } = content
      if (size <= INLINE_LIMIT) return { sha1, size, bytes: await bytesOf(content), file: undefined }
      const file = randomUUID()
      const folder = await folderFor(file)
      try {
        await moveInto(pathOf(file), content)
        await syncFolder(folder)
      } catch (error) {
        await unlink(pathOf(file)).catch(() => {})
        throw new GatewayError('store-unavailable', { cause: error })
      }
      return { sha1, size, bytes: undefined, file }
    },

    async release(file) {
      await unlink(pathOf(file)).catch(() => {})
    },

    async give({ sha1, size, bytes, file }) {
      if (bytes !== undefined) return givenBytes(sha1, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      if (file === undefined) throw damaged('its bytes are missing')
      const path = pathOf(file)
      const found = await stat(path).catch((error: unknown) => {
        throw damaged('its file is missing', error)
      })
      if (found.size !== size) throw damaged('its file has another size')
      const remember = (): void => {
        if (verified.size >= REMEMBERED) verified.clear()
        verified.add(file)
      }
      return {
        sha1,
        size,
        stream: (range) =>
          streamOf(
            range === undefined ? whole(path, sha1, remember) : part(path, sha1, range, verified.has(file), remember),
          ),
      }
    },

    async sweep(isKnown) {
      let removed = 0
      for (const folder of await readdir(directory)) {
        if (!/^[0-9a-f]{2}$/.test(folder)) continue
        for (const name of await readdir(join(directory, folder))) {
          if (isKnown(name)) continue
          await unlink(join(directory, folder, name))
          removed++
        }
      }
      return removed
    },
  }
}

async function bytesOf(content: DocumentContent): Promise<Uint8Array> {
  const bytes =
    content.bytes ??
    (content.path === undefined ? Buffer.concat(await content.stream().toArray()) : await readFile(content.path))
  if (bytes.length !== content.size) throw new GatewayError('internal', { cause: new Error('size of a document') })
  return bytes
}

/** Puts the bytes at `target`, durable but for the folder's own entry. */
async function moveInto(target: string, content: DocumentContent): Promise<void> {
  if (content.path === undefined) {
    const source = content.bytes === undefined ? content.stream() : Readable.from([content.bytes])
    await pipeline(source, createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true }))
  } else {
    await syncFile(content.path)
    try {
      await rename(content.path, target)
    } catch (error) {
      // The spool is on another file system: copied, and left to the spool to remove.
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      await copyFile(content.path, target)
      await syncFile(target)
    }
  }
  if ((await stat(target)).size !== content.size) throw new Error('the file does not have the size of the document')
}

async function syncFile(path: string): Promise<void> {
  await using handle = await open(path, 'r+')
  await handle.datasync()
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

function givenBytes(sha1: string, bytes: Buffer): DocumentContent {
  if (createHash('sha1').update(bytes).digest('hex') !== sha1) throw damaged('its bytes do not match their hash')
  return {
    sha1,
    size: bytes.length,
    bytes,
    stream: (range) =>
      Readable.from([range === undefined ? bytes : bytes.subarray(range.start, range.end + 1)], { objectMode: false }),
  }
}

function streamOf(chunks: AsyncIterable<Buffer>): Readable {
  return Readable.from(chunks, { objectMode: false, highWaterMark: CHUNK })
}

async function* whole(path: string, sha1: string, remember: () => void): AsyncGenerator<Buffer> {
  const hash = createHash('sha1')
  let held: Buffer | undefined
  for await (const chunk of chunksOf(path)) {
    hash.update(chunk)
    if (held !== undefined) yield held
    held = chunk
  }
  if (hash.digest('hex') !== sha1) throw damaged('its file does not match its hash')
  remember()
  if (held !== undefined) yield held
}

/** A part says nothing of the hash of the whole: the whole is read once before the first part of it is given. */
async function* part(
  path: string,
  sha1: string,
  range: Range,
  isVerified: boolean,
  remember: () => void,
): AsyncGenerator<Buffer> {
  if (!isVerified) for await (const _ of whole(path, sha1, remember));
  yield* chunksOf(path, range)
}

async function* chunksOf(
  path: string,
  range: Range = { start: 0, end: Number.MAX_SAFE_INTEGER },
): AsyncGenerator<Buffer> {
  await using handle = await open(path, 'r')
  for (let position = range.start; position <= range.end; ) {
    const wanted = Math.min(CHUNK, range.end - position + 1)
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, position)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}

function damaged(what: string, cause?: unknown): GatewayError {
  return new GatewayError('internal', { cause: new Error(`a stored document is damaged: ${what}`, { cause }) })
}
