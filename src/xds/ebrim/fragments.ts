/**
 * ExtrinsicObjects as they were last written. An entry never changes under its entryUUID but for its status (a change of
 * metadata is a new version with a new entryUUID, ITI TF-2 3.57), and what is written of it depends on no caller: so the
 * same bytes serve every answer. Only a cache; who may have the entry was decided before it is asked.
 */
import type { DocumentFacts } from '../../access/types.ts'
import { ByteCache } from '../../byte-cache.ts'
import type { DocumentEntry } from '../../metadata/model.ts'
import { XmlWriter } from '../../xml/writer.ts'
import { writeDocumentEntry } from './writer.ts'

type Key = Pick<DocumentFacts, 'entryUuid' | 'version' | 'availabilityStatus'>

export class Fragments {
  readonly #written: ByteCache

  /** `maxBytes` of XML are kept; what was not used for longest goes first. */
  constructor(maxBytes = 32 * 1024 * 1024) {
    this.#written = new ByteCache(maxBytes)
  }

  get(facts: Key): Buffer | undefined {
    return this.#written.get(keyOf(facts))
  }

  /** rim:ExtrinsicObject of the entry, kept for the next answer. */
  write(entry: DocumentEntry): Buffer {
    const xml = new XmlWriter()
    writeDocumentEntry(xml, entry)
    return this.#written.keep(keyOf(entry), xml.take())
  }
}

function keyOf({ entryUuid, version, availabilityStatus }: Key): string {
  return `${entryUuid} ${version} ${availabilityStatus}`
}
