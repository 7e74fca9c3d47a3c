/**
 * DF6 and DF8 as one property: what is hidden from a caller changes nothing of what the caller is told. The same requests
 * go to a record, and to one from which everything hidden from this caller is missing; the answers are the same bytes.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Bundle } from '@medplum/fhirtypes'
import express from 'express'
import fc from 'fast-check'
import type { Caller } from '../../src/access/caller.ts'
import { visible } from '../../src/access/filter.ts'
import { strictPolicy } from '../../src/access/types.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import { createFhirDoor } from '../../src/fhir/index.ts'
import type { Dtm, EntryUuid } from '../../src/metadata/identifiers.ts'
import type { AvailabilityStatus, DocumentEntry, SubmissionSet } from '../../src/metadata/model.ts'
import { createOperations } from '../../src/operations/index.ts'
import { createSpool } from '../../src/spool/index.ts'
import { anAccessRecord, contentsOf, thePatient } from '../dmp/mothers.ts'
import { aHospital, aNurse, aPatient, aPhysician, aSecretary } from '../mothers/access.ts'
import {
  aDocumentEntry,
  anAssociation,
  anAuthor,
  aProfessional,
  aSubmission,
  aSubmissionSet,
  codes,
  repositoryUniqueId,
} from '../mothers/metadata.ts'

const baseUrl = 'https://gateway.example.org/fhir'
const runs = Number(process.env.FC_RUNS ?? 4)

const author = aPhysician({ person: { id: '899700000001', name: 'EXEMPLE Anne' } })
const other = aPhysician({ person: { id: '899700000077', name: 'EXEMPLE Yann' }, structure: { id: '1020099999' } })
const callers: Readonly<Record<string, Caller>> = {
  author,
  colleague: aPhysician(),
  nurse: aNurse(),
  patient: aPatient(),
  structure: aHospital(),
  staff: aSecretary(),
}

/** One document of a record, by what decides who sees it. */
interface Planned {
  readonly type: keyof typeof types
  readonly by: 'author' | 'other'
  readonly fedBy: 'author' | 'other'
  readonly visibility: 'open' | 'masked' | 'invisible'
  readonly fate: 'kept' | 'archived' | 'deleted' | 'masked later' | 'replaced'
  readonly lot: number
  readonly day: number
}

const types = {
  bloodTest: { typeCode: codes.bloodTest, classCode: codes.report },
  summary: { typeCode: codes.summaryType, classCode: codes.summary },
  prescription: { typeCode: codes.prescriptionType, classCode: codes.prescription },
  /** Closed to nurses by the matrix. */
  certificate: {
    typeCode: { code: '89601-9', system: '2.16.840.1.113883.6.1', display: 'Certificat médical' },
    classCode: { code: '52', system: '1.2.250.1.213.1.1.4.1', display: 'Certificat, déclaration' },
  },
}

const visibilities = {
  open: [codes.normal],
  masked: [codes.normal, codes.maskedToProfessionals],
  invisible: [codes.normal, codes.hiddenFromPatient],
}

const planned: fc.Arbitrary<Planned> = fc.record({
  type: fc.constantFrom<Planned['type'][]>('bloodTest', 'summary', 'prescription', 'certificate'),
  by: fc.constantFrom('author', 'other'),
  fedBy: fc.constantFrom('author', 'other'),
  visibility: fc.constantFrom('open', 'open', 'masked', 'invisible'),
  fate: fc.constantFrom('kept', 'kept', 'archived', 'deleted', 'masked later', 'replaced'),
  lot: fc.nat(2),
  day: fc.integer({ min: 1, max: 5 }),
})

/** What is fed, in order: the same objects go to both records. */
interface Fed {
  readonly entry: DocumentEntry
  readonly plan: Planned
  readonly lot: number
  readonly replaces?: EntryUuid
}

