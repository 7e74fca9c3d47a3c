/**
 * The embedded DMP alone, below the doors.
 * P2: the gain of group commit where a sync takes 4 ms: submissions a second of 64 callers against one.
 * P3: submissions of one entry and 5 KB, 32 at once (one commit), against a log that appends the same bytes and syncs.
 * P11: the time of a search with many documents stored against few (100,000 and 2,000 here; the goal is for 10⁶ and 10⁴).
 * Five interleaved rounds, median; a spread over 2 gives no verdict. Run: node bench/store.ts
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, writevSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { type EmbeddedDmp, openEmbeddedDmp } from '../src/dmp/embedded/index.ts'
import { cxOf } from '../src/metadata/hl7.ts'
import { type EntryUuid, type PatientKey, patientKey } from '../src/metadata/identifiers.ts'
import type { Submission } from '../src/metadata/model.ts'
import type { AccessRecord, DocumentContent } from '../src/operations/ports.ts'
import {
  aDocumentEntry,
  aSubmission,
  aSubmissionSet,
  insAuthority,
  repositoryUniqueId,
  sha1,
} from '../test/mothers/metadata.ts'

const rounds = 5
const together = 32
const documentBytes = 5 * 1024

interface Measure {
  readonly name: string
  readonly floor: number
  readonly goal: number
  readonly ratios: readonly number[]
  /** A cost: the smaller the better. */
  readonly atMost?: boolean
}

interface Work {
  readonly submission: Submission
  readonly contents: ReadonlyMap<EntryUuid, DocumentContent>
  readonly record: AccessRecord
}

