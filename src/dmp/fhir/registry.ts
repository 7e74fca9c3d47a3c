/** TD3.1: the queries of the port as searches and reads of FHIR, the fewest that answer them. */
import type { SearchParams } from 'fhir-kit-client'
import { GatewayError } from '../../errors.ts'
import { compileCriteria, compileSubmissionSetCriteria } from '../../metadata/criteria.ts'
import { type EntryUuid, isEntryUuid, type PatientKey } from '../../metadata/identifiers.ts'
import type { DocumentEntry, SubmissionSet } from '../../metadata/model.ts'
import type { Found, RegistryQuery, RequestContext } from '../../operations/ports.ts'
import { isUser } from '../remote/users.ts'
import { invalid } from './answers.ts'
import type { Asking, FhirPeer } from './client.ts'
import { documentFacts, type Located, type Reader, readDocument } from './documents.ts'
import { inForce, Known } from './known.ts'
import { type LocatedSet, readList } from './lists.ts'
import type { Parts } from './parts.ts'
import { Relations } from './relations.ts'
import {
  documentParameters,
  documentStatus,
  everyStatus,
  identifierParameter,
  patientParameters,
  setParameters,
} from './search-parameters.ts'
import { presented } from './token.ts'

const nothing: Found = { documents: [], submissionSets: [], folders: [], associations: [] }
/** Identifiers in one search. */
const batch = 20
/** Documents that one request may name by ids that nothing is known of: each is read by itself. */
const mostReads = 100

type Query<Kind extends RegistryQuery['kind']> = Extract<RegistryQuery, { kind: Kind }>
type By = 'entryUuid' | 'uniqueId' | 'logicalId' | 'any'

export class Registry {
  readonly known = new Known()
  readonly #parts: Parts
  readonly #context: RequestContext
  readonly #peer: FhirPeer
  readonly #reader: Reader
  readonly #relations: Relations
  #reads = 0

  constructor(parts: Parts, context: RequestContext, peer: FhirPeer, patientOf: Reader['patientOf']) {
    this.#parts = parts
    this.#context = context
    this.#peer = peer
    this.#reader = { base: parts.base, repositoryUniqueId: parts.options.repositoryUniqueId, patientOf }
    this.#relations = new Relations(this, parts.base)
  }

