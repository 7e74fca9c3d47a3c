/**
 * Entries of a searchset as they were last written, in JSON. What is written of a document depends on the document, on
 * where this caller reaches the door, and on the links this caller may see: with the first two in the key, and nothing kept
 * of a document that has links, the same bytes serve every answer. Only a cache: who may have the document was decided
 * before it is asked.
 */
import type { DocumentFacts } from '../access/types.ts'
import { ByteCache } from '../byte-cache.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { FhirParts } from './parts.ts'
import { entryOf, type Match } from './searchset.ts'

/** A document as the index knows it, under one base URL. */
export interface FragmentKey {
  readonly facts: DocumentFacts
  readonly baseUrl: string
}

export class Fragments {
  readonly #written: ByteCache

  /** `maxBytes` of JSON are kept; what was not used for longest goes first. */
  constructor(maxBytes = 32 * 1024 * 1024) {
    this.#written = new ByteCache(maxBytes)
  }

  get(key: FragmentKey): Buffer | undefined {
    return this.#written.get(nameOf(key))
  }

  keep(key: FragmentKey, fragment: Buffer): Buffer {
    return this.#written.keep(nameOf(key), fragment)
  }
}

/** One cache a door, which lives as long. */
const ofDoor = new WeakMap<FhirParts, Fragments>()

export function fragmentsOf(door: FhirParts): Fragments {
  let fragments = ofDoor.get(door)
  if (fragments === undefined) {
    fragments = new Fragments()
    ofDoor.set(door, fragments)
  }
  return fragments
}

/** All that the index knows and a resource shows; the rest of an entry does not change under its entryUUID. */
function nameOf({ facts, baseUrl }: FragmentKey): string {
  const { entryUuid, version, availabilityStatus, updatedAt, revision = 0, feedingStructure = '' } = facts
  return [entryUuid, version, availabilityStatus, updatedAt, revision, feedingStructure, baseUrl].join(' ')
}

export interface FragmentSource {
  /** Where written entries are kept; undefined where they are not to be. */
  readonly fragments: Fragments | undefined
  readonly baseUrl: string
  /** Whether something else than the document and its place shows in its resource. */
  hasLinks(facts: DocumentFacts): boolean
  entries(documents: readonly DocumentFacts[]): AsyncIterable<DocumentEntry>
  write(entry: DocumentEntry): Match
}

/** The matches of a page in its order. What was written before is given again; only the rest is read. */
export async function* matchesOf(
  page: readonly DocumentFacts[],
  source: FragmentSource,
): AsyncGenerator<Match | Buffer> {
  const { fragments, baseUrl } = source
  const known = page.map((facts) => {
    const key = source.hasLinks(facts) ? undefined : { facts, baseUrl }
    return { facts, key, fragment: key && fragments?.get(key) }
  })
  const unknown = known.filter(({ fragment }) => fragment === undefined).map(({ facts }) => facts)
  const entries = source.entries(unknown)[Symbol.asyncIterator]()
  try {
    let next = await entries.next()
    for (const { facts, key, fragment } of known) {
      if (fragment) yield fragment
      else if (!next.done && next.value.entryUuid === facts.entryUuid) {
        const match = source.write(next.value)
        yield key && fragments ? fragments.keep(key, Buffer.from(JSON.stringify(entryOf(match)))) : match
        next = await entries.next()
      }
    }
  } finally {
    await entries.return?.()
  }
}
