/**
 * Associations, which FHIR tells as relatesTo of the document they start at and as entries of Lists. Those that lead to a
 * document stand elsewhere than with it: they are found by looking at everything the patient has.
 */
import { isRelationType, uniqueIdOf } from '../../fhir/mapping/index.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Association } from '../../metadata/model.ts'
import type { RegistryQuery } from '../../operations/ports.ts'
import type { Base } from './base.ts'
import type { Located } from './documents.ts'
import { inForce } from './known.ts'
import type { LocatedSet } from './lists.ts'
import type { Registry } from './registry.ts'

type Query = Extract<RegistryQuery, { kind: 'GetAssociations' }>

export class Relations {
  readonly #registry: Registry
  readonly #base: Pick<Base, 'idIn'>
  /** Patients of whom everything was asked. */
  readonly #whole = new Map<PatientKey, Promise<void>>()

  constructor(registry: Registry, base: Pick<Base, 'idIn'>) {
    this.#registry = registry
    this.#base = base
  }

  async find({ by = 'end', end, ids, statuses }: Query): Promise<readonly Association[]> {
    const { known } = this.#registry
    const wanted = new Set<string>(ids)
    if (by === 'entryUuid') return [...known.associations.values()].filter(({ entryUuid }) => wanted.has(entryUuid))
    const { documents, sets } = await this.#ends(ids)
    const found = new Map<string, Association>()
    const keep = (associations: readonly Association[]) => {
      for (const each of associations) found.set(each.entryUuid, each)
    }
    await this.#lookUp(documents, sets)
    for (const set of sets) keep(this.#members(set))
    for (const document of documents) keep(this.#startingAt(document))
    if (end !== 'source' && documents.length > 0)
      for (const patient of new Set(documents.map((document) => document.patient))) keep(await this.#ofPatient(patient))
    return [...found.values()].filter(
      ({ source, target, availabilityStatus }) =>
        (wanted.has(source) || wanted.has(target)) && (statuses?.includes(availabilityStatus) ?? true),
    )
  }

  async #ends(
    ids: Query['ids'],
  ): Promise<{ readonly documents: readonly Located[]; readonly sets: readonly LocatedSet[] }> {
    const { known } = this.#registry
    const documents: Located[] = []
    const sets: LocatedSet[] = []
    for (const id of ids) {
      const set = known.sets.get(id)
      const document = set ? undefined : await this.#registry.located(id)
      const found = set ?? (document ? undefined : await this.#registry.locatedSet(id))
      if (document) documents.push(document)
      if (found) sets.push(found)
    }
    return { documents, sets }
  }

  /** Everything that links what the caller is told of a patient. */
  async #ofPatient(patient: PatientKey): Promise<readonly Association[]> {
    const { known } = this.#registry
    const asked = this.#whole.get(patient) ?? this.#registry.everything(patient)
    this.#whole.set(patient, asked)
    await asked
    const associations: Association[] = []
    for (const document of inForce([...known.documents.values()]))
      if (document.patient === patient) associations.push(...this.#startingAt(document))
    for (const set of known.sets.values()) if (set.patient === patient) associations.push(...this.#members(set))
    return associations
  }

  /** Documents that these lead to, and that are not known yet. */
  async #lookUp(documents: readonly Located[], sets: readonly LocatedSet[]): Promise<void> {
    const ids = new Map<PatientKey, string[]>()
    const add = (patient: PatientKey, some: readonly string[]) =>
      ids.set(patient, [...(ids.get(patient) ?? []), ...some])
    for (const { patient, relations } of documents)
      add(
        patient,
        relations.flatMap(({ target }) => this.#idOf(target.reference) ?? []),
      )
    for (const { patient, members } of sets) add(patient, members)
    for (const [patient, some] of ids) await this.#registry.byIds(patient, some)
  }

  #idOf(reference = ''): string | undefined {
    return this.#base.idIn(reference, 'DocumentReference')
  }

  /** What is not told of is not linked to. */
  #startingAt({ entry, patient, relations }: Located): readonly Association[] {
    const { known } = this.#registry
    return relations.flatMap(({ type, target, documentation }) => {
      const id = this.#idOf(target.reference)
      const uniqueId = target.identifier && uniqueIdOf(target.identifier)
      const found =
        id === undefined
          ? inForce([...known.documents.values()]).find((each) => each.entry.uniqueId === uniqueId)
          : known.byId.get(id)
      if (found === undefined || found.patient !== patient || !isRelationType(type)) return []
      return known.link(type, entry.entryUuid, found.entry.entryUuid, documentation && { documentation })
    })
  }

  #members({ set, patient, members }: LocatedSet): readonly Association[] {
    const { known } = this.#registry
    return members.flatMap((id) => {
      const found = known.byId.get(id)
      return found?.patient === patient ? known.link('HasMember', set.entryUuid, found.entry.entryUuid) : []
    })
  }
}