  async find(query: RegistryQuery): Promise<Found> {
    // What a patient's history is about cannot be asked for the patient: as if it were hidden
    if (!isUser(this.#context.caller)) return nothing
    switch (query.kind) {
      case 'FindDocuments':
        return this.#found(await this.#findDocuments(query), query.allVersions)
      case 'GetDocuments': {
        const exact = query.by === 'entryUuid'
        return this.#found(
          await this.#getDocuments(query.by, query.ids, { all: query.allVersions === true }),
          exact || query.allVersions,
        )
      }
      case 'FindSubmissionSets':
        return this.#foundSets(await this.#findSets(query))
      case 'GetSubmissionSets':
        return this.#foundSets(await this.#getSets(query.by, query.ids))
      case 'GetAssociations':
        return this.#ownOnly ? nothing : { ...nothing, associations: await this.#relations.find(query) }
      // The DMP has no folders
      case 'FindFolders':
      case 'GetFolders':
        return nothing
    }
  }

  async *read(entryUuids: readonly EntryUuid[]): AsyncGenerator<DocumentEntry> {
    const missing = entryUuids.filter((id) => this.known.exact(id) === undefined)
    if (missing.length > 0) await this.#getDocuments('entryUuid', missing)
    for (const id of entryUuids) {
      const found = this.known.exact(id)
      if (found) yield found.entry
    }
  }

  /** All metadata versions of a document, newest first. */
  async versions(id: EntryUuid): Promise<readonly DocumentEntry[]> {
    const located = await this.#getDocuments('any', [id], { all: true })
    return located.map(({ entry }) => entry).sort((a, b) => b.version - a.version)
  }

  /** The version in force of a document, by its logicalId or any entryUUID. */
  async current(id: EntryUuid): Promise<Located | undefined> {
    return inForce(await this.#getDocuments('any', [id]))[0]
  }

  /** By the entryUUID of that very version. */
  async located(id: EntryUuid): Promise<Located | undefined> {
    return this.known.exact(id) ?? (await this.#getDocuments('entryUuid', [id]))[0]
  }

  /** By the entryUUID. */
  async locatedSet(id: EntryUuid): Promise<LocatedSet | undefined> {
    return (await this.#getSets('entryUuid', [id]))[0]
  }

  /** A document out of the answer to a change of it; undefined where the DMP did not give it. */
  take(answer: unknown, patient: PatientKey, id: string): Located | undefined {
    if (typeof answer !== 'object' || answer === null || !('resourceType' in answer)) return undefined
    if (answer.resourceType !== 'DocumentReference') return undefined
    const located = readDocument(answer, this.#reader, patient)
    return located.id === id ? this.#keep(located) : undefined
  }

  /** A document by its id at the DMP, asked anew. */
  again(patient: PatientKey, id: string): Promise<Located | undefined> {
    return this.#readOne(id, patient)
  }

  /** Documents of a patient by their ids at the DMP; those it does not tell of are left out. */
  async byIds(patient: PatientKey, ids: readonly string[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.known.byId.has(id))
    if (missing.length === 0) return
    const declared = await this.#parts.capabilities.get()
    if (missing.length > 1 && declared.searches('DocumentReference', '_id'))
      for (const some of chunks(missing))
        await this.searchDocuments(patient, { _id: some.join(','), ...documentStatus(everyStatus, declared) })
    else for (const id of missing) await this.#readOne(id, patient)
  }

  /** Everything that the caller is told of a patient: documents of every status, and lots. */
  async everything(patient: PatientKey): Promise<void> {
    await this.searchDocuments(patient, documentStatus(everyStatus, await this.#parts.capabilities.get()))
    await this.#searchSets(patient, setParameters(patient, everyStatus))
  }

  /** A structure, and whoever comes behind its certificate alone, is told of its own documents only. */
  get #ownOnly(): boolean {
    const { kind } = this.#context.caller
    return kind === 'structure' || kind === 'staff'
  }

  /** @param patient whom the request is about, where that is known */
  asking(patient: PatientKey | undefined): Asking {
    return this.#ownOnly
      ? { transaction: 'TD3.1b', use: 'own', patient: patient ?? this.#context.caller.patient }
      : { transaction: 'TD3.1', use: 'person', patient: patient ?? this.#context.caller.patient }
  }

  #found(located: readonly Located[], everyVersion = false): Found {
    const kept = everyVersion ? located : inForce(located)
    const own = this.#ownOnly ? presented(this.#parts.options, this.#context, 'own').structure : undefined
    const documents = kept.map((each) => ({
      ...documentFacts(each, own),
      ...(this.known.isSuperseded(each) && { superseded: true as const }),
    }))
    // Newest first, then by entryUUID, whatever the order of the DMP
    documents.sort(
      (a, b) => (b.creationTime ?? '').localeCompare(a.creationTime ?? '') || (a.entryUuid < b.entryUuid ? -1 : 1),
    )
    return { ...nothing, documents }
  }

  #foundSets(sets: readonly LocatedSet[]): Found {
    const updates = sets.flatMap(({ set, updatedAt }) => (updatedAt ? [[set.entryUuid, updatedAt] as const] : []))
    return { ...nothing, submissionSets: sets.map(({ set }) => set), updates: new Map(updates) }
  }

  async #findDocuments(query: Query<'FindDocuments'>): Promise<readonly Located[]> {
    const { patient, statuses, criteria, allVersions = false } = query
    if (statuses.length === 0) return []
    const { uniqueIds, entryUuids } = criteria
    const ids = uniqueIds ?? entryUuids
    const by = uniqueIds === undefined ? 'any' : 'uniqueId'
    const found = ids === undefined ? await this.#searchMatching(query) : await this.#getDocuments(by, ids, { patient })
    const every = allVersions ? await this.#withHistory(found) : found
    // An id may be of an earlier version, or one that this gateway gave
    const { entryUuids: _, ...rest } = criteria
    const matches = compileCriteria(rest)
    return every.filter(({ entry }) => statuses.includes(entry.availabilityStatus) && matches(entry))
  }

  async #searchMatching({ patient, statuses, criteria }: Query<'FindDocuments'>): Promise<readonly Located[]> {
    const declared = await this.#parts.capabilities.get()
    return this.searchDocuments(patient, {
      ...documentStatus(statuses, declared),
      ...documentParameters(criteria, declared),
    })
  }

  async #getDocuments(
    by: By,
    ids: readonly string[],
    { patient: asked, all = false }: { readonly patient?: PatientKey; readonly all?: boolean } = {},
  ): Promise<readonly Located[]> {
    const wanted = [...new Set(ids)]
    await this.#fetch(by, wanted, asked)
    const found = new Map<EntryUuid, Located>()
    for (const id of wanted) {
      const located =
        by === 'uniqueId' ? this.#withUniqueId(id) : by === 'entryUuid' ? await this.#exactly(id) : this.known.find(id)
      const kept = by === 'entryUuid' ? located : inForce(located)
      for (const each of all ? await this.#withHistory(kept) : kept)
        if (asked === undefined || each.patient === asked) found.set(each.entry.entryUuid, each)
    }
    return [...found.values()]
  }

  #withUniqueId(uniqueId: string): readonly Located[] {
    return inForce([...this.known.documents.values()].filter(({ entry }) => entry.uniqueId === uniqueId))
  }

  async #exactly(id: string): Promise<readonly Located[]> {
    const found = this.known.exact(id)
    if (found !== undefined) return [found]
    // An earlier version of a document that is known by this id
    const every = await this.#withHistory(this.known.find(id))
    return every.filter(({ entry }) => entry.entryUuid === id)
  }

  /** Sees to it that what the ids name is known, as far as the DMP tells: in one search a patient where it can be. */
  async #fetch(by: By, ids: readonly string[], asked: PatientKey | undefined): Promise<void> {
    const wanted = new Map<PatientKey, Map<string, string[]>>()
    for (const id of ids) {
      if (by !== 'uniqueId' && this.known.find(id).length > 0) continue
      const reference = this.#parts.references.find(id)
      const patient = asked ?? this.#context.caller.patient ?? reference?.patient
      const uniqueId = by === 'uniqueId' ? id : reference?.uniqueId
      if (patient !== undefined && uniqueId !== undefined) {
        const group = wanted.get(patient) ?? new Map<string, string[]>()
        wanted.set(patient, group.set(uniqueId, [...(group.get(uniqueId) ?? []), id]))
      } else if (by !== 'uniqueId' && isEntryUuid(id)) await this.#readNamed(id, patient)
    }
    const declared = wanted.size > 0 ? await this.#parts.capabilities.get() : undefined
    for (const [patient, group] of wanted)
      for (const some of declared ? chunks([...group.keys()]) : [])
        await this.searchDocuments(patient, {
          ...identifierParameter(some),
          ...(declared && documentStatus(everyStatus, declared)),
        })
    for (const group of wanted.values())
      for (const [uniqueId, names] of group) this.#alias(this.#withUniqueId(uniqueId)[0], names)
  }

  /** A read answers to any id that the DMP ever gave a document; what it gives is the version in force. */
  async #readNamed(id: EntryUuid, patient: PatientKey | undefined): Promise<void> {
    if (++this.#reads > mostReads)
      throw new GatewayError('over-limit', {
        detail: `A request may name ${mostReads} documents that this gateway has not met: ask for fewer at a time.`,
      })
    const located = await this.#readOne(id.slice('urn:uuid:'.length), patient)
    if (located !== undefined && this.known.find(id).length === 0) this.known.name(id, located, false)
  }

  #alias(located: Located | undefined, names: readonly string[]): void {
    for (const name of names) {
      if (located === undefined || this.known.find(name).length > 0) continue
      this.known.name(name, located, this.#parts.references.find(name)?.fed === true)
    }
  }

  async #readOne(id: string, patient: PatientKey | undefined): Promise<Located | undefined> {
    const body = await this.#peer.read(this.asking(patient), 'DocumentReference', id)
    return body === undefined
      ? undefined
      : this.#keep(readDocument(body, this.#reader, patient ?? this.#context.caller.patient))
  }

