/** TD3.1: the queries of the port as the fewest stored queries of the DMP; what was found once is not asked again. */
import { GatewayError } from '../../errors.ts'
import { compileCriteria, compileSubmissionSetCriteria } from '../../metadata/criteria.ts'
import type { EntryUuid, PatientKey, UniqueId } from '../../metadata/identifiers.ts'
import { isEntryUuid } from '../../metadata/identifiers.ts'
import type { Association, DocumentEntry, SubmissionSet } from '../../metadata/model.ts'
import type { Found, RegistryQuery, RequestContext } from '../../operations/ports.ts'
import type { ReadObjects } from '../../xds/ebrim/reader.ts'
import type { XmlElement } from '../../xml/tree.ts'
import { factsOf } from '../remote/facts.ts'
import { isUser } from '../remote/users.ts'
import type { Calls, Parts } from './calls.ts'
import { referenceEntry } from './reference-entry.ts'
import {
  readFound,
  readObjectRefs,
  storedQueryAction,
  writeFindDocuments,
  writeFindSubmissionSets,
  writeGetAssociations,
  writeGetDocuments,
  writeGetSubmissionSet,
} from './stored-query.ts'

const nothing: Found = { documents: [], submissionSets: [], folders: [], associations: [] }
/** Ids in one GetDocuments (DMP-FACTS §8). */
const batch = 20

type Query<Kind extends RegistryQuery['kind']> = Extract<RegistryQuery, { kind: Kind }>
type By = 'entryUuid' | 'uniqueId' | 'logicalId' | 'any'

/** An entry with the patient it was found for. */
export interface Located {
  readonly entry: DocumentEntry
  readonly patient: PatientKey
}

export class Registry {
  readonly #parts: Parts
  readonly #context: RequestContext
  readonly #calls: Calls
  readonly #entries = new Map<EntryUuid, Located>()
  /** By logicalId. */
  readonly #versions = new Map<EntryUuid, Located[]>()
  readonly #sets = new Map<EntryUuid, { readonly set: SubmissionSet; readonly patient: PatientKey }>()
  readonly #associations = new Map<EntryUuid, Association>()

  constructor(parts: Parts, context: RequestContext, calls: Calls) {
    this.#parts = parts
    this.#context = context
    this.#calls = calls
  }