function fedOf(plans: readonly Planned[]): readonly Fed[] {
  return plans.flatMap((plan, index): Fed[] => {
    const make = (title: string): DocumentEntry =>
      aDocumentEntry({
        ...types[plan.type],
        authors: [anAuthor({ person: aProfessional({ id: plan.by === 'author' ? '899700000001' : '899700000077' }) })],
        confidentialityCodes: visibilities[plan.visibility],
        creationTime: `2026051${plan.day}0815` as Dtm,
        title,
      })
    const entry = make(`Document ${index}`)
    const next = { entry: make(`Document ${index} bis`), plan: { ...plan, fate: 'kept' as const }, lot: 100 + index }
    const own = { entry, plan, lot: plan.lot }
    return plan.fate === 'replaced' ? [own, { ...next, replaces: entry.entryUuid }] : [own]
  })
}

/** A record, and the door in front of it. */
class Gateway {
  readonly #directory: string
  readonly #embedded: EmbeddedDmp
  readonly #server: Server
  readonly #clock: { time: number }

  private constructor(directory: string, embedded: EmbeddedDmp, server: Server, clock: { time: number }) {
    this.#directory = directory
    this.#embedded = embedded
    this.#server = server
    this.#clock = clock
  }

  static async open(): Promise<Gateway> {
    const directory = mkdtempSync(path.join(tmpdir(), 'hidden-'))
    const state = { time: Date.parse('2026-05-20T08:00:00.000Z') }
    const clock = { now: () => new Date(state.time) }
    const embedded = await openEmbeddedDmp({ directory, repositoryUniqueId, clock })
    const { dmp, trace, choices } = embedded
    await dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
    const app = express()
    app.disable('x-powered-by')
    app.disable('etag')
    app.use(
      '/fhir',
      createFhirDoor({
        operations: createOperations({ dmp, trace, choices, clock, policy: strictPolicy }),
        identity: {
          fromBearer: async (token) => callers[token] ?? aPatient(),
          fromAssertion: async () => author,
          fromConnection: () => undefined,
          anonymous: () => undefined,
        },
        spool: createSpool({ directory: path.join(directory, 'spool'), maxBytes: 1e6 }),
        profile: 'ci-sis',
        repositoryUniqueId,
        baseUrl,
        limits: { maxMetadataBytes: 1e6, maxDocumentBytes: 1e6 },
        log: { info: () => {}, error: () => {} },
        patientIdKey: Buffer.alloc(16, 7),
      }),
    )
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Gateway(directory, embedded, server, state)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    await this.#embedded.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Feeds the lots in order, then what becomes of the documents; the clock says what it would have said to all. */
  async fill(
    all: readonly Fed[],
    kept: ReadonlySet<EntryUuid>,
    sets: ReadonlyMap<number, SubmissionSet>,
  ): Promise<void> {
    const lots = new Map<number, Fed[]>()
    for (const each of all) lots.set(each.lot, [...(lots.get(each.lot) ?? []), each])
    for (const [lot, documents] of [...lots].sort(([a], [b]) => a - b))
      for (const fedBy of ['author', 'other'] as const) {
        this.#clock.time += 1000
        const mine = documents.filter(({ plan, entry }) => plan.fedBy === fedBy && kept.has(entry.entryUuid))
        const set = sets.get(lot * 2 + (fedBy === 'author' ? 0 : 1))
        if (mine.length === 0 || set === undefined) continue
        const submission = aSubmission({ entries: mine.map(({ entry }) => entry), submissionSet: set }, () =>
          mine.flatMap(({ entry, replaces }) =>
            replaces === undefined ? [] : [anAssociation({ source: entry.entryUuid, target: replaces })],
          ),
        )
        const caller = fedBy === 'author' ? author : other
        const record = anAccessRecord({ operation: 'TD2.1', caller })
        await this.#embedded.dmp.feed(submission, contentsOf(submission), record)
      }
    for (const { entry, plan } of all) {
      this.#clock.time += 1000
      if (kept.has(entry.entryUuid)) await this.#become(entry, plan.fate)
    }
    this.#clock.time = Date.parse('2026-05-21T08:00:00.000Z')
  }

  async #become(entry: DocumentEntry, fate: Planned['fate']): Promise<void> {
    const to: AvailabilityStatus | undefined =
      fate === 'archived' ? 'Archived' : fate === 'deleted' ? 'Deleted' : undefined
    const change = { patient: thePatient, versions: [], statuses: [], associations: [] }
    const record = anAccessRecord({ operation: 'TD3.3d' })
    if (to !== undefined)
      await this.#embedded.dmp.update(
        { ...change, statuses: [{ target: entry.entryUuid, from: 'Approved', to }] },
        record,
      )
    if (fate === 'masked later' && entry.confidentialityCodes.length === 1) {
      const object = {
        ...entry,
        // The same in both records
        entryUuid: entry.entryUuid.replace(/..$/, 'ff') as EntryUuid,
        version: 2,
        confidentialityCodes: visibilities.masked,
      }
      await this.#embedded.dmp.update(
        { ...change, versions: [{ object, previousVersion: 1, propagate: true }] },
        record,
      )
    }
  }

  /** Which documents this caller may see, asked of the filter itself. */
  async visibleTo(caller: Caller, all: readonly Fed[]): Promise<ReadonlySet<EntryUuid>> {
    const { dmp } = this.#embedded
    const facts = await dmp.status(thePatient, caller)
    assert.ok(facts)
    const byReference = caller.kind === 'structure' || caller.kind === 'staff'
    const operation = byReference ? 'TD3.1b' : 'TD3.1a'
    const now = new Date(this.#clock.time)
    const viewer = {
      caller,
      purpose: 'normal',
      facts,
      policy: strictPolicy,
      now,
      operation,
      byReference: true,
    } as const
    const seen = new Set<EntryUuid>()
    for (const { entry } of all) {
      const found = await dmp.find({ kind: 'GetDocuments', by: 'any', ids: [entry.entryUuid] })
      const [current] = found.documents
      assert.ok(current)
      if (visible(current, viewer)) seen.add(entry.entryUuid)
    }
    return seen
  }

  /** Everything of the answer that is not new each time. */
  async ask(caller: string, target: string, method = 'GET', body?: string): Promise<string> {
    const { port } = this.#server.address() as AddressInfo
    const headers: Record<string, string> = { Authorization: `Bearer ${caller}`, 'X-Request-Id': 'same' }
    if (caller !== 'patient') headers['DMP-Consent'] = 'basis=care-team, informed=?1, episode="E-1"'
    if (body !== undefined) headers['Content-Type'] = 'application/json-patch+json'
    const url = `http://127.0.0.1:${port}/fhir${target.replace(baseUrl, '')}`
    const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
    const told = [...response.headers].filter(
      ([name]) => name !== 'date' && name !== 'connection' && name !== 'keep-alive',
    )
    return JSON.stringify([response.status, told.sort(), await response.text()])
  }
}

