/**
 * The whole gateway, identity, guard and trace on, against bare node:http that takes the same requests and sends the same
 * bytes: P1 durable ITI-41, P4 ITI-18, P5 ITI-67, P6 ITI-68 and ITI-43; and P7, a large ITI-41 against SHA-1 of its bytes.
 * Run: node bench/doors.ts
 */
import { createHash, randomBytes } from 'node:crypto'
import { mintJwt } from '../src/identity/mint.ts'
import type { PatientKey } from '../src/metadata/identifiers.ts'
import {
  aDocument,
  declared,
  people,
  submissionOf,
  type TestDocument,
  type TestPatient,
} from '../test/support/gateway.ts'
import { composeMtom } from '../test/support/mtom.ts'
import {
  contentId,
  provideBody,
  queryBody,
  retrieveBody,
  storedQueries,
  type XdsRequest,
} from '../test/support/xds-client.ts'
import { ask, bodyOf, headerOf, load, onTheWire, type Prepared } from './load.ts'
import { type Measure, median, rounds, table } from './measure.ts'
import { type BenchGateway, type Echo, processorTime, startEcho, startGateway } from './servers.ts'

const callers = 16
const feedBytes = 24 * 1024
const smallBytes = 5 * 1024
const largeBytes = 20 * 1024 * 1024
const entries = 50

/** One load on a server, with the processor time it took there. */
async function timed(
  server: { readonly port: number; readonly pid: number },
  requests: readonly Buffer[],
  accept?: (answer: Buffer) => boolean,
): Promise<{ readonly perSecond: number; readonly cost: number }> {
  const before = processorTime(server.pid) ?? Number.NaN
  const { perSecond } = await load(server.port, requests, callers, accept)
  return { perSecond, cost: ((processorTime(server.pid) ?? Number.NaN) - before) / requests.length }
}

/** Processor time of a request here and of the echo: for a reader on a busy machine. */
function costs(ours: readonly number[], limit: readonly number[]): string {
  return Number.isNaN(median(ours)) ? '' : `, ${median(ours).toFixed(2)} ms CPU (echo ${median(limit).toFixed(2)})`
}

interface Bench {
  readonly gateway: BenchGateway
  readonly echo: Echo
  readonly stored: Map<PatientKey, number>
  answers: number
}

/** @param options for the node of the gateway: `--cpu-prof` */
export async function benchDoors(options: readonly string[] = [], only = /./): Promise<readonly Measure[]> {
  const bench: Bench = { gateway: await startGateway(options), echo: await startEcho(), stored: new Map(), answers: 0 }
  const measures: Measure[] = []
  try {
    for (const [name, run] of [
      ['P1', feeding],
      ['P4', searchByXds],
      ['P5', searchByFhir],
      ['P6', retrievals],
      ['P7', largeFeed],
    ] as const)
      if (only.test(name)) measures.push(...(await run(bench)))
  } finally {
    await bench.echo.close()
    await bench.gateway.close({ answers: bench.answers, documents: bench.stored })
  }
  return measures
}

async function feeding(bench: Bench): Promise<readonly Measure[]> {
  const count = 480
  const patients = await Promise.all(Array.from({ length: 40 }, () => patient(bench)))
  const ratios: number[] = []
  const feeds: number[] = []
  const cost = { ours: [] as number[], echo: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    const requests = Array.from({ length: count }, (_, index) => {
      const whose = patients[index % patients.length]
      if (whose === undefined) throw new RangeError('there are patients')
      return onTheWire(feedRequest(bench, whose, document(whose, feedBytes)), bench.gateway.port)
    })
    const [first, ...others] = requests
    if (first === undefined) throw new RangeError('there are requests')
    await echoLike(bench, await ask(bench.gateway.port, first))
    const ours = await timed(bench.gateway, others, isSuccess)
    const limit = await timed(bench.echo, Array.from({ length: 4 }, () => others).flat())
    bench.answers += count
    for (const { key } of patients) add(bench, key, count / patients.length)
    // The first round warms both up
    if (round === 0) continue
    ratios.push(ours.perSecond / limit.perSecond)
    feeds.push(ours.perSecond)
    cost.ours.push(ours.cost)
    cost.echo.push(limit.cost)
  }
  const absolute = `${median(feeds).toFixed(0)} feeds/s${costs(cost.ours, cost.echo)}`
  return [{ name: 'P1 durable ITI-41, 24 KB, 16 callers / echo', floor: 0.05, goal: 0.1, ratios, absolute }]
}

