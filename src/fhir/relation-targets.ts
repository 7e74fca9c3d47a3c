/** The stored documents that a message points to: relatesTo, and the entries that set them to superseded. */
import type { Identifier } from '@medplum/fhirtypes'
import { type EntryUuid, isEntryUuid, newEntryUuid, type UniqueId } from '../metadata/identifiers.ts'
import { uniqueIdOf } from './mapping/index.ts'

/** The id in `DocumentReference/ID` or in its absolute URL here. */
export function documentIdIn(reference: string, baseUrl: string): string | undefined {
  const relative = reference.startsWith(`${baseUrl}/`) ? reference.slice(baseUrl.length + 1) : reference
  return /^DocumentReference\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(relative)?.[1]
}

/** A FHIR id, or `urn:uuid:`, as the entryUUID or logicalID it is; which version is in force the operation finds out. */
export function toEntryReference(reference: string, baseUrl: string): EntryUuid | undefined {
  const id = documentIdIn(reference, baseUrl)
  const uuid = (id === undefined ? reference : `urn:uuid:${id}`).toLowerCase()
  return isEntryUuid(uuid) ? uuid : undefined
}

/** Documents of one message, each by one name: those named by identifier are looked up when the message is fed. */
export class Targets {
  readonly #baseUrl: string
  readonly #standIns = new Map<UniqueId, EntryUuid>()

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl
  }

  /** Undefined for what can name no document here. */
  idOf({ reference, identifier }: { readonly reference?: string; readonly identifier?: Identifier }) {
    const direct = reference === undefined ? undefined : toEntryReference(reference, this.#baseUrl)
    if (direct !== undefined) return direct
    const uniqueId = identifier && uniqueIdOf(identifier)
    if (uniqueId === undefined) return undefined
    const standIn = this.#standIns.get(uniqueId) ?? newEntryUuid()
    this.#standIns.set(uniqueId, standIn)
    return standIn
  }

  /** For operations.feed: which uniqueId each stand-in is for. */
  get standIns(): ReadonlyMap<EntryUuid, UniqueId> {
    return new Map([...this.#standIns].map(([uniqueId, standIn]) => [standIn, uniqueId]))
  }
}