const patientQuery = `patient.identifier=urn:oid:${thePatient.replace('|', '%7C')}`
const searches = [
  'status=current',
  'status=current&_count=1',
  'status=current&_count=2&_sort=_lastUpdated',
  'status=superseded',
  'status=entered-in-error',
  'status=current&isArchived=true',
  'status=current,superseded,entered-in-error&_sort=date',
  'status=current&_summary=count',
  'status=current&type=11502-2',
  'status=current&security-label=MASQUE_PS',
  'status=current&author.family=exemple',
  'status=current&date=ge2026-05-13',
].map((query) => `/DocumentReference?${patientQuery}&${query}`)

const others = [
  `/List?${patientQuery}&code=submissionset&status=current`,
  `/List?${patientQuery}&code=submissionset&_count=1`,
  `/List?${patientQuery}&_summary=count`,
  `/DocumentReference/$changes?${patientQuery}&since=2026-05-20T08:00:05Z`,
  `/DocumentReference/$changes?${patientQuery}&since=2026-05-20T08:00:05Z&_count=1`,
]

/** Every request that could tell of a document, by any of its names. */
function requestsAbout(all: readonly Fed[], sets: ReadonlyMap<number, SubmissionSet>): string[] {
  const bare = (id: string) => id.slice('urn:uuid:'.length)
  return [
    ...searches,
    ...others,
    ...all.flatMap(({ entry: { entryUuid, uniqueId } }) => [
      `/DocumentReference/${bare(entryUuid)}`,
      `/DocumentReference/${bare(entryUuid).replace(/..$/, 'ff')}`,
      `/DocumentReference/${bare(entryUuid)}/_history`,
      `/DocumentReference/${bare(entryUuid)}/_history/1`,
      `/DocumentReference?${patientQuery}&identifier=urn:oid:${uniqueId}`,
      `/DocumentReference?${patientQuery}&_id=${bare(entryUuid)}&status=current,superseded,entered-in-error`,
      `/Binary/${bare(entryUuid)}`,
    ]),
    ...[...sets.values()].flatMap(({ entryUuid, uniqueId }) => [
      `/List/${bare(entryUuid)}`,
      `/List/${bare(entryUuid)}/_history`,
      `/List?${patientQuery}&identifier=urn:oid:${uniqueId}`,
    ]),
  ]
}