async function searchByXds(bench: Bench): Promise<readonly Measure[]> {
  const whose = await patientWithDocuments(bench, entries, smallBytes)
  const body = queryBody(storedQueries.FindDocuments, {
    $XDSDocumentEntryPatientId: `'${whose.ins}^^^&${whose.authority}&ISO^NH'`,
    $XDSDocumentEntryStatus: "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",
  })
  const request = soap(bench, whose, { transaction: 'ITI-18', body, consent: declared.careTeam })
  return [await reading(bench, request, { name: 'P4 ITI-18, 50 entries, 16 callers / echo', floor: 0.12, goal: 0.25 })]
}

async function searchByFhir(bench: Bench): Promise<readonly Measure[]> {
  const whose = await patientWithDocuments(bench, entries, smallBytes)
  const token = encodeURIComponent(`urn:oid:${whose.authority}|${whose.ins}`)
  const path = `/fhir/DocumentReference?patient.identifier=${token}&status=current`
  const request = { method: 'GET', path, headers: await fhirHeaders(bench) }
  return [await reading(bench, request, { name: 'P5 ITI-67, 50 entries, 16 callers / echo', floor: 0.1, goal: 0.25 })]
}

async function retrievals(bench: Bench): Promise<readonly Measure[]> {
  const whose = await patient(bench)
  const [fed] = await feedAll(bench, whose, 1, smallBytes)
  if (fed === undefined) throw new RangeError('a document was fed')
  const path = `/fhir/Binary/${fed.entry.entryUuid.slice('urn:uuid:'.length)}`
  const body = retrieveBody([fed.entry.uniqueId])
  const byXds = soap(bench, whose, { transaction: 'ITI-43', body, consent: declared.careTeam })
  return [
    await reading(
      bench,
      { method: 'GET', path, headers: await fhirHeaders(bench) },
      { name: 'P6 ITI-68, 5 KB, 16 callers / echo', floor: 0.4, goal: 0.6 },
    ),
    await reading(bench, byXds, { name: 'P6 ITI-43, 5 KB, 16 callers / echo', floor: 0.4, goal: 0.6 }),
  ]
}

/** To disk with fsync and back the answer, one caller, against SHA-1 alone, which must be computed. */
async function largeFeed(bench: Bench): Promise<readonly Measure[]> {
  const whose = await patient(bench)
  const bytes = randomBytes(largeBytes)
  const ratios: number[] = []
  const feeds: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const requests = Array.from({ length: 4 }, () => {
      const large = aDocument(whose, { hash: undefined, size: undefined }, bytes)
      return onTheWire(feedRequest(bench, whose, large), bench.gateway.port)
    })
    const ours = await load(bench.gateway.port, requests, 1, isSuccess)
    bench.answers += requests.length
    add(bench, whose.key, requests.length)
    const start = process.hrtime.bigint()
    for (const _ of requests) createHash('sha1').update(bytes).digest()
    const hashing = Number(process.hrtime.bigint() - start) / 1e9
    if (round === 0) continue
    ratios.push(hashing / ours.seconds)
    feeds.push((requests.length * 20) / ours.seconds)
  }
  const absolute = `${median(feeds).toFixed(0)} MiB/s`
  return [{ name: 'P7 ITI-41 of 20 MB to disk / SHA-1', floor: 0.25, goal: 0.4, ratios, absolute }]
}

