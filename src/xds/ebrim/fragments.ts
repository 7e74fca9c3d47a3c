/**
 * ExtrinsicObjects as they were last written. An entry never changes under its entryUUID but for its status (a change of
 * metadata is a new version with a new entryUUID, ITI TF-2 3.57), and what is written of it depends on no caller: so the
 * same bytes serve every answer. Only a cache; who may have the entry was decided before it is asked.
 */
import type { DocumentFacts } from '../../access/types.ts'
import type { DocumentEntry } from '../../metadata/model.ts'
import { XmlWriter } from '../../xml/writer.ts'
import { writeDocumentEntry } from './writer.ts'

type Key = Pick<DocumentFacts, 'entryUuid' | 'version' | 'availabilityStatus'>

export class Fragments {
  readonly #maxBytes: number
  /** In the order of last use, the oldest first. */
  readonly #fragments = new Map<string, Buffer>()
  #bytes = 0

  /** `maxBytes` of XML are kept; what was not used for longest goes first. */
  constructor(maxBytes = 32 * 1024 * 1024) {
    this.#maxBytes = maxBytes
  }

  get(facts: Key): Buffer | undefined {
    const key = keyOf(facts)
    const fragment = this.#fragments.get(key)
    if (fragment === undefined) return undefined
    this.#fragments.delete(key)
    this.#fragments.set(key, fragment)
    return fragment
  }

  /** rim:ExtrinsicObject of the entry, kept for the next answer. */
  write(entry: DocumentEntry): Buffer {
    const xml = new XmlWriter()
    writeDocumentEntry(xml, entry)
    const fragment = xml.take()
    const key = keyOf(entry)
    this.#bytes += fragment.length - (this.#fragments.get(key)?.length ?? 0)
    this.#fragments.delete(key)
    this.#fragments.set(key, fragment)
    for (const [oldest, { length }] of this.#fragments) {
      if (this.#bytes <= this.#maxBytes) break
      this.#fragments.delete(oldest)
      this.#bytes -= length
    }
    return fragment
  }
}

function keyOf({ entryUuid, version, availabilityStatus }: Key): string {
  return `${entryUuid} ${version} ${availabilityStatus}`
}
