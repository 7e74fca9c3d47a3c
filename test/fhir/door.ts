/** The FHIR door over real HTTP on loopback, in front of operations that keep everything in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Resource } from '@medplum/fhirtypes'
import express from 'express'
import type { Caller } from '../../src/access/caller.ts'
import type { DocumentFacts, RecordFacts } from '../../src/access/types.ts'
import { GatewayError, type Issue } from '../../src/errors.ts'
import { createFhirDoor, type FhirParts } from '../../src/fhir/index.ts'
import { matches } from '../../src/metadata/criteria.ts'
import { patientKeyOf } from '../../src/metadata/hl7.ts'
import { type EntryUuid, type PatientKey, toOid } from '../../src/metadata/identifiers.ts'
import type { Association, DocumentEntry } from '../../src/metadata/model.ts'
import type { FeedOptions, Findings, HistoryOptions, Operations } from '../../src/operations/operations.ts'
import type {
  AccessRecord,
  Demographics,
  DocumentContent,
  RequestContext,
  TracedAccess,
} from '../../src/operations/ports.ts'
import type { RecordOperations } from '../../src/operations/record-operations.ts'
import { createSpool, type Spool } from '../../src/spool/index.ts'

export const repositoryUniqueId = toOid('1.2.250.1.999.1.2')
export const structure = { id: '1010099999', name: 'CH EXEMPLE' }

export const professional: Caller = {
  kind: 'professional',
  authentication: 'direct',
  person: { id: '899700000001', name: 'DUPONT Anne' },
  structure,
  profession: { code: '10', system: '1.2.250.1.71.1.2.7' },
  specialities: [],
  regulation: false,
  secretConnection: false,
  proof: 'jwt',
}

/** Operations without a guard: what the door asks is kept, what it is told can be set. */
export class MemoryOperations implements Operations, RecordOperations {
  readonly patients = new Map<PatientKey, Demographics>()
  readonly entries: DocumentEntry[] = []
  readonly associations: Association[] = []
  readonly contents = new Map<EntryUuid, Buffer>()
  readonly contexts: RequestContext[] = []
  readonly queries: Parameters<Operations['find']>[0][] = []
  readonly hidden = new Set<EntryUuid>()
  records: AccessRecord[] = []
  facts: Partial<RecordFacts> = {}
  refusal: GatewayError | undefined

