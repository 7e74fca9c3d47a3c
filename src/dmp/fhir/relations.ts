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
    for (const set of sets) keep(await this.#members(set))
    for (const document of documents) keep(await this.#startingAt(document, true))
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
      if (document.patient === patient) associations.push(...(await this.#startingAt(document, false)))
    for (const set of known.sets.values()) if (set.patient === patient) associations.push(...(await this.#members(set)))
    return associations
  }

  /** @param look for documents that are not known yet; what is not told of is not linked to */
  async #startingAt({ entry, patient, relations }: Located, look: boolean): Promise<readonly Association[]> {
    const { known } = this.#registry
    const named = relations.map((relation) => ({
      relation,
      id: this.#base.idIn(relation.target.reference ?? '', 'DocumentReference'),
    }))
    if (look)
      await this.#registry.byIds(
        patient,
        named.flatMap(({ id }) => id ?? []),
      )
    return named.flatMap(({ relation: { type, target, documentation }, id }) => {
      const uniqueId = target.identifier && uniqueIdOf(target.identifier)
      const found =
        id === undefined
          ? inForce([...known.documents.values()]).find((each) => each.entry.uniqueId === uniqueId)
          : known.byId.get(id)
      if (found === undefined || found.patient !== patient || !isRelationType(type)) return []
      return known.link(type, entry.entryUuid, found.entry.entryUuid, documentation && { documentation })
    })
  }

  async #members({ set, patient, members }: LocatedSet): Promise<readonly Association[]> {
    const { known } = this.#registry
    await this.#registry.byIds(patient, members)
    return members.flatMap((id) => {
      const found = known.byId.get(id)
      return found?.patient === patient ? known.link('HasMember', set.entryUuid, found.entry.entryUuid) : []
    })
  }
}
