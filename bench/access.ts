/**
 * P9: the guard against the Cedar engine with the habilitation matrix (108 types × 19 columns of professions) as its
 * policies. A professional of each column reads a record that has a document of each type: which of them may be read? Both
 * must agree on every one before anything is timed. The guard decides on all its rules (identity, functional rights, blocks,
 * emergency, consent) and filters each document by all of DF0-DF5; Cedar has the matrix alone, its policies parsed
 * beforehand. The ratio is of the time a document. Told beside it: the same for a document that is asked for by itself, and
 * the median of `decide` over a mix of requests, which is to stay under 2 µs.
 * Five interleaved rounds, median; a spread over 2 gives no verdict. Run: node bench/access.ts
 */
import cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Caller } from '../src/access/caller.ts'
import { decide } from '../src/access/decide.ts'
import { compileViewer } from '../src/access/filter.ts'
import { type AccessRequest, type DocumentFacts, type RecordFacts, strictPolicy } from '../src/access/types.ts'
import { habilitation } from '../src/nomenclature/index.ts'
import {
  aHospital,
  aNurse,
  aPatient,
  aPhysician,
  aRecord,
  aRequest,
  aSecretary,
  aStoredDocument,
  careTeam,
  informed,
  profession,
} from '../test/mothers/access.ts'
import { aDocumentEntry } from '../test/mothers/metadata.ts'
import { type Measure, median, rounds, table } from './measure.ts'

/** One profession of each column of the matrix, and two that it does not have. */
const professions = [
  ...['10', '21', '40', '50', '60', '70', '80', '91', '92', '26', '28', '98'],
  ...['GENR08', '41', 'GENR09', 'GENR10', 'GENR11', 'GENR12', '31', '86'],
]
const recordsPerRound = 5000
const alonePerRound = 100_000
const cedarPerRound = 2000
/** Decisions on each request of the mix: one is shorter than what the clock tells. */
const perRequest = 20_000

/** A professional who reads the record. */
interface Reader {
  readonly request: AccessRequest
  readonly column: string
}

export async function benchAccess(): Promise<readonly Measure[]> {
  const [readers, documents] = [aReaderOfEachColumn(), aDocumentOfEachType()]
  const facts = { ...aRecord() }
  cedarKnows()
  const asked = readers.flatMap((reader) => documents.map((document) => ({ reader, document })))
  for (const { reader, document } of asked) {
    const [ours] = shown(reader, [document], facts)
    if ((ours !== undefined) !== cedarSays(reader, document))
      throw new Error(`the guard and Cedar disagree on ${document.typeCode} for column ${reader.column}`)
  }
  const mix = aMix()
  const taken: { each: number; byItself: number; engine: number; decision: number }[] = []
  for (let round = 0; round <= rounds; round++) {
    const inRecord = microseconds(recordsPerRound, (index) => shown(pick(readers, index), documents, facts))
    const byItself = microseconds(alonePerRound, (index) => {
      const { reader, document } = pick(asked, index * 7919)
      return shown(reader, [document], facts)
    })
    const engine = microseconds(cedarPerRound, (index) => {
      const { reader, document } = pick(asked, index * 7919)
      return cedarSays(reader, document)
    })
    const decision = median(
      mix.map(([request, known]) => microseconds(perRequest, () => decide(request, known, strictPolicy))),
    )
    // The first round warms all of them up
    if (round === 0) continue
    taken.push({ each: inRecord / documents.length, byItself, engine, decision })
  }
  const µs = (of: keyof (typeof taken)[number]) => `${median(taken.map((round) => round[of])).toPrecision(3)} µs`
  return [
    {
      name: 'P9 decision on a document, times faster than Cedar',
      floor: 200,
      goal: 1000,
      ratios: taken.map(({ engine, each }) => engine / each),
      absolute: `${µs('each')} a document of a record, ${µs('byItself')} one by itself, Cedar ${µs('engine')}`,
    },
    {
      name: 'P9 decide over a mix of requests, µs',
      floor: 2,
      goal: 2,
      ratios: taken.map(({ decision }) => decision),
      atMost: true,
    },
  ]
}

function pick<T>(among: readonly T[], index: number): T {
  return among[index % among.length] as T
}

function aReaderOfEachColumn(): readonly Reader[] {
  return professions.map((code) => {
    const caller: Caller = { ...(code === '10' ? aPhysician() : aNurse({ profession: profession(code) })) }
    return {
      request: { ...aRequest('TD3.2', { caller, declaration: careTeam }) },
      column: habilitation.column(caller.profession, caller.specialities)?.key ?? 'none',
    }
  })
}

