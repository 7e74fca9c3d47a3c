/** What one request has been told by the DMP so far, so that nothing is asked twice; it goes with the request. */

import type { RelationType } from '../../fhir/mapping/index.ts'
import { newLink } from '../../metadata/association.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { Association } from '../../metadata/model.ts'
import type { Located } from './documents.ts'
import { derivedUuid } from './identity.ts'
import type { LocatedSet } from './lists.ts'

export class Known {
  /** Documents by entryUUID, by any version. */
  readonly documents = new Map<EntryUuid, Located>()
  /** By logicalId, every version that was read. */
  readonly versions = new Map<EntryUuid, readonly Located[]>()
  /** The version in force by its id at the DMP. */
  readonly byId = new Map<string, Located>()
  /** Other ids that lead to a document, by its logicalId: of earlier versions, and those given by this gateway. */
  readonly #names = new Map<string, EntryUuid>()
  /** Ids that this gateway gave at feeding, before the DMP gave its own: they stand for the version in force. */
  readonly #given = new Set<string>()
  readonly sets = new Map<EntryUuid, LocatedSet>()
  readonly associations = new Map<EntryUuid, Association>()

  keep(located: Located): void {
    const { entry, id } = located
    this.documents.set(entry.entryUuid, located)
    const others = (this.versions.get(entry.logicalId) ?? []).filter((each) => each.entry.entryUuid !== entry.entryUuid)
    this.versions.set(entry.logicalId, [...others, located])
    const current = this.byId.get(id)
    if (current === undefined || current.entry.version <= entry.version) this.byId.set(id, located)
  }

  /** What is to be read anew: a change has just been made. */
  forget({ entry, id }: Located): void {
    for (const { entry: each } of this.versions.get(entry.logicalId) ?? []) this.documents.delete(each.entryUuid)
    this.versions.delete(entry.logicalId)
    this.byId.delete(id)
  }

  /** @param given by this gateway at feeding */
  name(id: string, { entry }: Located, given: boolean): void {
    this.#names.set(id, entry.logicalId)
    if (given) this.#given.add(id)
  }

  /** Every version that was read of a document, by any id of it. */
  find(id: string): readonly Located[] {
    const logicalId = this.documents.get(id as EntryUuid)?.entry.logicalId ?? this.#names.get(id) ?? (id as EntryUuid)
    return this.versions.get(logicalId) ?? []
  }

  /** That very version, or the document that was fed under this id. */
  exact(id: string): Located | undefined {
    return this.documents.get(id as EntryUuid) ?? (this.#given.has(id) ? inForce(this.find(id))[0] : undefined)
  }

  isSuperseded({ entry: { logicalId, version } }: Located): boolean {
    return this.versions.get(logicalId)?.some(({ entry }) => entry.version > version) ?? false
  }

  /** An association that FHIR has no id for: the same id each time. */
  link(
    type: 'HasMember' | RelationType,
    source: EntryUuid,
    target: EntryUuid,
    more: Partial<Association> = {},
  ): Association {
    const entryUuid = derivedUuid(`${type} ${source} ${target}`)
    const association = newLink(type, source, target, more, entryUuid)
    this.associations.set(entryUuid, association)
    return association
  }
}

/** Of each document the version with the highest number. */
export function inForce(located: readonly Located[]): readonly Located[] {
  const latest = new Map<EntryUuid, Located>()
  for (const each of located) {
    const known = latest.get(each.entry.logicalId)
    if (known === undefined || known.entry.version < each.entry.version) latest.set(each.entry.logicalId, each)
  }
  return [...latest.values()]
}