  async #withHistory(located: readonly Located[]): Promise<readonly Located[]> {
    const every = new Map(located.map((each) => [each.entry.entryUuid, each]))
    const declared = await this.#parts.capabilities.get()
    for (const { entry, id, patient } of located) {
      if (entry.version > 1 && declared.can('DocumentReference', 'history-instance')) {
        const versions = (this.known.versions.get(entry.logicalId) ?? []).length
        const told =
          versions < entry.version ? await this.#peer.history(this.asking(patient), 'DocumentReference', id) : []
        for (const body of told) this.#keepVersion(readDocument(body, this.#reader, patient), entry)
      }
      for (const each of this.known.versions.get(entry.logicalId) ?? []) every.set(each.entry.entryUuid, each)
    }
    return [...every.values()]
  }

  #keepVersion(version: Located, { logicalId }: DocumentEntry): void {
    if (version.entry.logicalId !== logicalId) throw invalid('a history in it has versions of several documents')
    if (!this.known.documents.has(version.entry.entryUuid)) this.known.keep(version)
  }

  async searchDocuments(patient: PatientKey, parameters: SearchParams): Promise<readonly Located[]> {
    const found = await this.#peer.search(this.asking(patient), 'DocumentReference', {
      ...patientParameters(patient),
      ...parameters,
    })
    const located = found.map((body) => readDocument(body, this.#reader, patient))
    requireDistinct(located.map(({ entry }) => entry.entryUuid))
    return located.map((each) => this.#keep(each))
  }

  #keep(located: Located): Located {
    this.known.keep(located)
    this.#parts.references.remember([located.entry], located.patient)
    return located
  }

  async #findSets({ patient, statuses, criteria }: Query<'FindSubmissionSets'>): Promise<readonly LocatedSet[]> {
    if (statuses.length === 0 || this.#ownOnly) return []
    const found = await this.#searchSets(patient, setParameters(patient, statuses))
    const matches = compileSubmissionSetCriteria(criteria)
    return found.filter(({ set }) => statuses.includes(set.availabilityStatus) && matches(set))
  }

  async #searchSets(patient: PatientKey, parameters: SearchParams): Promise<readonly LocatedSet[]> {
    const declared = await this.#parts.capabilities.get()
    if (!declared.can('List', 'search-type')) return []
    const found = await this.#peer.search(this.asking(patient), 'List', parameters)
    const located = found.flatMap((body) => readList(body, this.#reader, patient) ?? [])
    requireDistinct(located.map(({ set }) => set.entryUuid))
    for (const each of located) this.#keepSet(each)
    return located
  }

  async #getSets(by: By, ids: readonly string[]): Promise<readonly LocatedSet[]> {
    const found = new Map<EntryUuid, LocatedSet>()
    for (const id of this.#ownOnly ? [] : new Set(ids)) {
      const known = [...this.known.sets.values()].find(
        ({ set }) => (by === 'uniqueId' ? set.uniqueId : set.entryUuid) === id,
      )
      const located = known ?? (await this.#fetchSet(by, id))
      if (located !== undefined) found.set(located.set.entryUuid, located)
    }
    return [...found.values()]
  }

  async #fetchSet(by: By, id: string): Promise<LocatedSet | undefined> {
    const reference = this.#parts.references.find(id)
    const patient = this.#context.caller.patient ?? reference?.patient
    const uniqueId = by === 'uniqueId' ? id : reference?.uniqueId
    if (patient !== undefined && uniqueId !== undefined) {
      const parameters = { ...setParameters(patient, everyStatus), ...identifierParameter([uniqueId]) }
      return (await this.#searchSets(patient, parameters)).find(({ set }) => set.uniqueId === uniqueId)
    }
    if (by === 'uniqueId' || !isEntryUuid(id)) return undefined
    const body = await this.#peer.read(this.asking(patient), 'List', id.slice('urn:uuid:'.length))
    const located = body === undefined ? undefined : readList(body, this.#reader, patient)
    if (located !== undefined) this.#keepSet(located)
    return located
  }

  #keepSet(located: LocatedSet): void {
    const { set, patient } = located
    this.known.sets.set(set.entryUuid, located)
    this.#parts.references.remember([set as SubmissionSet], patient)
  }
}

/** @throws GatewayError dmp-answer-invalid: two resources that are one object of metadata */
function requireDistinct(ids: readonly string[]): void {
  if (new Set(ids).size < ids.length) throw invalid('an object is in it twice')
}

function chunks<T>(values: readonly T[]): readonly (readonly T[])[] {
  const pieces: (readonly T[])[] = []
  for (let start = 0; start < values.length; start += batch) pieces.push(values.slice(start, start + batch))
  return pieces
}
