/**
 * Two gateways with the same record, for what must not depend on hidden documents: one has all of it, from the other what
 * is hidden from a caller is missing. Both doors of each stand in front of the same operations, store and trace.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import express from 'express'
import type { Caller, PurposeOfUse } from '../../src/access/caller.ts'
import { visible } from '../../src/access/filter.ts'
import { type RecordChange, strictPolicy } from '../../src/access/types.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import { createFhirDoor } from '../../src/fhir/index.ts'
import { type EntryUuid, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { Association, AvailabilityStatus, DocumentEntry, SubmissionSet } from '../../src/metadata/model.ts'
import { createOperations } from '../../src/operations/index.ts'
import type { StoredChange } from '../../src/operations/ports.ts'
import { createSpool } from '../../src/spool/index.ts'
import { createXdsDoor } from '../../src/xds/index.ts'
import { anAccessRecord, contentsOf, thePatient } from '../dmp/mothers.ts'
import { aPatient } from '../mothers/access.ts'
import { anAssociation, aSubmission, aSubmissionSet, repositoryUniqueId } from '../mothers/metadata.ts'
import {
  administrator,
  author,
  callers,
  type Fed,
  fedOf,
  laterVersion,
  other,
  type Planned,
  visibilities,
} from './record-plans.ts'
import { unzip } from './zip.ts'

export const baseUrl = 'https://gateway.example.org/fhir'

/** UUIDs that both records have in common; any other is made anew by each, of a message, a record of the trace, a link. */
const ids = new Set<string>()
const remember = (...uuids: readonly string[]) => {
  for (const each of uuids) ids.add(each.slice('urn:uuid:'.length))
}
const links = new Map<string, EntryUuid>()
/** The same link has the same id in both records. */
function linkOf({ source, target }: Pick<Association, 'source' | 'target'>): EntryUuid {
  const name = `${source} ${target}`
  const id = links.get(name) ?? newEntryUuid()
  links.set(name, id)
  remember(id)
  return id
}

/** What was asked, at either door. */
export interface Asked {
  readonly target: string
  readonly method?: string
  readonly type?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A record, and the doors in front of it. */
class OneRecord {
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

  static async open(): Promise<OneRecord> {
    const directory = mkdtempSync(path.join(tmpdir(), 'hidden-'))
    const state = { time: Date.parse('2026-05-20T08:00:00.000Z') }
    const clock = { now: () => new Date(state.time) }
    const embedded = await openEmbeddedDmp({ directory, repositoryUniqueId, clock })
    const { dmp, trace, choices: settled } = embedded
    // A minor, so that a representative is somebody
    const opening = anAccessRecord({ operation: 'open', at: clock.now().toISOString(), requestId: 'before' })
    await dmp.open(thePatient, { given: [], birthDate: '2015-03-01' }, opening)
    const named = async (name: string) => (name === 'administrator' ? administrator : (callers[name] ?? aPatient()))
    const shared = {
      operations: createOperations({ dmp, trace, choices: settled, clock, policy: strictPolicy }),
      identity: {
        fromBearer: async (token: string) => named(Buffer.from(token, 'base64url').toString()),
        fromAssertion: async ({ xml }: { readonly xml: string }) => {
          const [, id = ''] = /ID="_([\w-]+)"/.exec(xml) ?? []
          return named(Buffer.from(id, 'base64url').toString())
        },
        fromConnection: () => undefined,
        anonymous: () => undefined,
      },
      spool: createSpool({ directory: path.join(directory, 'spool'), maxBytes: 1e6 }),
      profile: 'ci-sis',
      repositoryUniqueId,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    } as const
    const limits = { maxMetadataBytes: 1e6, maxDocumentBytes: 1e6, maxParts: 20 }
    const xds = createXdsDoor({ ...shared, limits, xsd: 'off' })
    const app = express()
    app.disable('x-powered-by')
    app.disable('etag')
    app.use('/fhir', createFhirDoor({ ...shared, baseUrl, limits, patientIdKey: Buffer.alloc(16, 7) }))
    const server = createServer((request, response) => {
      if (request.url === '/xds/registry') void xds.registry(request, response)
      else if (request.url === '/xds/repository') void xds.repository(request, response)
      else app(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new OneRecord(directory, embedded, server, state)
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
        const record = this.#record('TD2.1', caller, mine)
        const associations = submission.associations.map((each) => ({ ...each, entryUuid: linkOf(each) }))
        await this.#embedded.dmp.feed({ ...submission, associations }, contentsOf(submission), record)
      }
    for (const { entry, plan } of all) {
      this.#clock.time += 1000
      if (kept.has(entry.entryUuid)) await this.#become(entry, plan.fate)
    }
    this.#clock.time = Date.parse('2026-05-21T08:00:00.000Z')
  }

  /** As an operation would leave it: at the time of the clock, with the documents it is about. */
  #record(operation: 'TD2.1' | 'TD3.3d', caller: Caller, about: readonly Pick<Fed, 'entry'>[]) {
    return anAccessRecord({
      operation,
      caller,
      at: new Date(this.#clock.time).toISOString(),
      requestId: 'before',
      documents: about.map(({ entry: { logicalId, uniqueId } }) => ({ logicalId, uniqueId })),
    })
  }

  async #become(entry: DocumentEntry, fate: Planned['fate']): Promise<void> {
    const to: AvailabilityStatus | undefined =
      fate === 'archived' ? 'Archived' : fate === 'deleted' ? 'Deleted' : undefined
    const change = { patient: thePatient, versions: [], statuses: [], associations: [] }
    const record = this.#record('TD3.3d', author, [{ entry }])
    if (to !== undefined)
      await this.#embedded.dmp.update(
        { ...change, statuses: [{ target: entry.entryUuid, from: 'Approved', to }] },
        record,
      )
    if (fate === 'masked later' && entry.confidentialityCodes.length === 1) {
      const object = {
        ...entry,
        entryUuid: laterVersion(entry.entryUuid),
        version: 2,
        confidentialityCodes: visibilities.masked,
      }
      await this.#embedded.dmp.update(
        { ...change, versions: [{ object, previousVersion: 1, propagate: true }] },
        record,
      )
    }
  }