  async find(query: RegistryQuery): Promise<Found> {
    switch (query.kind) {
      case 'FindDocuments':
        return this.#found(await this.#findDocuments(query), query.allVersions)
      case 'GetDocuments':
        return this.#found(await this.#getDocuments(query.by, query.ids), query.allVersions || query.by === 'entryUuid')
      case 'FindSubmissionSets':
        return { ...nothing, submissionSets: await this.#findSubmissionSets(query) }
      case 'GetSubmissionSets':
        return { ...nothing, submissionSets: await this.#getSubmissionSets(query.by, query.ids) }
      case 'GetAssociations':
        return { ...nothing, associations: await this.#getAssociations(query) }
      // The DMP has no folders
      case 'FindFolders':
      case 'GetFolders':
        return nothing
    }
  }

  async *read(entryUuids: readonly EntryUuid[]): AsyncGenerator<DocumentEntry> {
    const missing = entryUuids.filter((id) => !this.#entries.has(id))
    if (missing.length > 0) await this.#getDocuments('entryUuid', missing)
    for (const id of entryUuids) {
      const found = this.#entries.get(id)
      if (found) yield found.entry
    }
  }

  /** The version in force of a document, by its logicalId or any entryUUID. */
  async current(id: EntryUuid): Promise<DocumentEntry | undefined> {
    const located = await this.#getDocuments('any', [id])
    return inForce(located)[0]?.entry
  }

  /** By the entryUUID of that very version. */
  async located(id: EntryUuid): Promise<Located | undefined> {
    return this.#entries.get(id) ?? (await this.#getDocuments('entryUuid', [id]))[0]
  }

  /** By uniqueId, asked anew: a change has just been made. */
  async again(uniqueId: UniqueId, patient: PatientKey): Promise<readonly DocumentEntry[]> {
    const located = await this.#ask(patient, 'TD3.1', writeGetDocuments('uniqueId', [uniqueId]))
    return inForce(located).map(({ entry }) => entry)
  }

  /** A structure, and whoever comes behind its certificate alone, is told references of its own only. */
  get #ownOnly(): boolean {
    const { kind } = this.#context.caller
    return kind === 'structure' || kind === 'staff'
  }

  #found(located: readonly Located[], everyVersion = false): Found {
    const kept = everyVersion ? located : inForce(located)
    const own = this.#ownOnly ? this.#calls.presented('own', undefined).structure : undefined
    const documents = kept.map(({ entry, patient }) => ({
      ...factsOf(entry, patient, own),
      ...(this.#isSuperseded(entry) && { superseded: true as const }),
    }))
    // Newest first, then by entryUUID, whatever the order of the DMP
    documents.sort(
      (a, b) => (b.creationTime ?? '').localeCompare(a.creationTime ?? '') || (a.entryUuid < b.entryUuid ? -1 : 1),
    )
    return { ...nothing, documents }
  }

  #isSuperseded({ logicalId, version }: DocumentEntry): boolean {
    return this.#versions.get(logicalId)?.some(({ entry }) => entry.version > version) ?? false
  }

  async #findDocuments(query: Query<'FindDocuments'>): Promise<readonly Located[]> {
    const { patient, statuses, criteria } = query
    if (statuses.length === 0) return []
    const { uniqueIds, entryUuids } = criteria
    const ids = uniqueIds ?? entryUuids
    const by = uniqueIds === undefined ? 'any' : 'uniqueId'
    const found =
      ids === undefined
        ? await this.#ask(patient, 'TD3.1', writeFindDocuments(patient, statuses, criteria))
        : await this.#getDocuments(by, ids, patient)
    // What TD3.1b tells of a document is too little to be compared with anything
    if (this.#ownOnly) return found
    // An id may be of an earlier version, by which the DMP does not know the document any more
    const { entryUuids: _, ...rest } = criteria
    const matches = compileCriteria(rest)
    return found.filter(({ entry }) => statuses.includes(entry.availabilityStatus) && matches(entry))
  }

  /** @param asked the patient, where the request names one; else as far as it is known whose a document is */
  async #getDocuments(by: By, ids: readonly string[], asked?: PatientKey): Promise<readonly Located[]> {
    // What a patient's history is about cannot be asked for the patient: as if it were hidden
    if (!isUser(this.#context.caller)) return []
    const found = new Map<EntryUuid, Located>()
    const wanted = new Map<PatientKey, { readonly uniqueIds: Set<string>; readonly entryUuids: Set<string> }>()
    for (const id of new Set(ids)) {
      const known = this.#known(by, id)
      for (const each of known) found.set(each.entry.entryUuid, each)
      if (known.length > 0 || ((by === 'any' || by === 'logicalId') && !isEntryUuid(id))) continue
      const reference = this.#parts.references.find(id)
      const patient = asked ?? this.#context.caller.patient ?? reference?.patient
      if (patient === undefined) continue
      const group = wanted.get(patient) ?? { uniqueIds: new Set(), entryUuids: new Set() }
      wanted.set(patient, group)
      // A uniqueId stays with a document over its versions; a structure can ask by nothing else
      if (by === 'uniqueId') group.uniqueIds.add(id)
      else if (reference !== undefined && (by !== 'entryUuid' || this.#ownOnly)) group.uniqueIds.add(reference.uniqueId)
      else if (!this.#ownOnly) group.entryUuids.add(id)
    }
    for (const [patient, { uniqueIds, entryUuids }] of wanted)
      for (const [name, group] of [
        ['uniqueId', uniqueIds],
        ['entryUuid', entryUuids],
      ] as const)
        for (const some of chunks([...group]))
          for (const each of await this.#get(patient, name, some)) found.set(each.entry.entryUuid, each)
    return [...found.values()]
  }

  #known(by: By, id: string): readonly Located[] {
    if (by === 'entryUuid') {
      const found = this.#entries.get(id as EntryUuid)
      return found ? [found] : []
    }
    if (by === 'uniqueId') return []
    const versions = this.#versions.get(id as EntryUuid)
    if (versions !== undefined) return versions
    const found = by === 'any' ? this.#entries.get(id as EntryUuid) : undefined
    return found ? (this.#versions.get(found.entry.logicalId) ?? []) : []
  }

  async #get(patient: PatientKey, by: 'uniqueId' | 'entryUuid', ids: readonly string[]): Promise<readonly Located[]> {
    if (!this.#ownOnly || this.#parts.options.ownReferences === 'LeafClass')
      return this.#ask(patient, this.#ownOnly ? 'TD3.1b' : 'TD3.1', writeGetDocuments(by, ids))
    // One at a time: an answer of references does not say which is whose
    const found: Located[] = []
    for (const uniqueId of ids as readonly UniqueId[]) {
      const answer = await this.#query(patient, 'TD3.1b', writeGetDocuments('uniqueId', [uniqueId], 'ObjectRef'))
      // Of several the last is in force (DMP-SERVICES §4.2)
      const entryUuid = readObjectRefs(answer).at(-1)
      if (entryUuid === undefined) continue
      if (!isEntryUuid(entryUuid))
        throw new GatewayError('dmp-answer-invalid', { detail: 'A reference in the answer is no urn:uuid:.' })
      found.push({
        entry: referenceEntry(entryUuid, uniqueId, patient, this.#parts.options.repositoryUniqueId),
        patient,
      })
    }
    return this.#keep(found)
  }

  async #findSubmissionSets(query: Query<'FindSubmissionSets'>): Promise<readonly SubmissionSet[]> {
    const { patient, statuses, criteria } = query
    if (statuses.length === 0 || this.#ownOnly) return []
    const times = criteria.submissionTime ?? []
    const body = writeFindSubmissionSets(patient, statuses, times.length === 1 ? times[0] : undefined)
    const { submissionSets } = await this.#objects(patient, body)
    const matches = compileSubmissionSetCriteria(criteria)
    return submissionSets.filter((set) => statuses.includes(set.availabilityStatus) && matches(set))
  }

  async #getSubmissionSets(by: By, ids: readonly string[]): Promise<readonly SubmissionSet[]> {
    if (this.#ownOnly) return []
    const sets = new Map<EntryUuid, SubmissionSet>()
    for (const id of new Set(ids)) {
      const known = [...this.#sets.values()].find(
        ({ set }) => (by === 'uniqueId' ? set.uniqueId : set.entryUuid) === id,
      )
      const patient = this.#context.caller.patient ?? this.#parts.references.find(id)?.patient
      if (known !== undefined) sets.set(known.set.entryUuid, known.set)
      else if (patient !== undefined) {
        const body = writeGetSubmissionSet(by === 'uniqueId' ? 'uniqueId' : 'entryUuid', id)
        for (const set of (await this.#objects(patient, body)).submissionSets) sets.set(set.entryUuid, set)
      }
    }
    return [...sets.values()]
  }

  async #getAssociations({ by, ids, statuses }: Query<'GetAssociations'>): Promise<readonly Association[]> {
    const wanted = new Set<EntryUuid>(ids)
    if (by === 'entryUuid') return [...this.#associations.values()].filter(({ entryUuid }) => wanted.has(entryUuid))
    if (this.#ownOnly) return []
    const groups = new Map<PatientKey, EntryUuid[]>()
    for (const id of wanted) {
      const patient =
        this.#entries.get(id)?.patient ??
        this.#sets.get(id)?.patient ??
        this.#context.caller.patient ??
        this.#parts.references.find(id)?.patient
      const group = patient && groups.get(patient)
      if (group) group.push(id)
      else if (patient !== undefined) groups.set(patient, [id])
    }
    const associations: Association[] = []
    for (const [patient, some] of groups)
      for (const chunk of chunks(some))
        associations.push(...(await this.#objects(patient, writeGetAssociations(chunk))).associations)
    const touching = associations.filter(({ source, target }) => wanted.has(source) || wanted.has(target))
    return touching.filter(({ availabilityStatus }) => statuses?.includes(availabilityStatus) ?? true)
  }

  async #ask(patient: PatientKey, transaction: string, body: Buffer): Promise<readonly Located[]> {
    const { entries } = readFound(await this.#query(patient, transaction, body))
    return this.#keep(entries.map((entry) => ({ entry, patient })))
  }

  async #objects(patient: PatientKey, body: Buffer): Promise<ReadObjects> {
    const objects = readFound(await this.#query(patient, 'TD3.1', body))
    this.#keep(objects.entries.map((entry) => ({ entry, patient })))
    for (const set of objects.submissionSets) this.#sets.set(set.entryUuid, { set, patient })
    for (const association of objects.associations) this.#associations.set(association.entryUuid, association)
    this.#parts.references.remember(objects.submissionSets, patient)
    return objects
  }

  #keep(located: readonly Located[]): readonly Located[] {
    const groups = new Map<PatientKey, DocumentEntry[]>()
    for (const each of located) {
      const { entry, patient } = each
      const versions = (this.#versions.get(entry.logicalId) ?? []).filter(
        (known) => known.entry.entryUuid !== entry.entryUuid,
      )
      this.#entries.set(entry.entryUuid, each)
      this.#versions.set(entry.logicalId, [...versions, each])
      const group = groups.get(patient)
      if (group) group.push(entry)
      else groups.set(patient, [entry])
    }
    for (const [patient, entries] of groups) this.#parts.references.remember(entries, patient)
    return located
  }

  #query(patient: PatientKey, transaction: string, body: Buffer): Promise<XmlElement> {
    const use = this.#ownOnly ? 'own' : 'person'
    return this.#calls.ask({ transaction, service: 'registry', action: storedQueryAction, body, use, patient })
  }
}

/** Of each document the version with the highest number. */
function inForce(located: readonly Located[]): readonly Located[] {
  const latest = new Map<EntryUuid, Located>()
  for (const each of located) {
    const known = latest.get(each.entry.logicalId)
    if (known === undefined || known.entry.version < each.entry.version) latest.set(each.entry.logicalId, each)
  }
  return [...latest.values()]
}

function chunks<T>(values: readonly T[]): readonly (readonly T[])[] {
  const pieces: (readonly T[])[] = []
  for (let start = 0; start < values.length; start += batch) pieces.push(values.slice(start, start + batch))
  return pieces
}