/** The same request again and again, to the gateway and to the echo in turn. */
async function reading(
  bench: Bench,
  request: Prepared,
  measure: Pick<Measure, 'name' | 'floor' | 'goal'>,
): Promise<Measure> {
  const bytes = onTheWire(request, bench.gateway.port)
  const answer = await ask(bench.gateway.port, bytes)
  bench.answers += 1
  await echoLike(bench, answer)
  const size = bodyOf(answer).length
  const count = Math.max(400, Math.min(3000, Math.floor(80_000_000 / size)))
  const requests = Array.from({ length: count }, () => bytes)
  const ratios: number[] = []
  const perSecond: number[] = []
  const cost = { ours: [] as number[], echo: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    const ours = await timed(bench.gateway, requests)
    const limit = await timed(bench.echo, requests)
    bench.answers += count
    if (round === 0) continue
    ratios.push(ours.perSecond / limit.perSecond)
    perSecond.push(ours.perSecond)
    cost.ours.push(ours.cost)
    cost.echo.push(limit.cost)
  }
  const absolute = `${median(perSecond).toFixed(0)}/s of ${(size / 1024).toFixed(0)} KiB${costs(cost.ours, cost.echo)}`
  return { ...measure, ratios, absolute }
}

async function echoLike({ echo }: Bench, answer: Buffer): Promise<void> {
  if (!/^HTTP\/1\.1 2/.test(answer.toString('latin1', 0, 12))) throw new Error(answer.toString('utf8', 0, 2000))
  await echo.answerWith({ contentType: headerOf(answer, 'content-type'), body: bodyOf(answer) })
}

function isSuccess(answer: Buffer): boolean {
  return answer.includes('ResponseStatusType:Success')
}

async function patient(bench: Bench): Promise<TestPatient> {
  bench.answers += 1
  return bench.gateway.patient()
}

async function patientWithDocuments(bench: Bench, count: number, size: number): Promise<TestPatient> {
  const whose = await patient(bench)
  await feedAll(bench, whose, count, size)
  return whose
}

async function feedAll(
  bench: Bench,
  whose: TestPatient,
  count: number,
  size: number,
): Promise<readonly TestDocument[]> {
  const fed = Array.from({ length: count }, () => document(whose, size))
  const requests = fed.map((each) => onTheWire(feedRequest(bench, whose, each), bench.gateway.port))
  await load(bench.gateway.port, requests, callers, isSuccess)
  bench.answers += count
  add(bench, whose.key, count)
  return fed
}

/** Each with an assertion of its own, as a VIHF is made for one transaction. */
function feedRequest(bench: Bench, whose: TestPatient, fed: TestDocument): Prepared {
  const body = provideBody(submissionOf([fed]), [fed.entry])
  const part = { contentId: contentId(fed.entry), contentType: fed.entry.mimeType, bytes: fed.bytes }
  const request = { transaction: 'ITI-41', body, parts: [part], consent: declared.informed } as const
  return soap(bench, whose, request, people.structure)
}

function soap(
  { gateway }: Bench,
  whose: TestPatient,
  request: XdsRequest,
  who: typeof people.author | typeof people.structure = people.author,
): Prepared {
  const envelope = gateway.xds.envelope({ ...who, ins: whose.ins }, request)
  const path = new URL(gateway.xds.endpoint(request.transaction)).pathname
  if (request.transaction === 'ITI-18')
    return { method: 'POST', path, headers: { 'Content-Type': 'application/soap+xml' }, body: Buffer.from(envelope) }
  const { contentType, body } = composeMtom(envelope, request.parts)
  return { method: 'POST', path, headers: { 'Content-Type': contentType }, body }
}

async function fhirHeaders({ gateway }: Bench): Promise<Readonly<Record<string, string>>> {
  return {
    Authorization: `Bearer ${await mintJwt(gateway.issuer, people.author)}`,
    'DMP-Consent': 'basis=care-team, informed=?1, episode="2026-E-118"',
  }
}

function document(whose: TestPatient, size: number): TestDocument {
  return aDocument(whose, {}, randomBytes(size))
}

function add({ stored }: Bench, key: PatientKey, count: number): void {
  stored.set(key, (stored.get(key) ?? 0) + count)
}

if (import.meta.main) {
  const [only = '.', ...options] = process.argv.slice(2)
  console.log(table(await benchDoors(options, new RegExp(only))))
}