  #enter(context: RequestContext): void {
    this.contexts.push(context)
    if (this.refusal) throw this.refusal
  }

  #known(patient: PatientKey): void {
    if (!this.patients.has(patient)) throw new GatewayError({ code: 'dmp-unknown', rule: 'ID2' })
  }

  async status(patient: PatientKey, context: RequestContext) {
    this.#enter(context)
    this.#known(patient)
    const facts: RecordFacts = {
      patient,
      status: 'active',
      brainDeath: false,
      choices: {
        consultationOpposed: false,
        feedOpposed: false,
        breakGlassPermitted: true,
        regulationPermitted: true,
        maskedInEmergencyPermitted: false,
        maskByDefault: false,
      },
      blocked: false,
      treatingPhysician: false,
      authorisation: 'NON_EXISTE',
      informedOfFeeding: false,
      informedEpisodes: [],
      initialConsent: false,
      ...this.facts,
    }
    return { facts, demographics: this.patients.get(patient) }
  }

  async open(patient: PatientKey, demographics: Demographics, context: RequestContext) {
    this.#enter(context)
    const done = this.patients.has(patient) ? 'updated' : 'created'
    this.patients.set(patient, demographics)
    return done
  }

  /** Metadata are judged behind the door. */
  async validate(): Promise<readonly Issue[]> {
    return []
  }

  /** By entryUUID or logicalID, or by the uniqueId that a stand-in is for. */
  #named(id: EntryUuid, { targets }: FeedOptions): DocumentEntry | undefined {
    const name: string = targets?.get(id) ?? id
    return this.entries.find(({ entryUuid, logicalId, uniqueId }) =>
      [entryUuid, logicalId, uniqueId].some((each) => each === name),
    )
  }

  async feed(...[submission, contents, context, options = {}]: Parameters<Operations['feed']>) {
    this.#enter(context)
    const [patient] = submission.entries.map(({ patientId }) => patientKeyOf(patientId))
    if (patient === undefined) throw new GatewayError('XDSRegistryMetadataError')
    this.#known(patient)
    const entries: DocumentEntry[] = []
    for (const entry of submission.entries) {
      const content = contents.get(entry.entryUuid)
      if (content === undefined) throw new GatewayError({ code: 'XDSMissingDocument', location: entry.entryUuid })
      if ((entry.hash ?? content.sha1) !== content.sha1 || (entry.size ?? content.size) !== content.size)
        throw new GatewayError({ code: 'XDSRepositoryMetadataError', location: `${entry.entryUuid}/hash` })
      entries.push({ ...entry, hash: content.sha1, size: content.size, repositoryUniqueId })
    }
    const associations = submission.associations.map((each) => {
      if (each.type === 'HasMember') return each
      const target = this.#named(each.target, options)
      if (target === undefined || patientKeyOf(target.patientId) !== patient)
        throw new GatewayError({
          code: 'UnresolvedReferenceException',
          location: each.entryUuid,
          detail: 'No document is known under this reference: send one that is.',
        })
      if (target.availabilityStatus !== 'Approved') throw new GatewayError('XDSRegistryDeprecatedDocumentError')
      return { ...each, target: target.entryUuid }
    })
    for (const { id, location } of options.superseded ?? [])
      if (!associations.some(({ target }) => target === this.#named(id, options)?.entryUuid))
        throw new GatewayError({ code: 'profile-violation', rule: 'UpdateDocumentRefs', location })
    for (const { type, target } of associations)
      if (type === 'RPLC' || type === 'XFRM_RPLC') {
        const at = this.entries.findIndex(({ entryUuid }) => entryUuid === target)
        const old = this.entries[at]
        if (old) this.entries[at] = { ...old, availabilityStatus: 'Deprecated' }
      }
    for (const entry of entries) {
      const content = contents.get(entry.entryUuid)
      if (content) this.contents.set(entry.entryUuid, await bytesOf(content))
    }
    this.entries.push(...entries)
    this.associations.push(...associations)
    return { submissionSet: submission.submissionSet, entries, at: '2026-11-21T10:00:00.000Z', warnings: [] }
  }

  async find(...[query, context]: Parameters<Operations['find']>): Promise<Findings> {
    this.#enter(context)
    this.queries.push(query)
    const found = this.entries.filter((entry) => {
      if (this.hidden.has(entry.entryUuid)) return false
      if (query.kind === 'FindDocuments')
        return (
          patientKeyOf(entry.patientId) === query.patient &&
          query.statuses.includes(entry.availabilityStatus) &&
          matches(entry, query.criteria)
        )
      if (query.kind !== 'GetDocuments') throw new Error(`the FHIR door does not ask ${query.kind}`)
      const ids: readonly string[] = query.ids
      return query.by === 'uniqueId'
        ? ids.includes(entry.uniqueId)
        : ids.includes(entry.entryUuid) || ids.includes(entry.logicalId)
    })
    if (query.kind === 'FindDocuments') this.#known(query.patient)
    const seen = new Set(found.map(({ entryUuid }) => entryUuid))
    const byId = new Map(this.entries.map((entry) => [entry.entryUuid, entry]))
    return {
      documents: found.map(factsOf),
      submissionSets: [],
      folders: [],
      associations: this.associations.filter(({ type, source }) => type !== 'HasMember' && seen.has(source)),
      async *entries(documents) {
        for (const { entryUuid } of documents) {
          const entry = byId.get(entryUuid)
          if (entry) yield entry
        }
      },
    }
  }

  async retrieve(...[requests, context]: Parameters<Operations['retrieve']>) {
    this.#enter(context)
    const documents = requests.flatMap((request) => {
      const entry = this.entries.find(
        ({ logicalId, entryUuid }) =>
          'logicalId' in request && logicalId === request.logicalId && !this.hidden.has(entryUuid),
      )
      const bytes = entry && this.contents.get(entry.entryUuid)
      return entry && bytes ? [{ request, entry, content: contentOf(bytes, entry.hash ?? '') }] : []
    })
    return { documents, issues: [] }
  }

  update = notAsked
  remove = notAsked
  settings = notAsked
  choose = notAsked
  authorise = notAsked
  close = notAsked
  reopen = notAsked
  brainDeath = notAsked
  copy = notAsked
  rectify = notAsked
  explain = notAsked
  authorised = notAsked

  /** One version of each: nothing here makes another. */
  async versions(...[id, context]: Parameters<Operations['versions']>) {
    const query = { kind: 'GetDocuments', by: 'any', ids: [id] } as const
    const { documents, associations } = await this.find(query, context)
    const [facts] = documents
    const entry = this.entries.find(({ entryUuid }) => entryUuid === facts?.entryUuid)
    if (facts === undefined || entry === undefined) throw new GatewayError('not-found')
    return { versions: [{ entry, facts }], associations }
  }

  async history(_patient: PatientKey, context: RequestContext, { oldestFirst = false }: HistoryOptions = {}) {
    this.#enter(context)
    return traced(this.records, oldestFirst)
  }
}

/** @param records newest first */
async function* traced(records: readonly AccessRecord[], oldestFirst: boolean): AsyncGenerator<TracedAccess> {
  const rows = records.map((record, index) => ({ sequence: records.length - index, record }))
  yield* oldestFirst ? rows.reverse() : rows
}

async function notAsked(): Promise<never> {
  throw new Error('the FHIR door does not ask this')
}

function factsOf(entry: DocumentEntry): DocumentFacts {
  const { entryUuid, logicalId, version, uniqueId, availabilityStatus, creationTime } = entry
  return {
    entryUuid,
    logicalId,
    version,
    uniqueId,
    patient: patientKeyOf(entry.patientId) as PatientKey,
    availabilityStatus,
    confidentiality: entry.confidentialityCodes.map(({ code }) => code),
    authorPersons: [],
    depositedBy: 'structure',
    feedingStructure: structure.id,
    depositedAt: '2026-11-21T10:00:00.000Z',
    updatedAt: '2026-11-21T10:00:00.000Z',
    ...(creationTime === undefined ? {} : { creationTime }),
  }
}

async function bytesOf(content: DocumentContent): Promise<Buffer> {
  return content.bytes ?? buffer(content.stream())
}

function contentOf(bytes: Buffer, sha1: string): DocumentContent {
  const spooled = { size: bytes.length, sha1 }
  return {
    ...spooled,
    stream: (range) => {
      const part = range ? bytes.subarray(range.start, range.end + 1) : bytes
      return readableOf(part)
    },
  }
}

function readableOf(bytes: Buffer): ReturnType<DocumentContent['stream']> {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
    })(),
    { objectMode: false },
  )
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly text: string
  /** The body as JSON; throws when it is none. */
  readonly body: Resource
}