function aDocumentOfEachType(): readonly DocumentFacts[] {
  const document = aStoredDocument()
  return habilitation.types.map((typeCode) => ({ ...document, typeCode }))
}

/** What the reader is shown of the documents. */
function shown({ request }: Reader, documents: readonly DocumentFacts[], facts: RecordFacts): readonly DocumentFacts[] {
  if (decide(request, facts, strictPolicy).verdict === 'deny') return []
  const { caller, purpose, operation } = request
  return documents.filter(compileViewer({ caller, purpose, facts, policy: strictPolicy, now, operation }))
}
const now = new Date('2026-06-01T12:00:00.000Z')

/** One policy a column, as a reader of the matrix would write it. */
function cedarKnows(): void {
  const staticPolicies = habilitation.columns
    .map(({ key, bit }) => {
      const types = habilitation.types.filter((type) => (habilitation.mask(type) & bit) !== 0)
      return `permit (principal in Column::"${key}", action == Action::"TD3.2", resource) when { ${JSON.stringify(types)}.contains(resource.typeCode) };`
    })
    .join('\n')
  const parsed = cedar.preparsePolicySet('matrix', { staticPolicies })
  if (parsed.type === 'failure') throw new Error(`Cedar refuses the matrix: ${JSON.stringify(parsed.errors)}`)
}

function cedarSays({ column }: Reader, { typeCode = '' }: DocumentFacts): boolean {
  const principal = { type: 'Professional', id: 'somebody' }
  const resource = { type: 'Document', id: 'one' }
  const answer = cedar.statefulIsAuthorized({
    principal,
    action: { type: 'Action', id: 'TD3.2' },
    resource,
    context: {},
    preparsedPolicySetId: 'matrix',
    entities: [
      { uid: principal, attrs: {}, parents: [{ type: 'Column', id: column }] },
      { uid: resource, attrs: { typeCode }, parents: [] },
    ],
  })
  if (answer.type === 'failure') throw new Error(`Cedar cannot decide: ${JSON.stringify(answer.errors)}`)
  return answer.response.decision === 'allow'
}

/** What a gateway is asked in a day: more reading than feeding, some refusals, an emergency, the patient. */
function aMix(): readonly (readonly [AccessRequest, RecordFacts])[] {
  const nobody = aRecord()
  const known = aRecord({ authorisation: 'VALIDE', informedEpisodes: ['E-118'] })
  const glass = { purpose: 'bris_de_glace', reason: 'patient inconscient' } as const
  const feeding = { declaration: informed, entries: [aDocumentEntry()] }
  const target = aStoredDocument({ authorPersons: ['899700000010'] })
  const mask = { declaration: careTeam, target, newConfidentiality: ['N', 'MASQUE_PS'] }
  return [
    [aRequest('TD3.1a', { caller: aPhysician(), declaration: careTeam }), known],
    [aRequest('TD3.1a', { declaration: careTeam }), nobody],
    [aRequest('TD3.1a', {}), nobody],
    [aRequest('TD3.2', { caller: aPhysician(), declaration: careTeam }), known],
    [aRequest('TD3.2', { declaration: careTeam }), known],
    [aRequest('TD3.2', { caller: aPatient() }), nobody],
    [aRequest('TD3.2', { caller: aPhysician(), ...glass }), nobody],
    [aRequest('TD3.2', { declaration: careTeam }), aRecord({ blocked: true, authorisation: 'INTERDIT' })],
    [aRequest('TD2.1', { caller: aHospital(), ...feeding }), nobody],
    [aRequest('TD2.1', { caller: aPhysician(), ...feeding }), known],
    [aRequest('TD2.1', { caller: aSecretary(), ...feeding }), nobody],
    [aRequest('TD0.2', { caller: aHospital() }), nobody],
    [aRequest('TD3.3a.mask', { caller: aPhysician(), ...mask }), known],
    [aRequest('history', { caller: aPatient() }), nobody],
  ]
}

let kept = 0
/** Microseconds of one call, of the processor's time: nothing here waits, and others may be at work on the machine. */
function microseconds(calls: number, call: (index: number) => unknown): number {
  const start = process.threadCpuUsage()
  // What a call gives is looked at, so that it is not optimised away
  for (let index = 0; index < calls; index++) if (call(index) === undefined) kept++
  const { user, system } = process.threadCpuUsage(start)
  return (user + system) / calls
}

if (import.meta.main) {
  console.log(table(await benchAccess()))
  if (kept > 0) process.exitCode = 1
}