describe('What is hidden from a caller', () => {
  it('changes nothing of what the caller is told: ids, totals, links, ETags, errors', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(planned, { minLength: 1, maxLength: 7 }),
        fc.constantFrom(...Object.keys(callers)),
        async (plans, name) => {
          const caller = callers[name]
          assert.ok(caller)
          const all = fedOf(plans)
          const sets = new Map(all.flatMap(({ lot }) => [lot * 2, lot * 2 + 1]).map((key) => [key, aSubmissionSet()]))
          const [whole, partial] = await Promise.all([Gateway.open(), Gateway.open()])
          try {
            await whole.fill(all, new Set(all.map(({ entry }) => entry.entryUuid)), sets)
            const seen = await whole.visibleTo(caller, all)
            await partial.fill(all, seen, sets)
            for (const target of requestsAbout(all, sets)) await compare(name, target, whole, partial)
            for (const { entry } of all)
              if (!seen.has(entry.entryUuid)) {
                const patch = '[{"op":"replace","path":"/status","value":"entered-in-error"}]'
                const target = `/DocumentReference?identifier=urn:oid:${entry.uniqueId}`
                assert.equal(
                  await whole.ask(name, target, 'PATCH', patch),
                  await partial.ask(name, target, 'PATCH', patch),
                )
              }
          } finally {
            await Promise.all([whole.close(), partial.close()])
          }
        },
      ),
      { numRuns: runs },
    )
  })

  /** The answer, and those its links lead to. */
  async function compare(caller: string, start: string, whole: Gateway, partial: Gateway): Promise<void> {
    let target: string | undefined = start
    for (let page = 0; target !== undefined && page < 30; page++) {
      const [told, expected]: [string, string] = [await whole.ask(caller, target), await partial.ask(caller, target)]
      // The question after $changes is as of now
      const same = (text: string) => text.replace(/since=20[^"\\]*/g, 'since=')
      assert.equal(same(told), same(expected), `${caller} ${target}`)
      const [status, , text] = JSON.parse(told) as [number, unknown, string]
      const bundle =
        status === 200 && text.startsWith('{"resourceType":"Bundle"') ? (JSON.parse(text) as Bundle) : undefined
      target = bundle?.link?.find(({ relation }) => relation === 'next')?.url
    }
  }

  it('is told from what is shown: the comparison above sees a difference where there is one', async () => {
    const all = fedOf([
      { type: 'bloodTest', by: 'other', fedBy: 'other', visibility: 'open', fate: 'kept', lot: 0, day: 1 },
      { type: 'summary', by: 'other', fedBy: 'other', visibility: 'masked', fate: 'kept', lot: 0, day: 2 },
    ])
    const sets = new Map([0, 1].map((key) => [key, aSubmissionSet()]))
    const [whole, partial] = await Promise.all([Gateway.open(), Gateway.open()])
    try {
      await whole.fill(all, new Set(all.map(({ entry }) => entry.entryUuid)), sets)
      assert.equal((await whole.visibleTo(callers.colleague ?? author, all)).size, 1)
      await partial.fill(all, new Set(), sets)
      const [target = ''] = searches
      assert.notEqual(await whole.ask('colleague', target), await partial.ask('colleague', target))
    } finally {
      await Promise.all([whole.close(), partial.close()])
    }
  })
})