/** One door with its server, its spool folder and its operations. */
export class Door {
  readonly operations = new MemoryOperations()
  readonly logged: { fields: Record<string, unknown>; message: string }[] = []
  readonly #server: Server
  readonly #directory: string
  readonly spool: Spool
  caller: Caller | undefined = professional

  private constructor(options: Partial<FhirParts>) {
    this.#directory = mkdtempSync(path.join(tmpdir(), 'fhir-door-'))
    this.spool = createSpool({ directory: this.#directory, maxBytes: 64 * 1024 * 1024, memoryLimit: 64 * 1024 })
    const log = (fields: object, message: string): void => void this.logged.push({ fields: { ...fields }, message })
    const app = express()
    app.disable('x-powered-by')
    app.disable('etag')
    app.use(
      '/fhir',
      createFhirDoor({
        operations: this.operations,
        identity: {
          fromConnection: () => undefined,
          fromBearer: async () => {
            if (this.caller === undefined) throw new GatewayError('identity-invalid')
            return this.caller
          },
          fromAssertion: async () => professional,
          anonymous: () => undefined,
        },
        spool: this.spool,
        profile: 'ci-sis',
        repositoryUniqueId,
        limits: { maxMetadataBytes: 1024 * 1024, maxDocumentBytes: 32 * 1024 * 1024 },
        log: { info: log, error: log },
        ...options,
      }),
    )
    this.#server = createServer(app)
  }

  static async open(options: Partial<FhirParts> = {}): Promise<Door> {
    const door = new Door(options)
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve))
    return door
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/fhir`
  }

  get directory(): string {
    return this.#directory
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async request(method: string, target: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Reply> {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', 'Bearer test')
    if (headers.get('authorization') === '') headers.delete('authorization')
    const url = /^https?:/.test(target) ? target : this.url + target
    const response = await fetch(url, { ...init, method, headers, redirect: 'manual' })
    const bytes = Buffer.from(await response.arrayBuffer())
    const text = bytes.toString('utf8')
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      text,
      get body(): Resource {
        return JSON.parse(text)
      },
    }
  }

  get(target: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.request('GET', target, { headers })
  }

  send(method: string, target: string, resource: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const body = typeof resource === 'string' || resource instanceof Uint8Array ? resource : JSON.stringify(resource)
    return this.request(method, target, {
      body,
      headers: { 'content-type': 'application/fhir+json', ...headers },
    })
  }
}
