import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import fc from 'fast-check'
import { GatewayError } from '../../src/errors.ts'
import { createSpool } from '../../src/spool/index.ts'

const kib = 1024
const coded =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof GatewayError && error.code === code

function pattern(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff))
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collected(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('spool', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dmp-spool-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const files = (): string[] => readdirSync(directory)
  const spoolOf = (options: { memoryLimit?: number; memoryTotal?: number; maxBytes?: number } = {}) =>
    createSpool({ directory, maxBytes: 64 * 1024 * kib, ...options })

  for (const [title, size] of [
    ['nothing', 0],
    ['one byte', 1],
    ['a document at the memory limit', 256 * kib],
  ] as const)
    it(`keeps ${title} in memory`, async () => {
      const bytes = pattern(size)
      const spooled = await spoolOf().receive(inChunks(bytes, 1000))
      assert.deepEqual(spooled.bytes, bytes)
      assert.equal(spooled.path, undefined)
      assert.equal(spooled.size, size)
      assert.equal(spooled.sha1, createHash('sha1').update(bytes).digest('hex'))
      assert.deepEqual(await collected(spooled.stream()), bytes)
      assert.deepEqual(files(), [])
    })

  for (const [title, size, chunk] of [
    ['one byte above the memory limit', 256 * kib + 1, 1000],
    ['several batches', 5 * 1024 * kib + 17, 64 * kib],
    ['chunks larger than a batch', 5 * 1024 * kib, 3 * 1024 * kib],
  ] as const)
    it(`sends a document to a file of its owner alone: ${title}`, async () => {
      const bytes = pattern(size)
      const spooled = await spoolOf().receive(inChunks(bytes, chunk))
      assert(spooled.path !== undefined && spooled.bytes === undefined)
      assert.deepEqual(readFileSync(spooled.path), bytes)
      assert.equal(statSync(spooled.path).mode & 0o777, 0o600)
      assert.equal(spooled.size, size)
      assert.equal(spooled.sha1, createHash('sha1').update(bytes).digest('hex'))
      assert.deepEqual(await collected(spooled.stream()), bytes)
      await spooled.dispose()
      assert.deepEqual(files(), [])
    })

  it('streams any range, from memory and from a file', async () => {
    const bytes = pattern(10_000)
    for (const memoryLimit of [20_000, 100]) {
      const spooled = await spoolOf({ memoryLimit }).receive(inChunks(bytes, 700))
      await fc.assert(
        fc.asyncProperty(fc.nat(9_999), fc.nat(9_999), async (one, other) => {
          const range = { start: Math.min(one, other), end: Math.max(one, other) }
          assert.deepEqual(await collected(spooled.stream(range)), bytes.subarray(range.start, range.end + 1))
        }),
        { numRuns: 20 },
      )
      await spooled.dispose()
    }
  })

  it('copies what arrives in small chunks, byte by byte', async () => {
    const bytes = pattern(20_000)
    const spooled = await spoolOf({ memoryLimit: 10_000 }).receive(inChunks(bytes, 1))
    assert.deepEqual(await collected(spooled.stream()), bytes)
  })

  it('writes any mixture of chunk sizes in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.nat(20), fc.nat(9000)), { maxLength: 30 }), async (sizes) => {
        const chunks = sizes.map((size, index) => Buffer.alloc(size, index))
        const sink = spoolOf({ memoryLimit: 8 * kib }).sink()
        for (const chunk of chunks) await sink.write(chunk)
        const spooled = await sink.end()
        assert.deepEqual(await collected(spooled.stream()), Buffer.concat(chunks))
        await spooled.dispose()
      }),
      { numRuns: 30 },
    )
  })

  for (const memoryLimit of [10, 10_000])
    it(`refuses a document at the first byte above its limit (memory up to ${memoryLimit})`, async () => {
      const spool = spoolOf({ maxBytes: 1000, memoryLimit })
      assert.equal((await spool.receive(inChunks(pattern(1000), 100))).size, 1000)
      const sink = spool.sink()
      for (let written = 0; written < 10; written++) await sink.write(pattern(100))
      const before = files().length
      await assert.rejects(async () => sink.write(Buffer.from('x')), coded('over-limit'))
      await assert.rejects(async () => sink.write(Buffer.from('x')), coded('over-limit'))
      await assert.rejects(sink.end(), coded('over-limit'))
      assert(files().length <= before)
      await assert.rejects(spool.receive(inChunks(pattern(1001), 100)), coded('over-limit'))
      await assert.rejects(
        async () => spool.sink(5).write(pattern(6)),
        coded('over-limit'),
        'a lower limit for one sink',
      )
    })

  it('leaves nothing behind when the source fails or the sink is given up', async () => {
    const spool = spoolOf({ memoryLimit: 10 })
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield pattern(3 * 1024 * kib)
      throw new Error('connection lost')
    }
    await assert.rejects(spool.receive(failing()), /connection lost/)
    const sink = spool.sink()
    await sink.write(pattern(2 * 1024 * kib))
    await sink.abort()
    await sink.abort()
    assert.deepEqual(files(), [])
  })

  it('leaves a file alone that a store has renamed away', async () => {
    const spooled = await spoolOf({ memoryLimit: 10 }).receive(inChunks(pattern(100), 100))
    const kept = join(directory, 'kept')
    renameSync(spooled.path ?? '', kept)
    await spooled.dispose()
    await spooled.dispose()
    assert(existsSync(kept))
  })

  it('bounds the memory of all documents together, and gives it back', async () => {
    const spool = spoolOf({ memoryLimit: 100, memoryTotal: 250 })
    const first = await spool.receive(inChunks(pattern(100), 10))
    const second = await spool.receive(inChunks(pattern(100), 10))
    const third = await spool.receive(inChunks(pattern(100), 10))
    assert(first.bytes && second.bytes && third.path)
    await second.dispose()
    await second.dispose()
    const fourth = await spool.receive(inChunks(pattern(100), 10))
    const fifth = await spool.receive(inChunks(pattern(100), 10))
    assert(fourth.bytes && fifth.path)
    for (const each of [third, fifth]) assert.deepEqual(await collected(each.stream()), pattern(100))
  })

  it('says that the store is not available when the directory cannot be written', async () => {
    const spool = spoolOf({ memoryLimit: 10 })
    rmSync(directory, { recursive: true })
    await assert.rejects(spool.receive(inChunks(pattern(100), 10)), coded('store-unavailable'))
    const sink = spool.sink()
    await assert.rejects(async () => {
      for (let written = 0; written < 8; written++) await sink.write(pattern(1024 * kib))
    }, coded('store-unavailable'))
  })

  it('sweeps what a crash has left, and only that', async () => {
    const spool = spoolOf({ memoryLimit: 10 })
    await spool.receive(inChunks(pattern(100), 10))
    await spool.sink().write(pattern(100))
    writeFileSync(join(directory, 'other'), '')
    assert.equal(await spoolOf().sweep(), 1)
    assert.deepEqual(files(), ['other'])
    assert.equal(await spool.sweep(), 0)
  })
})