  async settle(changes: readonly StoredChange[]): Promise<void> {
    for (const change of changes) {
      const about: RecordChange = change
      const at = new Date(this.#clock.time).toISOString()
      const record = anAccessRecord({ operation: 'choose', caller: aPatient(), at, requestId: 'before', change: about })
      await this.#embedded.choices.apply(thePatient, [change], record)
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
    const purpose: PurposeOfUse = caller.purposeOfUse ?? 'normal'
    const viewer = { caller, purpose, facts, policy: strictPolicy, now, operation, byReference: true } as const
    const seen = new Set<EntryUuid>()
    for (const { entry } of all) {
      const found = await dmp.find({ kind: 'GetDocuments', by: 'any', ids: [entry.entryUuid] })
      const [current] = found.documents
      assert.ok(current)
      if (visible(current, viewer)) seen.add(entry.entryUuid)
    }
    return seen
  }

  async send(
    caller: string,
    { target, method = 'GET', type, body, headers = {} }: Asked,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly bytes: Buffer }> {
    const { port } = this.#server.address() as AddressInfo
    const sent: Record<string, string> = { 'X-Request-Id': 'same', ...headers }
    if (target.startsWith('/fhir')) sent.Authorization = `Bearer ${Buffer.from(caller).toString('base64url')}`
    if (type !== undefined) sent['Content-Type'] = type
    const response = await fetch(`http://127.0.0.1:${port}${target}`, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body }),
    })
    return {
      status: response.status,
      headers: response.headers,
      bytes: Buffer.from(await response.arrayBuffer()),
    }
  }
}

export interface Twins {
  readonly caller: string
  readonly all: readonly Fed[]
  readonly sets: ReadonlyMap<number, SubmissionSet>
  /** Documents that this caller may see. */
  readonly seen: ReadonlySet<EntryUuid>
  /** Asks both, each its own where a link of its own answer is followed. @param as somebody else than the caller */
  ask(
    asked: Asked | readonly [whole: Asked, partial: Asked],
    as?: string,
  ): Promise<readonly [whole: Reply, partial: Reply]>
}
export type Reply = Awaited<ReturnType<OneRecord['send']>>

/** Fills both, lets `ask` ask them, closes them. @param kept default: what this caller may see of all */
export async function withTwins(
  given: { readonly planned: readonly Planned[]; readonly settled?: readonly StoredChange[]; readonly caller: string },
  use: (twins: Twins) => Promise<void>,
  kept?: ReadonlySet<EntryUuid>,
): Promise<void> {
  const caller = callers[given.caller]
  assert.ok(caller)
  const all = fedOf(given.planned)
  const sets = new Map(all.flatMap(({ lot }) => [lot * 2, lot * 2 + 1]).map((key) => [key, aSubmissionSet()]))
  for (const { entry } of all) remember(entry.entryUuid, laterVersion(entry.entryUuid))
  remember(...[...sets.values()].map(({ entryUuid }) => entryUuid))
  const [whole, partial] = await Promise.all([OneRecord.open(), OneRecord.open()])
  try {
    await whole.fill(all, new Set(all.map(({ entry }) => entry.entryUuid)), sets)
    await whole.settle(given.settled ?? [])
    const seen = await whole.visibleTo(caller, all)
    await partial.fill(all, kept ?? seen, sets)
    await partial.settle(given.settled ?? [])
    await use({
      caller: given.caller,
      all,
      sets,
      seen,
      ask: (asked, as = given.caller) => {
        const [first, second] = 'target' in asked ? [asked, asked] : asked
        return Promise.all([whole.send(as, first), partial.send(as, second)])
      },
    })
  } finally {
    await Promise.all([whole.close(), partial.close()])
  }
}

/** What of an answer the two must have in common: all but times of asking, ports, cursors, and ids that are new each time. */
export async function told({ status, headers, bytes }: Reply): Promise<string> {
  const kept = [...headers].filter(([name]) => name !== 'date' && name !== 'connection' && name !== 'keep-alive')
  const zip = headers.get('content-type') === 'application/zip'
  const text = zip
    ? JSON.stringify([...(await unzip(bytes))].map(([name, content]) => [name, content.toString()]))
    : bytes.toString()
  return (
    JSON.stringify([status, zip ? [] : kept.sort(), text])
      .replace(/since=20[^"\\]*/g, 'since=')
      // A page of the history begins behind a record of the trace
      .replace(/(AuditEvent\?[^"]*_cursor=)[\w-]+/g, '$1')
      .replace(/MIMEBoundary[\w-]+/g, 'MIMEBoundary')
      .replace(/[-\da-f]{36}/g, (id) => (ids.has(id) ? id : 'new'))
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1')
      .replace(/"content-length\\*","\d+/g, '"content-length","')
  )
}

/** Where two long texts part. */
export function difference(said: string, expected: string): string {
  let at = 0
  while (said[at] === expected[at]) at++
  const around = (text: string) => text.slice(Math.max(0, at - 200), at + 200)
  return `${around(said)}\n--- where nothing is hidden it is ---\n${around(expected)}`
}