export async function benchStore(): Promise<readonly Measure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-bench-'))
  try {
    return [await groupCommit(folder), await againstLog(folder), await search(folder)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function groupCommit(folder: string): Promise<Measure> {
  const store = await opened(path.join(folder, 'p2'), 4)
  const ratios: number[] = []
  let expected = 0
  for (let round = 0; round <= rounds; round++) {
    const alone = await perSecond(works(40), 1, (work) => feed(store, work))
    const many = await perSecond(works(64 * 12), 64, (work) => feed(store, work))
    expected += 40 + 64 * 12
    if (round > 0) ratios.push(many / alone)
  }
  await counted(store, expected)
  return { name: 'P2 group commit with a sync of 4 ms, 64 callers / 1', floor: 5, goal: 10, ratios }
}

async function againstLog(folder: string): Promise<Measure> {
  const store = await opened(path.join(folder, 'p3'))
  const log = openSync(path.join(folder, 'log'), 'w')
  const ratios: number[] = []
  const count = together * 30
  for (let round = 0; round <= rounds; round++) {
    const prepared = works(count)
    const lines = prepared.map(bytesOf)
    const start = process.hrtime.bigint()
    for (let at = 0; at < count; at += together) {
      writevSync(log, lines.slice(at, at + together).flat())
      fdatasyncSync(log)
    }
    const logged = count / seconds(start)
    const stored = await perSecond(prepared, together, (work) => feed(store, work), true)
    if (round > 0) ratios.push(stored / logged)
  }
  closeSync(log)
  await counted(store, count * (rounds + 1))
  return { name: 'P3 store, 32 entries a commit / fsync-bound log of the same bytes', floor: 0.2, goal: 0.4, ratios }
}

async function search(folder: string): Promise<Measure> {
  const [few, many] = [
    { size: 2000, name: 'few' },
    { size: 100_000, name: 'many' },
  ]
  const stores = []
  for (const { size, name } of [few, many]) {
    const store = await opened(path.join(folder, name))
    await perSecond(works(size, Math.floor(size / 50), 0), 256, (work) => feed(store, work))
    stores.push({ store, patients: Math.floor(size / 50) })
  }
  const ratios: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const medians = []
    for (const { store, patients } of stores) {
      const times: number[] = []
      for (let each = 0; each < 400; each++) {
        const start = process.hrtime.bigint()
        await store.dmp.find({
          kind: 'FindDocuments',
          patient: patient((each * 7919) % patients),
          statuses: ['Approved'],
          criteria: { stability: ['stable'] },
        })
        times.push(seconds(start))
      }
      medians.push(median(times))
    }
    if (round > 0) ratios.push((medians[1] ?? 0) / (medians[0] ?? 1))
  }
  for (const { store } of stores) await store.close()
  return { name: 'P11 search at 100,000 documents / at 2,000', floor: 1.5, goal: 1.2, ratios, atMost: true }
}

async function opened(directory: string, syncDelayMs = 0): Promise<EmbeddedDmp> {
  const store = await openEmbeddedDmp({ directory, repositoryUniqueId, syncDelayMs })
  await Promise.all(
    Array.from({ length: 2000 }, (_, index) =>
      store.dmp.open(patient(index), { given: [] }, record(patient(index), [])),
    ),
  )
  return store
}

/** A load ends by counting: every answer is a record of the trace, and the trace is whole. */
async function counted(store: EmbeddedDmp, submissions: number): Promise<void> {
  const verdict = await store.verify()
  if (!verdict.whole || verdict.records !== submissions + 2000)
    throw new Error(`${submissions} submissions answered, the trace says ${JSON.stringify(verdict)}`)
  await store.close()
}

async function feed({ dmp }: EmbeddedDmp, { submission, contents, record }: Work): Promise<void> {
  await dmp.feed(submission, contents, record)
}

function works(count: number, patients = 2000, size = documentBytes): Work[] {
  return Array.from({ length: count }, (_, index): Work => {
    const key = patient(index % patients)
    const bytes = randomBytes(size)
    const content: DocumentContent = { size, sha1: sha1(bytes), bytes, stream: () => Readable.from([bytes]) }
    const entry = aDocumentEntry({ patientId: cxOf(key, 'NH'), hash: content.sha1, size })
    const submission = aSubmission({ entries: [entry], submissionSet: aSubmissionSet({ patientId: cxOf(key, 'NH') }) })
    return { submission, contents: new Map([[entry.entryUuid, content]]), record: record(key, submission.entries) }
  })
}

function patient(index: number): PatientKey {
  return patientKey(insAuthority, String(260059900000000 + index))
}

function record(key: PatientKey, documents: AccessRecord['documents']): AccessRecord {
  return {
    id: crypto.randomUUID(),
    at: new Date().toISOString(),
    operation: 'TD2.1',
    door: 'xds',
    transaction: 'ITI-41',
    requestId: crypto.randomUUID(),
    caller: {
      kind: 'structure',
      authentication: 'indirect',
      structure: { id: '1010099999', name: 'CH EXEMPLE' },
      specialities: [],
      regulation: false,
      secretConnection: false,
      proof: 'vihf',
    },
    purpose: 'normal',
    declaration: { informed: true },
    patient: key,
    documents: documents.map(({ logicalId, uniqueId }) => ({ logicalId, uniqueId })),
    outcome: 'permitted',
    effects: { notifications: [] },
  }
}

/** What the store must keep of one submission, as bytes. */
function bytesOf({ submission, contents, record: access }: Work): Buffer[] {
  const { submissionSet, entries, associations } = submission
  const objects = [submissionSet, ...entries, ...associations, access].map((each) => Buffer.from(JSON.stringify(each)))
  return [...objects, ...[...contents.values()].map(({ bytes }) => bytes ?? Buffer.alloc(0))]
}

/** @param inStep all callers wait for the slowest before the next turn: one commit a turn */
async function perSecond(
  all: readonly Work[],
  callers: number,
  run: (work: Work) => Promise<void>,
  inStep = false,
): Promise<number> {
  const start = process.hrtime.bigint()
  if (inStep) {
    for (let at = 0; at < all.length; at += callers) await Promise.all(all.slice(at, at + callers).map(run))
  } else {
    let next = 0
    const caller = async (): Promise<void> => {
      for (let work = all[next++]; work !== undefined; work = all[next++]) await run(work)
    }
    await Promise.all(Array.from({ length: callers }, caller))
  }
  return all.length / seconds(start)
}

function seconds(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e9
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

if (import.meta.main) {
  for (const { name, floor, goal, ratios, atMost } of await benchStore()) {
    const spread = Math.max(...ratios) / Math.min(...ratios)
    const value = median(ratios)
    const reaches = (limit: number): boolean => (atMost === true ? value <= limit : value >= limit)
    const verdict = spread > 2 ? 'no verdict' : reaches(goal) ? 'goal' : reaches(floor) ? 'floor' : 'below the floor'
    console.log(`${name}: ${value.toFixed(2)} (floor ${floor}, goal ${goal}, spread ${spread.toFixed(2)}): ${verdict}`)
  }
}
