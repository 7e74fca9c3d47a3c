/**
 * P10: resident memory of the gateway over idle while one large document goes in and out through every door, as a stream
 * on both sides. Ends with 1 when a transaction takes more than 150 MiB over idle.
 * Run: npm run bench:memory -- --megabytes 200
 */
import { createHash, type Hash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { mintJwt } from '../src/identity/mint.ts'
import type { EntryUuid } from '../src/metadata/identifiers.ts'
import { consentHeader } from '../test/support/fhir-client.ts'
import {
  aDocument,
  declared,
  people,
  submissionOf,
  type TestDocument,
  type TestPatient,
} from '../test/support/gateway.ts'
import { send } from '../test/support/http.ts'
import { composeMtom, streamMtom } from '../test/support/mtom.ts'
import { simplifiedPublish } from '../test/support/resources.ts'
import { contentId, provideBody, retrieveBody } from '../test/support/xds-client.ts'
import { type BenchGateway, startGateway } from './servers.ts'

export const memoryFloor = 150
export const memoryGoal = 60
const mebi = 1024 * 1024

export interface MemoryUse {
  readonly name: string
  /** MiB over idle, at most. */
  readonly overIdle: number
  readonly seconds: number
}

/** A document that nobody holds: the same block again and again, each time with another number in front. */
class LargeDocument {
  readonly size: number
  readonly #block = randomBytes(mebi)
  readonly #blocks: number

  constructor(megabytes: number) {
    this.#blocks = megabytes
    this.size = megabytes * mebi
  }

  *chunks(): Generator<Buffer> {
    for (let index = 0; index < this.#blocks; index++) {
      const block = Buffer.from(this.#block)
      block.writeUInt32BE(index)
      yield block
    }
  }

  /** In pieces of whole 3-byte groups, so that they join to one base64 text. */
  *base64(): Generator<Buffer> {
    let rest = Buffer.alloc(0)
    for (const chunk of this.chunks()) {
      const bytes = Buffer.concat([rest, chunk])
      const whole = bytes.length - (bytes.length % 3)
      rest = bytes.subarray(whole)
      yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1')
    }
    if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1')
  }

  digest(): string {
    const hash = createHash('sha1')
    for (const chunk of this.chunks()) hash.update(chunk)
    return hash.digest('hex')
  }
}

/** Sends `megabytes` through every door and back. Throws when other bytes come back. */
export async function measureMemory(
  megabytes: number,
): Promise<{ readonly idle: number; readonly uses: readonly MemoryUse[] }> {
  const gateway = await startGateway()
  let answers = 0
  const stored = new Map()
  try {
    const whose = await gateway.patient()
    answers += 1
    const transfer = new Transfer(gateway, whose)
    const run = async (document: LargeDocument): Promise<readonly MemoryUse[]> => {
      const byXds = aDocument(whose, { hash: undefined, size: undefined, mimeType: 'application/pdf' })
      const byFhir = aDocument(whose, { hash: undefined, size: undefined, mimeType: 'application/pdf' })
      const hash = document.digest()
      let published: EntryUuid | undefined
      const steps: readonly (readonly [string, () => Promise<void>])[] = [
        ['ITI-41 in', () => transfer.provide(byXds, document)],
        ['ITI-43 out', () => transfer.retrieveByXds(byXds, document, hash)],
        [
          'ITI-105 in',
          async () => {
            published = await transfer.publish(byFhir, document)
          },
        ],
        ['ITI-68 out', () => transfer.retrieveByFhir(published ?? byFhir.entry.entryUuid, hash)],
      ]
      const uses: MemoryUse[] = []
      for (const [name, step] of steps) uses.push(await watched(name, gateway.pid, idle, step))
      answers += steps.length
      stored.set(whose.key, (stored.get(whose.key) ?? 0) + 2)
      return uses
    }
    let idle = 0
    await run(new LargeDocument(1))
    idle = resident(gateway.pid)
    return { idle, uses: await run(new LargeDocument(megabytes)) }
  } finally {
    await gateway.close({ answers, documents: stored })
  }
}

/** What `step` makes of the resident memory of a process: its peak over `idle`. */
async function watched(name: string, pid: number, idle: number, step: () => Promise<void>): Promise<MemoryUse> {
  let peak = resident(pid)
  const sampling = setInterval(() => {
    peak = Math.max(peak, resident(pid))
  }, 20)
  const start = performance.now()
  try {
    await step()
  } finally {
    clearInterval(sampling)
  }
  return {
    name,
    overIdle: Math.max(0, Math.max(peak, resident(pid)) - idle),
    seconds: (performance.now() - start) / 1000,
  }
}

/** MiB. */
function resident(pid: number): number {
  const [, kibi = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibi) / 1024
}

/** One document through each transaction; the client holds a block of it at a time. */
class Transfer {
  readonly #gateway: BenchGateway
  readonly #patient: TestPatient

  constructor(gateway: BenchGateway, patient: TestPatient) {
    this.#gateway = gateway
    this.#patient = patient
  }

  async provide({ entry, bytes }: TestDocument, document: LargeDocument): Promise<void> {
    const { xds } = this.#gateway
    const body = provideBody(submissionOf([{ entry, bytes }]), [entry])
    const who = { ...people.structure, ins: this.#patient.ins }
    const envelope = xds.envelope(who, { transaction: 'ITI-41', body, consent: declared.informed })
    const part = { contentId: contentId(entry), contentType: entry.mimeType }
    const message = streamMtom(envelope, part, document.chunks())
    const reply = await send(xds.endpoint('ITI-41'), {
      headers: { 'Content-Type': message.contentType },
      body: message.body,
    })
    if (!reply.bytes.includes('ResponseStatusType:Success')) throw new Error(`ITI-41: ${reply.bytes}`)
  }

  async retrieveByXds({ entry }: TestDocument, { size }: LargeDocument, hash: string): Promise<void> {
    const { xds } = this.#gateway
    const { ins } = this.#patient
    const request = { transaction: 'ITI-43', body: retrieveBody([entry.uniqueId]) } as const
    const message = composeMtom(xds.envelope({ kind: 'patient', ins }, request))
    const part = new SecondPart(size)
    await send(xds.endpoint('ITI-43'), {
      headers: { 'Content-Type': message.contentType },
      body: message.body,
      onData: (chunk) => part.take(chunk),
    })
    if (part.digest() !== hash) throw new Error('ITI-43 gave other bytes')
  }

  async publish(fed: TestDocument, document: LargeDocument): Promise<EntryUuid> {
    const { fhir, issuer } = this.#gateway
    const mark = 'THE-DOCUMENT'
    const [before = '', after = ''] = JSON.stringify(simplifiedPublish({ ...fed, bytes: Buffer.from(mark) })).split(
      Buffer.from(mark).toString('base64'),
    )
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from(before)
      yield* document.base64()
      yield Buffer.from(after)
    }
    const { status, headers, bytes } = await send(`${fhir.base}/DocumentReference`, {
      headers: {
        'Content-Type': 'application/fhir+json',
        Authorization: `Bearer ${await mintJwt(issuer, people.structure)}`,
        'DMP-Consent': consentHeader(declared.informed),
      },
      body: body(),
    })
    const id = /DocumentReference\/([0-9a-f-]{36})/.exec(headers.location ?? '')?.[1]
    if (status !== 201 || id === undefined) throw new Error(`ITI-105: ${status} ${bytes}`)
    return `urn:uuid:${id}` as EntryUuid
  }

  async retrieveByFhir(logicalId: EntryUuid, expected: string): Promise<void> {
    const { fhir, issuer } = this.#gateway
    const hash = createHash('sha1')
    const token = await mintJwt(issuer, this.#patient.identity)
    const { status } = await send(`${fhir.base}/Binary/${logicalId.slice('urn:uuid:'.length)}`, {
      method: 'GET',
      headers: { Authorization: `Bearer ${token}` },
      onData: (chunk) => hash.update(chunk),
    })
    if (status !== 200 || hash.digest('hex') !== expected) throw new Error(`ITI-68 gave other bytes (${status})`)
  }
}

/** The bytes of the second part of a multipart answer, hashed as they come. */
class SecondPart {
  readonly #size: number
  readonly #hash: Hash = createHash('sha1')
  #head: Buffer | undefined = Buffer.alloc(0)
  #taken = 0

  constructor(size: number) {
    this.#size = size
  }

  take(chunk: Buffer): void {
    let bytes = chunk
    if (this.#head !== undefined) {
      this.#head = Buffer.concat([this.#head, chunk])
      const root = this.#head.indexOf('\r\n\r\n')
      const second = this.#head.indexOf('\r\n\r\n', root + 4)
      if (root < 0 || second < 0) return
      bytes = this.#head.subarray(second + 4)
      this.#head = undefined
    }
    const own = bytes.subarray(0, this.#size - this.#taken)
    this.#taken += own.length
    this.#hash.update(own)
  }

  digest(): string {
    return this.#hash.digest('hex')
  }
}

if (import.meta.main) {
  const args = process.argv.slice(2).filter((arg) => arg !== '--')
  const { values } = parseArgs({ args, options: { megabytes: { type: 'string', default: '200' } } })
  const megabytes = Number(values.megabytes)
  if (!Number.isInteger(megabytes) || megabytes < 1) throw new RangeError('--megabytes: a whole number is expected')
  const { idle, uses } = await measureMemory(megabytes)
  console.log(`${megabytes} MiB through every door; idle ${idle.toFixed(0)} MiB resident`)
  for (const { name, overIdle, seconds } of uses) {
    const speed = (megabytes / seconds).toFixed(0)
    console.log(
      `  ${name.padEnd(10)}  +${overIdle.toFixed(0).padStart(3)} MiB  ${seconds.toFixed(1)} s (${speed} MiB/s)`,
    )
  }
  const most = Math.max(...uses.map(({ overIdle }) => overIdle))
  const verdict = most <= memoryGoal ? 'goal reached' : most <= memoryFloor ? 'above floor' : 'BELOW FLOOR'
  console.log(`at most ${most.toFixed(0)} MiB over idle (floor ${memoryFloor}, goal ${memoryGoal}): ${verdict}`)
  process.exitCode = most > memoryFloor ? 1 : 0
}
